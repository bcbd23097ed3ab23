"""One request for a page: who may see it, and what becomes of faults."""

import re

import pytest

from fakes.web import served
from mailwatch.ports import StoreUnavailableError
from mailwatch.web.pages.assets import assets
from mailwatch.web.pages.visits import local_path
from mailwatch.web.surface import WebSettings


@pytest.mark.parametrize(
    "text", [None, "", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "/a\nb", "/a b", "/\t/x"]
)
def test_nobody_is_led_away_from_the_site(text):
    assert local_path(text) == "/"


def test_a_path_of_the_site_is_kept():
    assert local_path("/mailboxes?state=blocked") == "/mailboxes?state=blocked"


@pytest.mark.parametrize(
    "path", ["/", "/mailboxes", "/mailboxes/mb_0000", "/incidents", "/campaigns", "/findings", "/audit", "/settings", "/jobs/x"]
)
async def test_who_is_not_signed_in_is_asked_to_and_comes_back(rig, path):
    status, headers, _ = await rig.ask("GET", path, role=None)
    assert status == 303
    assert headers["Location"] == ("/sign-in" if path == "/" else f"/sign-in?next={path.replace('/', '%2F')}")


@pytest.mark.parametrize("path", ["/mailboxes/mb_nobody", "/campaigns/none", "/jobs/job_none"])
async def test_what_is_not_there_is_said_so(rig, path):
    status, headers, text = await rig.ask("GET", path)
    assert status == 404
    assert headers["Content-Type"].startswith("text/html")
    assert "There is no such" in text


async def test_a_database_that_does_not_answer_is_a_page_that_says_what_to_do(rig, monkeypatch):
    async def away(*_):
        raise StoreUnavailableError("database is locked")

    monkeypatch.setattr(type(rig.surface.pages), "page", away)
    status, _, text = await rig.ask("GET", "/mailboxes")
    assert status == 503
    assert "The database does not answer" in text
    assert "Nothing is lost" in text
    assert rig.log.named("page.store_unavailable")


async def test_behind_a_proxy_that_serves_it_below_a_path_all_links_stay_below_it(tmp_path):
    settings = WebSettings(external_url="https://ops.example.org/watch")
    async with served(tmp_path / "mailwatch.db", settings=settings) as rig:
        await rig.fill(1)
        here = {"Host": "ops.example.org"}
        _, _, text = await rig.ask("GET", "/mailboxes", headers=here)
        assert 'data-root="/watch"' in text
        assert not re.search(r'(href|action|src)="/(?!watch/)', text)
        status, headers, _ = await rig.ask("GET", "/audit?mailbox=x", role=None, headers=here)
        assert (status, headers["Location"]) == (303, "/watch/sign-in?next=%2Faudit%3Fmailbox%3Dx")
        assert (await rig.ask("GET", assets().url("page.js"), role=None, headers=here))[0] == 200
