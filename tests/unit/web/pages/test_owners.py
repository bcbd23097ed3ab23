"""Consents without a consent to give: every way in ends in a sentence."""

import pytest

from mailwatch.web.pages.owners import _sentence


@pytest.mark.parametrize("path", ["/reconnect", "/reconnect?key=made-up"])
async def test_a_link_that_is_none_tells_nothing_of_the_fleet(rig, path):
    await rig.fill(2)
    status, _, text = await rig.ask("GET", path, role=None)
    assert status == 410
    assert "Ask whoever sent it for a new one." in text
    assert "example.org" not in text


@pytest.mark.parametrize("path", ["/oauth/callback", "/oauth/callback?state=x&code=y"])
async def test_a_way_back_from_nowhere_ends_in_a_sentence(rig, path):
    status, _, text = await rig.ask("GET", path, role=None)
    assert status in (400, 409)
    assert "Nothing was stored." in text


def test_faults_become_sentences():
    assert _sentence("the link has ended") == "The link has ended."
    assert _sentence("Really?") == "Really?"
