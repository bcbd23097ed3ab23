"""Campaigns on the page."""

from builders import NOW
from mailwatch.core.campaigns import Campaign, CampaignState, Pause, PauseOrigin
from mailwatch.ports import Act
from mailwatch.web.pages.campaigns import liftable, reason_of

BY = Act("user:ada", "campaign.add")


def a_pause(origin, **fields):
    values = {
        "mailbox_id": "mb_1",
        "reason": "connection_timeout",
        "actor": "mailwatch",
        "since_at": NOW,
        "in_force": True,
    } | fields
    return Pause(id=1, campaign_id="c", origin=origin, **values)


def test_a_person_may_lift_a_persons_pause_and_an_operators_whose_mailbox_works_again():
    assert liftable([a_pause(PauseOrigin.PERSON)]) == 1
    assert liftable([a_pause(PauseOrigin.OPERATOR, ready_at=NOW)]) == 1
    assert liftable([a_pause(PauseOrigin.OPERATOR), a_pause(PauseOrigin.AUTOMATIC)]) == 0


def test_a_reason_is_a_cause_by_name_or_a_persons_words():
    assert reason_of(a_pause(PauseOrigin.AUTOMATIC)) == "Connection timeout"
    assert reason_of(a_pause(PauseOrigin.PERSON, reason="holidays_in_june")) == "holidays_in_june"


async def test_a_campaign_shows_its_ledger_and_its_mailboxes(rig):
    await rig.fill(1)
    now = rig.clock.now()
    campaign = Campaign("spring", "Spring", CampaignState.ACTIVE, now, now, position="row 17", mailboxes=("mb_0000",))
    await rig.surface.campaigns.add(campaign, BY)
    await rig.surface.desk.disconnect("mb_0000", BY)
    _, _, text = await rig.ask("GET", "/campaigns/spring")
    assert "A person disconnected the mailbox; once it is verified again, you are offered to resume." in text
    assert "user0@example.org" in text
    assert "row 17" in text
    _, _, text = await rig.ask("GET", "/campaigns?state=paused&q=spr")
    assert "Operator disconnect" in text
    assert "No campaign matches" in (await rig.ask("GET", "/campaigns?state=finished"))[2]


async def test_a_campaign_whose_id_needs_quoting_is_found(rig):
    now = rig.clock.now()
    await rig.surface.campaigns.add(Campaign("a?b#c", "Odd", CampaignState.ACTIVE, now, now), BY)
    _, _, text = await rig.ask("GET", "/campaigns")
    assert 'href="/campaigns/a%3Fb%23c"' in text
    assert (await rig.ask("GET", "/campaigns/a%3Fb%23c"))[0] == 200


async def test_the_list_is_paged_by_id(rig):
    now = rig.clock.now()
    for number in range(103):
        await rig.surface.campaigns.add(Campaign(f"c{number:03}", "", CampaignState.ACTIVE, now, now), BY)
    _, _, text = await rig.ask("GET", "/campaigns?state=active")
    assert 'href="/campaigns?state=active&amp;after=c099"' in text
    _, _, text = await rig.ask("GET", "/campaigns?state=active&after=c099")
    assert "c102" in text
    assert 'rel="next"' not in text
