"""Files served from memory under a name that changes with their content."""

import re

from mailwatch.web.pages.assets import assets


async def test_a_file_is_kept_for_ever_under_its_digest(rig):
    status, headers, text = await rig.ask("GET", assets().url("mailwatch.css"), role=None)
    assert (status, headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
    assert headers["Content-Type"] == "text/css; charset=utf-8"
    assert "color-scheme" in text


async def test_an_old_digest_gets_the_present_file_but_may_not_be_kept(rig):
    status, headers, _ = await rig.ask("GET", "/static/0123456789abcdef/page.js", role=None)
    assert (status, headers["Cache-Control"]) == (200, "no-store")


async def test_nothing_else_is_served(rig):
    for path in ("/static/x/../pages/assets.py", "/static/x/%2e%2e%2fassets.py", "/static/x/missing.js"):
        assert (await rig.ask("GET", path, role=None))[0] == 404


def test_scripts_import_only_what_is_there_and_nothing_from_elsewhere():
    for name, (body, _) in assets().files.items():
        text = body.decode()
        assert not re.search(r"https?://(?!www\.w3\.org)", text), name
        for imported in re.findall(r'from "([^"]+)"', text):
            assert imported.removeprefix("./") in assets().files, (name, imported)


def test_scripts_make_no_markup_of_strings():
    for name, (body, _) in assets().files.items():
        assert not re.search(rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", body), name
