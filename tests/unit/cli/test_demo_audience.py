"""What the audience of the demo gets: a link that always lets one in, and what became of the campaigns."""

from types import SimpleNamespace

import pytest

from contract.campaigning import away, back, running
from fakes.web import make_rig
from mailwatch.cli.demo_audience import Audience
from mailwatch.ports.people import Role


@pytest.fixture
async def rig(tmp_path):
    rig = await make_rig(tmp_path / "mailwatch.db")
    yield rig
    await rig.store.close()


@pytest.fixture
def audience(rig):
    """The audience of a daemon that serves nothing, over a real database."""
    parts, offices = SimpleNamespace(store=rig.store), SimpleNamespace(accounts=rig.surface.accounts)
    return Audience(SimpleNamespace(url="http://127.0.0.1:9725", parts=parts, offices=offices))


def key_of(url):
    return url.partition("?key=")[2]


async def test_the_link_stays_until_it_was_used_and_is_then_another(rig, audience):
    await audience.let_in()
    url = await audience.url()
    assert url.startswith("http://127.0.0.1:9725/sign-in?key=")
    assert await audience.url() == url
    _, session = await rig.surface.accounts.redeem(key_of(url))
    assert (session.user, session.role) == ("demo", Role.ADMIN)
    assert await audience.url() != url


async def test_a_link_that_has_ended_is_replaced(rig, audience):
    await audience.let_in()
    url = await audience.url()
    rig.clock.advance(30 * 86_400)
    assert await audience.url() != url


async def test_campaigns_are_counted_with_their_pauses_and_resumptions(rig, audience):
    stage = SimpleNamespace(campaigns=0, campaigns_paused=0, pauses=0, resumptions=0)
    first, _ = await running(rig.store, names=("autumn", "spring"))
    await audience.count_campaigns(stage)
    assert (stage.campaigns, stage.campaigns_paused, stage.pauses, stage.resumptions) == (2, 0, 0, 0)
    await away(rig.store, first)
    await audience.count_campaigns(stage)
    assert (stage.campaigns, stage.campaigns_paused, stage.pauses, stage.resumptions) == (2, 2, 2, 0)
    await back(rig.store, first)
    await audience.count_campaigns(stage)
    await audience.count_campaigns(stage)  # what was counted is not counted again
    assert (stage.campaigns, stage.campaigns_paused, stage.pauses, stage.resumptions) == (2, 0, 2, 2)
