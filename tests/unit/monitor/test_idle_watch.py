"""Open sessions: who is watched, what follows when one ends, and when one is let go."""

import asyncio
import random
from dataclasses import replace

import pytest

from builders import FAILURES, NOW, a_claim, a_mailbox, a_standing
from fakes.ports import FakeClock, FakeLog
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.core.pacing import Pace
from mailwatch.core.standing import Decision
from mailwatch.core.watching import FLOOR_SECONDS, WatchRules
from mailwatch.monitor import idle_watch
from mailwatch.monitor.idle_watch import IdleWatch
from mailwatch.ports import StoreUnavailableError
from mailwatch.ports.watching import WatchedStanding

FREE = Pace(max_connections=1000, logins_per_minute=60_000.0, burst=1000)


class Session:
    """A session that ends when it is told how."""

    def __init__(self):
        self.end = asyncio.get_running_loop().create_future()
        self.watching = self.left = self.dropped = False
        self.renew = None

    async def watch(self, renew_seconds):
        self.watching, self.renew = True, renew_seconds
        return await self.end

    async def leave(self):
        await asyncio.sleep(0)
        self.left = True

    def drop(self):
        self.dropped = True


class Mailboxes:
    """What the store knows, and what it was asked to bring forward."""

    def __init__(self):
        self.known, self.looks, self.errors, self.asked = {}, [], [], 0

    async def standings(self, ids):
        self.asked += 1
        return {key: self.known[key] for key in ids if key in self.known}

    async def advance(self, looks):
        if self.errors:
            raise self.errors.pop(0)
        self.looks += looks


class Meter:
    """The gauges, and the ends by cause."""

    def __init__(self):
        self.gauges, self.ends = (0, 0), []

    def set_watched(self, sessions, passed_over):
        self.gauges = (sessions, passed_over)

    def watch_ended(self, cause):
        self.ends.append(cause)


class Place:
    """A watch among fakes."""

    def __init__(self, **rules):
        self.clock, self.log, self.meter, self.mailboxes = FakeClock(), FakeLog(), Meter(), Mailboxes()
        self.watch = IdleWatch(
            mailboxes=self.mailboxes,
            meter=self.meter,
            log=self.log,
            clock=self.clock,
            rng=random.Random(1),
            rules=WatchRules(**({"labels": ("*",)} | rules)),
            pace_of=lambda _gate: FREE,
        )

    async def open(self, name="mb_1", *, state=State.CONNECTED, decision=True, **mailbox):
        """A session whose probe ended in *state*; without *decision* nothing came of it."""
        box, session = a_mailbox(name, **mailbox), Session()
        standing = a_standing(state, name, version=3, last_probe_at=NOW)
        self.watch.keep(box, session)
        self.watch.decided(a_claim(box, standing), Decision(standing, standing) if decision else None)
        self.mailboxes.known[name] = WatchedStanding(state, 3, 1, NOW, elsewhere=False)
        await turns()
        return session

    async def ended(self, session, cause=Cause.CONNECTION_DROPPED):
        """*session* ends by itself, and what follows has followed."""
        session.end.set_result(FAILURES[cause])
        await turns()
        await self.watch._telling


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
async def place(no_task_left_behind):
    made = []

    def make(**rules):
        made.append(Place(**rules))
        return made[-1]

    yield make
    for one in made:
        await one.watch.close()


async def test_a_connected_mailbox_is_watched(place):
    here = place(renew_seconds=7.0)
    session = await here.open()
    assert session.watching
    assert session.renew() == 7.0
    assert here.meter.gauges == (1, 0)


@pytest.mark.parametrize("state", [state for state in State if state is not State.CONNECTED])
async def test_a_session_of_a_mailbox_that_is_not_connected_is_ended(place, state):
    here = place()
    session = await here.open(state=state)
    assert session.left
    assert not session.watching
    assert here.watch.open == 0


async def test_a_session_whose_probe_came_to_nothing_is_ended(place):
    here = place()
    session = await here.open(decision=False)
    assert session.left
    assert here.watch.open == 0


async def test_a_session_that_ends_makes_the_mailbox_due_at_once_and_is_told(place):
    here = place()
    session = await here.open()
    here.clock.advance(3600)
    await here.ended(session, Cause.SESSION_EXPIRED)
    (look,) = here.mailboxes.looks
    assert (look.mailbox_id, look.version, look.due_at) == ("mb_1", 3, here.clock.now())
    assert here.meter.ends == [Cause.SESSION_EXPIRED]
    assert here.meter.gauges == (0, 0)
    (line,) = here.log.named("watch.ended")
    assert (line["cause"], line["quote"], line["seconds"]) == (
        Cause.SESSION_EXPIRED,
        "BYE Session expired, please login again.",
        3600.0,
    )
    assert here.log.levels() == [("info", "watch.ended")]


async def test_a_server_that_ends_each_session_at_once_gets_no_login_a_minute_more(place):
    here = place()
    await here.ended(await here.open())
    await here.ended(await here.open())
    first, second = here.mailboxes.looks
    assert (second.due_at - first.due_at).total_seconds() == FLOOR_SECONDS


async def test_sessions_that_end_together_are_told_together(place):
    here = place()
    sessions = [await here.open(f"mb_{number}") for number in range(50)]
    for session in sessions[1:]:
        session.end.set_result(FAILURES[Cause.CONNECTION_DROPPED])
    await here.ended(sessions[0])
    assert len(here.mailboxes.looks) == 50


async def test_an_end_that_cannot_be_stored_is_tried_again(place):
    here = place()
    session = await here.open()
    here.mailboxes.errors = [StoreUnavailableError("away"), StoreUnavailableError("away")]
    await here.ended(session)
    assert here.log.named("watch.not_told") == [{"error": "away", "count": 1}]
    with pytest.raises(StoreUnavailableError):
        await here.watch.review()
    await here.watch.review()
    assert [look.mailbox_id for look in here.mailboxes.looks] == ["mb_1"]


async def test_an_end_is_forgotten_when_the_mailbox_is_looked_at_before_it_is_stored(place):
    here = place()
    session = await here.open()
    here.mailboxes.errors = [StoreUnavailableError("away")]
    await here.ended(session)
    await here.watch.let_go("mb_1")
    await here.watch.review()
    assert here.mailboxes.looks == []


async def test_a_probe_waits_until_the_session_has_said_goodbye(place):
    here = place()
    session = await here.open()
    await here.watch.let_go("mb_1")
    assert session.left
    assert here.watch.open == 0
    assert here.mailboxes.looks == []
    assert here.meter.ends == []
    await here.watch.let_go("mb_1")  # there is none: nothing happens


async def test_a_second_session_of_a_mailbox_takes_the_place_of_the_first(place):
    here = place()
    old = await here.open()
    new = await here.open()
    assert (old.left, new.left, new.watching, here.watch.open) == (True, False, True, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": State.INACTIVE},
        {"state": State.HELD},
        {"state": State.SUSPECT},
        {"version": 4},
        {"generation": 2},
        {"elsewhere": True},
        {"last_probe_at": NOW.replace(hour=13)},
    ],
    ids=str,
)
async def test_what_was_changed_meanwhile_is_let_go(place, changes):
    here = place()
    one, other = await here.open(), await here.open("mb_2")
    here.mailboxes.known["mb_1"] = replace(here.mailboxes.known["mb_1"], **changes)
    await here.watch.review()
    await turns()
    assert (one.left, other.left) == (True, False)
    assert here.mailboxes.looks == []


async def test_a_removed_mailbox_is_let_go(place):
    here = place()
    session = await here.open()
    del here.mailboxes.known["mb_1"]
    await here.watch.review()
    await turns()
    assert session.left


@pytest.mark.parametrize("last_probe_at", [None, NOW, NOW.replace(hour=11)])
async def test_a_result_of_our_own_that_is_not_written_yet_lets_nothing_go(place, last_probe_at):
    here = place()
    session = await here.open()
    here.mailboxes.known["mb_1"] = replace(here.mailboxes.known["mb_1"], last_probe_at=last_probe_at)
    await here.watch.review()
    await turns()
    assert not session.left


async def test_a_session_that_waits_for_its_decision_is_not_judged_by_what_was_before(place):
    here = place()
    session = Session()
    here.watch.keep(a_mailbox(), session)
    await here.watch.review()
    assert here.mailboxes.asked == 0
    assert here.watch.open == 1


async def test_nobody_is_watched_unless_a_label_says_so(place):
    here = place(labels=())
    assert not here.watch.wants(a_mailbox())
    await here.watch.review()
    assert here.mailboxes.asked == 0


async def test_more_than_the_most_are_only_probed_and_that_is_told_once(place):
    here = place(most=2)
    kept = [await here.open(f"mb_{number}") for number in range(2)]
    assert not here.watch.wants(a_mailbox("mb_2"))
    assert not here.watch.wants(a_mailbox("mb_3"))
    beyond = await here.open("mb_4")  # it was wanted while there was room
    await turns()
    assert ([session.left for session in kept], beyond.left, beyond.watching) == ([False, False], True, False)
    assert here.meter.gauges == (2, 3)
    assert [line["count"] for line in here.log.named("watch.full")] == [2]


async def test_a_mailbox_that_was_passed_over_is_forgotten_when_it_has_room_or_is_gone(place):
    here = place(most=1, interval_seconds=100.0)
    await here.open()
    for name in ("mb_2", "mb_3"):
        assert not here.watch.wants(a_mailbox(name))
    await here.watch.let_go("mb_1")
    await here.open("mb_2")
    assert here.meter.gauges == (1, 1)
    here.clock.advance(201)
    await here.watch.review()
    assert here.meter.gauges == (1, 0)
    here.watch.wants(a_mailbox("mb_3"))
    assert len(here.log.named("watch.full")) == 2


async def test_a_mailbox_that_is_down_is_not_counted_as_passed_over(place):
    here = place(most=1)
    await here.open()
    here.watch.wants(a_mailbox("mb_2"))
    standing = a_standing(State.RECONNECTING, "mb_2")
    here.watch.decided(a_claim(a_mailbox("mb_2"), standing), Decision(standing, standing))
    here.watch.wants(a_mailbox("mb_3"))
    assert here.meter.gauges == (1, 1)


async def test_a_reload_lets_go_of_what_is_not_wanted_any_more(place):
    here = place()
    gold, tin = await here.open(labels={"tier": "gold"}), await here.open("mb_2", labels={"tier": "tin"})
    here.watch.retune(WatchRules(("tier=gold",), renew_seconds=9.0), lambda _gate: FREE)
    await turns()
    assert (gold.left, tin.left, gold.renew()) == (False, True, 9.0)
    here.watch.retune(WatchRules(()), lambda _gate: FREE)
    await turns()
    assert gold.left
    assert here.meter.gauges == (0, 0)


async def test_a_reload_with_fewer_places_lets_go_of_the_surplus(place):
    here = place()
    sessions = [await here.open(f"mb_{number}") for number in range(5)]
    here.watch.retune(WatchRules(("*",), most=2), lambda _gate: FREE)
    await turns()
    assert [session.left for session in sessions] == [False, False, True, True, True]


async def test_a_stop_drops_all_at_once_and_takes_nothing_more(place):
    here = place()
    sessions = [await here.open(f"mb_{number}") for number in range(20)]
    await here.watch.close()
    assert all(session.dropped and not session.left for session in sessions)
    assert not here.watch.wants(a_mailbox())
    late = Session()
    here.watch.keep(a_mailbox(), late)
    assert late.dropped
    assert (here.meter.gauges, here.mailboxes.looks, here.meter.ends) == ((0, 0), [], [])


async def test_a_goodbye_that_hangs_holds_no_stop_up(place, monkeypatch):
    monkeypatch.setattr(idle_watch, "CLOSE_SECONDS", 0.05)
    here = place()
    session = await here.open()

    async def hangs():
        await asyncio.Event().wait()

    session.leave = hangs
    here.watch.retune(WatchRules(()), lambda _gate: FREE)
    await asyncio.wait_for(here.watch.close(), 5)
    assert session.dropped


async def test_a_bug_in_one_session_is_told_and_costs_that_one(place):
    here = place()
    session, other = await here.open(), await here.open("mb_2")
    session.end.set_exception(RuntimeError("bug"))
    await turns()
    assert [line["exception"] for line in here.log.named("watch.crashed")] == ["RuntimeError"]
    assert (session.dropped, other.watching, here.watch.open) == (True, True, 1)
