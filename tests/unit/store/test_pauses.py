"""A campaign's book: its state follows from its open pauses, and each change of it makes one event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailwatch.core.campaigns import Campaign, CampaignPolicy, CampaignState, PauseOn, PauseOrigin
from mailwatch.store.pauses import Because, Book

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def book(policy=None, **fields):
    values = {"id": "spring", "name": "Spring", "state": CampaignState.ACTIVE, "created_at": NOON, "updated_at": NOON}
    return Book(Campaign(**(values | fields)), policy or CampaignPolicy())


def because(mailbox_id="mb_1", *, minutes=0, origin=PauseOrigin.AUTOMATIC, actor="mailwatch"):
    return Because(mailbox_id, origin, "server_unavailable", actor, NOON + timedelta(minutes=minutes))


def later(minutes):
    return NOON + timedelta(minutes=minutes)


def kinds(one):
    return [note.type.value for note in one.notes]


def test_a_pause_in_force_pauses_once_and_its_end_resumes():
    one = book(position="row 7")
    one.enter(because(), in_force=True)
    one.settle(later(0))
    one.settle(later(1))
    assert (one.is_paused, one.campaign.version, one.campaign.paused_since_at) == (True, 2, NOON)
    assert one.lift_where(lambda _: True, later(90), "mailwatch")
    one.settle(later(90))
    assert (one.campaign.state, one.campaign.version, one.campaign.paused_since_at) == (CampaignState.ACTIVE, 3, None)
    assert kinds(one) == ["campaign.paused", "campaign.resumed"]
    resumed = one.notes[-1].content
    assert (resumed["position"], resumed["paused_seconds"], resumed["mailbox"]) == ("row 7", 5400, "mb_1")
    assert resumed["ramp"][0]["ratio"] == 0.25


def test_a_pause_that_is_only_noted_changes_nothing():
    one = book()
    one.enter(because(), in_force=False)
    one.settle(NOON)
    assert (one.campaign, one.notes) == (one.before, [])
    assert len(one.touched) == 1


def test_the_second_pause_keeps_it_paused_when_the_first_ends():
    one = book()
    one.enter(because("mb_1"), in_force=True)
    one.enter(because("mb_2", minutes=1), in_force=True)
    one.settle(NOON)
    one.lift(one.of("mb_1"), later(2), "mailwatch")
    one.settle(later(2))
    assert one.is_paused
    assert kinds(one) == ["campaign.paused"]


def test_the_event_names_the_pause_that_came_last():
    one = book(CampaignPolicy(pause_on=PauseOn.ALL))
    one.mailboxes |= {"mb_1", "mb_2"}
    one.enter(because("mb_1"), in_force=True)
    one.settle(NOON)
    assert one.notes == []
    one.enter(because("mb_2"), in_force=True)
    one.settle(NOON)
    assert one.notes[0].content["mailbox"] == "mb_2"


def test_a_person_s_pause_alone_asks_for_no_ramp():
    one = book()
    one.enter(because(None, origin=PauseOrigin.PERSON, actor="user:ann"), in_force=True)
    one.settle(NOON)
    assert one.notes[0].content["reason"] == "server_unavailable"
    one.lift_where(lambda _: True, later(10_000), "user:ann")
    one.settle(later(10_000))
    assert one.notes[-1].content["ramp"] == [{"after_seconds": 0.0, "ratio": 1.0}]


def test_the_ramp_follows_the_outage_and_not_the_wait_for_a_person():
    one = book()
    one.enter(because(origin=PauseOrigin.OPERATOR, actor="user:ann"), in_force=True)
    one.settle(NOON)
    one.amend(replace(one.of("mb_1"), ready_at=later(120)))
    one.lift_where(lambda _: True, later(10_000), "user:ann")
    one.settle(later(10_000))
    assert one.notes[-1].content["ramp"][-1] == {"after_seconds": 1800.0, "ratio": 1.0}


def test_a_pause_never_ends_before_it_began():
    one = book()
    one.enter(because(minutes=5), in_force=True)
    one.lift(one.of("mb_1"), NOON, "mailwatch")
    assert [pause.lifted_at for pause in one.touched.values()] == [later(5)]


def test_pauses_entered_and_lifted_in_one_transaction_are_all_written():
    one = book()
    for minute in range(3):
        one.enter(because(minutes=minute), in_force=True)
        one.settle(later(minute))
        one.lift(one.of("mb_1"), later(minute), "mailwatch")
        one.settle(later(minute))
    assert len(one.touched) == 3
    assert all(number < 0 for number in one.touched)
    assert one.open == {}


def test_a_finished_campaign_keeps_its_state_whatever_is_open():
    one = book()
    one.enter(because(), in_force=True)
    one.settle(NOON)
    one.finish(later(1), "user:ann")
    assert one.is_finished
    assert one.open == {}
    assert [note.content.get("change") for note in one.notes] == [None, "finished"]
    one.enter(because("mb_2"), in_force=True)
    one.settle(later(2))
    assert one.is_finished
    assert not one.would_pause(because("mb_3"))


def test_what_was_held_back_comes_into_force_from_now_on():
    one = book()
    one.enter(because(), in_force=False)
    assert one.enforce(later(30), "user:ann")
    (pause,) = one.open.values()
    assert (pause.in_force, pause.since_at, pause.actor) == (True, later(30), "user:ann")
    assert not one.enforce(later(31), "user:ann")


def test_amending_to_the_same_writes_nothing():
    one = book()
    one.enter(because(), in_force=True)
    one.touched.clear()
    one.amend(one.of("mb_1"))
    assert one.touched == {}
