"""Every view in a real browser: accessible, without a complaint of its policy, inert against hostile words, readable without scripts."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from builders import FAILURES
from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import AuthKind
from mailwatch.ports.people import Role
from page_site import BY, PASSWORD

pytest_plugins = ("browser",)
pytestmark = pytest.mark.integration

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>{{ 7*7 }}'\"&amp;"


def filled(site):
    """A mailbox in each state, campaigns, a token; the paths of all views."""
    anna = site.add("anna@example.org", labels={"team": "north"})
    ben = site.add("ben@example.org", State.BLOCKED, FAILURES[Cause.INVALID_CREDENTIALS])
    carl = site.add("carl@gmail.com", State.RECONNECTING, FAILURES[Cause.CONNECTION_TIMEOUT], provider="google")
    site.add("dora@gmail.com", State.SUSPECT, FAILURES[Cause.SERVER_UNAVAILABLE], provider="google")
    site.add("emil@outlook.com", State.VERIFYING, FAILURES[Cause.RATE_LIMITED], provider="microsoft")
    fred = site.add("fred@example.org", State.HELD)
    gina = site.add("gina@example.org", State.INACTIVE)
    site.add("hugo@example.org", State.PENDING)
    ida = site.add(
        "ida@workspace.example", State.BLOCKED, FAILURES[Cause.OAUTH_GRANT_REVOKED], auth=AuthKind.OAUTH, oauth_app="outreach"
    )
    site.add_campaign("spring", anna, ben, name="Spring outreach")
    site.do(site.world.accounts.create_token, "sender", Role.ACT, 30, BY)
    boxes = [f"/mailboxes/{one}" for one in (anna, ben, carl, fred, gina, ida)]
    return [
        "/mailboxes",
        "/mailboxes?state=blocked&provider=google&q=ida&label=team%3Dnorth",
        *boxes,
        "/incidents",
        "/campaigns",
        "/campaigns/spring",
        "/findings",
        "/audit",
        "/settings",
        "/settings/deliveries",
        "/no-such-page-of-the-site",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "looks", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}], ids=["light", "dark", "phone"]
)
def test_every_view_is_clean_for_axe(browse, site, complaints, looks, tmp_path):
    paths = filled(site)
    with browse(**looks) as context:
        page = context.new_page()
        for number, path in enumerate(paths):
            if path == "/no-such-page-of-the-site":
                continue
            page.goto(site.url + path)
            page.wait_for_selector("html[data-script]", state="attached")
            (tmp_path / f"{number}.png").write_bytes(page.screenshot())  # for a look at them
            assert_accessible(page, path)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} is wider than the screen"


def test_dialogs_menus_and_toasts_are_clean_for_axe(opened, site):
    site.add("anna@example.org")
    page = opened("/mailboxes")
    page.get_by_role("button", name="Actions for anna@example.org").click()
    assert_accessible(page, "the menu")
    page.get_by_role("menuitem", name="Disconnect mailbox").click()
    assert_accessible(page, "the dialog")
    page.get_by_role("button", name="Disconnect", exact=True).click()
    expect(page.locator(".toast")).to_be_visible()
    assert_accessible(page, "the toast")


@pytest.mark.parametrize("path", ["/sign-in", "/setup?key=nothing", "/reconnect?key=nothing"])
def test_every_door_is_clean_for_axe(browse, site, complaints, path):
    with browse(name=None) as context:
        page = context.new_page()
        page.goto(site.url + path)
        assert_accessible(page, path)
    complaints.forgive(410)


def assert_accessible(page, what):
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
    assert not found.response["violations"], f"{what}: {found.generate_report()}"


def test_hostile_words_are_inert_everywhere(opened, site):
    words = Evidence("imap", Phase.AUTH, f"NO {HOSTILE}", status="NO", response_code="AUTHENTICATIONFAILED")
    eve = site.add("eve@example.org", State.BLOCKED, words, labels={"note": HOSTILE}, username=HOSTILE)
    site.add_campaign("hostile", eve, name=HOSTILE)
    site.do(site.world.store.campaigns.pause, "hostile", HOSTILE, BY)
    for path in ("/mailboxes", f"/mailboxes/{eve}", "/campaigns", "/campaigns/hostile", "/incidents", "/findings", "/audit"):
        page = opened(path)
        assert page.title() != "owned"
        assert page.locator("img").count() == 0
        assert "49" not in page.locator("main").inner_text().replace(HOSTILE, "")
    assert HOSTILE in opened(f"/mailboxes/{eve}").locator("#timeline").inner_text()
    page = opened("/mailboxes?q=%3Cscript%3Ealert(1)%3C/script%3E&label=%22onload%3D1")
    expect(page.get_by_text("address contains “<script>alert(1)</script>”")).to_be_visible()


def test_a_menu_and_a_dialog_of_a_hostile_row_are_inert(opened, site):
    site.add("eve@example.org", labels={"x": HOSTILE})
    page = opened("/mailboxes")
    page.evaluate("words => { document.querySelector('tr[data-mailbox]').dataset.address = words; }", HOSTILE)
    page.locator("[data-menu]").click()
    page.get_by_role("menuitem", name="Disconnect mailbox").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("<script>document.title='owned'</script>")
    assert page.title() != "owned"
    assert page.locator("dialog img").count() == 0


def test_all_is_readable_without_scripts(browse, site, complaints):
    paths = filled(site)
    with browse(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(site.url + "/mailboxes")
        expect(page.get_by_role("row")).to_have_count(10)
        expect(page.get_by_role("row").nth(1)).to_contain_text("Needs action")
        page.get_by_role("link", name="ben@example.org").click()
        expect(page.locator("main")).to_contain_text("NO [AUTHENTICATIONFAILED] Authentication failed.")
        expect(page.get_by_role("button", name="Remove connection")).not_to_be_visible()
        for path in paths[:-1]:
            assert page.goto(site.url + path).status == 200


def test_what_needs_action_comes_first_and_counters_filter(opened, site):
    filled(site)
    page = opened("/mailboxes")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Needs action")
    expect(page.get_by_role("row").nth(9)).to_contain_text("Connected")
    page.locator("#counters").get_by_role("link", name="2 Need action").click()
    assert page.url.endswith("/mailboxes?state=blocked")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("combobox", name="Cause").select_option("invalid_credentials")
    page.wait_for_url("**cause=invalid_credentials")
    assert "state=blocked" in page.url
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="cause: Invalid credentials").click()
    expect(page.get_by_role("row")).to_have_count(3)


def test_the_theme_is_kept_by_a_cookie_and_sent_by_the_server(opened, site):
    page = opened("/mailboxes")
    page.get_by_role("button", name="Theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    opened("/incidents")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_a_page_prints_without_its_controls(opened, site):
    site.add("ben@example.org", State.BLOCKED, FAILURES[Cause.INVALID_CREDENTIALS])
    page = opened("/mailboxes")
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="ben@example.org")).to_be_visible()
    expect(page.locator("nav.side")).not_to_be_visible()
    expect(page.locator("[data-menu]")).not_to_be_visible()


def test_the_way_in_and_out(browse, site, complaints):
    with browse(name=None) as context:
        page = context.new_page()
        page.goto(site.url + "/incidents?x=1")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
        expect(page.get_by_label("Name")).to_have_value("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/incidents?x=1")
        (cookie,) = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("You are signed out.")).to_be_visible()
        context.add_cookies([cookie])
        page.goto(site.url + "/mailboxes")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    complaints.forgive(403)


def test_a_sign_in_link_works_once(browse, site, complaints):
    key = site.do(site.world.accounts.sign_in_link, "ada", BY)
    with browse(name=None) as context:
        page = context.new_page()
        for _ in range(2):  # a look alone uses nothing up
            page.goto(f"{site.url}/sign-in?key={key}")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/mailboxes")
        page.goto(f"{site.url}/sign-in?key={key}")
        expect(page.get_by_role("alert")).to_contain_text("used already")
    complaints.forgive(410)


def test_a_secret_is_never_echoed(opened, site):
    ben = site.add("ben@example.org", State.BLOCKED, FAILURES[Cause.INVALID_CREDENTIALS])
    page = opened(f"/mailboxes/{ben}")
    page.get_by_label("New password").first.fill("tr0ub4dor-and-3")
    page.get_by_role("button", name="Store and verify").click()
    expect(page.get_by_text("The new password of ben@example.org is stored and tried now.")).to_be_visible()
    expect(page.get_by_label("New password").first).to_have_value("")
    assert site.state(ben) is State.RECONNECTING
    assert "tr0ub4dor" not in page.content()
    assert "hunter2" not in page.content()


def test_a_blocked_password_mailbox_is_reconnected_from_its_row(opened, site):
    ben = site.add("ben@example.org", State.BLOCKED, FAILURES[Cause.INVALID_CREDENTIALS])
    page = opened("/mailboxes")
    page.get_by_role("button", name="Actions for ben@example.org").click()
    page.get_by_role("menuitem", name="Reconnect").click()
    dialog = page.get_by_role("dialog", name="Reconnect ben@example.org")
    dialog.get_by_label("New password").fill("tr0ub4dor-and-3")
    dialog.get_by_role("button", name="Reconnect").click()
    expect(page.locator("#row-" + ben)).to_contain_text("Reconnecting")
    assert site.state(ben) is State.RECONNECTING


def test_a_token_is_shown_once(opened, site):
    page = opened("/settings")
    form = page.locator("form[data-add-token]")
    form.get_by_label("Name").fill("sender")
    form.get_by_role("button", name="Make token").click()
    dialog = page.get_by_role("dialog", name="Token sender")
    text = dialog.get_by_role("code").inner_text()
    assert text.startswith("mwt_")
    assert site.do(site.world.accounts.token_of, text) is not None
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator("#tokens tbody")).to_contain_text("sender")
    assert text not in page.content()
    page.get_by_role("button", name="Revoke sender").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.locator("#tokens tbody")).to_contain_text("revoked")
    assert site.do(site.world.accounts.token_of, text) is None


def test_a_person_pauses_and_resumes_a_campaign(opened, site):
    site.add_campaign("spring", site.add("anna@example.org"), name="Spring outreach")
    page = opened("/campaigns/spring")
    page.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("alertdialog", name="Pause Spring outreach?")
    dialog.get_by_label("Reason").fill("new texts are being written")
    dialog.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("new texts are being written, for the campaign itself")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("It may send.")).to_be_visible()
    expect(page.locator("#ledger")).to_contain_text("by user:ada")
