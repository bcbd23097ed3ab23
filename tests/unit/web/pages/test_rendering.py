"""What makes markup, and the headers every page goes out with."""

from datetime import timedelta

from builders import NOW
from mailwatch.web.pages.rendering import Look, exact, icon, moment, prose, render

NOBODY = Look(None, may_act=False, may_admin=False, theme="", sentence="", network_down=False, needs_action=0, root="")


def test_our_sentences_get_code_and_links_and_anything_else_stays_text():
    assert prose("Run `mailwatch run`.") == "Run <code>mailwatch run</code>."
    assert prose("See https://example.org/a_b. <b>") == (
        'See <a href="https://example.org/a_b" rel="noreferrer noopener">https://example.org/a_b</a>. &lt;b&gt;'
    )
    assert prose('https://example.org/"onload="x') == (
        '<a href="https://example.org/" rel="noreferrer noopener">https://example.org/</a>&#34;onload=&#34;x'
    )


def test_moments_are_machine_readable_and_missing_ones_a_dash():
    assert moment(NOW - timedelta(hours=2), NOW) == (
        '<time datetime="2026-03-01T10:00:00Z" title="2026-03-01 10:00 UTC">2 h ago</time>'
    )
    assert exact(NOW) == '<time class="exact" datetime="2026-03-01T12:00:00Z">2026-03-01 12:00 UTC</time>'
    assert moment(None, NOW) == exact(None) == "&ndash;"


def test_an_icon_speaks_only_where_nothing_stands_beside_it():
    assert 'aria-hidden="true"' in icon("check")
    assert 'aria-label="Done"' in icon("check", "Done")


def test_every_page_forbids_what_it_does_not_need():
    answer = render("setup.html", NOBODY, key="", name="", fault="")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_no_page_has_script_or_style_of_its_own(repository):
    for template in (repository / "src/mailwatch/web/templates").glob("*.html"):
        text = template.read_text()
        assert " style=" not in text, template.name
        assert "<style" not in text, template.name
        assert "javascript:" not in text, template.name
        assert text.count("<script") == text.count('<script type="module" src="'), template.name
        assert "|safe" not in text, template.name
