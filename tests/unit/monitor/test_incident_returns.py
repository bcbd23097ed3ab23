"""What an incident stopped comes back: soon where canaries came through, felt for where only people end it, all of it at its end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW, a_standing
from fakes.incidents import FakeIncidents
from fakes.ports import FakeClock
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.life import Incident, Signs
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.standing import Decision
from mailwatch.monitor.circuits import Circuits
from mailwatch.monitor.incident_returns import Returns

GOOGLE = Incident("inc_1", Scope(ScopeKind.PROVIDER, "google"), Cause.SERVER_UNAVAILABLE, NOW, NOW, 150, 1.0, size=200)
APP = replace(GOOGLE, scope=Scope(ScopeKind.OAUTH_APP, "ours"), cause=Cause.OAUTH_MISCONFIGURED)
FEELER_SECONDS = 1800.0


class Ward:
    """Returns over incidents in memory."""

    def __init__(self, cause=Cause.OAUTH_MISCONFIGURED, waiting=0):
        self.clock, self.incidents, self.circuits = FakeClock(), FakeIncidents(), Circuits(CircuitPolicy())
        self.incidents.waiting = {f"mb_{number:04}": cause for number in range(waiting)}
        self.back, self.confirmed = [], []
        self.returns = Returns(self.incidents, self.circuits, self.clock, bring_back=self._bring_back, confirm=self._confirm)

    async def _bring_back(self, mailbox_id):
        self.back.append(mailbox_id)
        self.incidents.waiting.pop(mailbox_id, None)

    async def _confirm(self, mailbox_id, cause):
        self.confirmed.append((mailbox_id, cause))

    async def step(self, incident, seconds=15.0, signs=None):
        self.clock.advance(seconds)
        await self.returns.step(incident, signs, FEELER_SECONDS)
        return len(self.back)


async def test_more_are_felt_for_than_must_come_back_and_not_before_their_time():
    ward = Ward(waiting=90)
    assert await ward.step(APP) == 0
    assert await ward.step(APP, FEELER_SECONDS - 1) == 0
    assert await ward.step(APP, 1) == 5
    assert await ward.step(APP, FEELER_SECONDS - 1) == 5
    assert await ward.step(APP, 1) == 10


async def test_a_node_that_was_started_meanwhile_feels_at_once_for_the_mended_secret_may_be_why():
    ward = Ward(waiting=90)
    assert await ward.step(replace(APP, opened_at=NOW - timedelta(minutes=3))) == 5


@pytest.mark.parametrize(("failures", "felt"), [(0, 10), (1, 5)])
async def test_the_next_follow_soon_where_none_failed(failures, felt):
    ward = Ward(waiting=90)
    await ward.step(APP, FEELER_SECONDS)
    assert await ward.step(APP, 61.0, Signs(fresh=0, failures=failures, recovered=2, still_failing=88)) == felt


async def test_after_a_reload_they_are_felt_for_with_the_next_round():
    ward = Ward(waiting=90)
    await ward.step(APP, FEELER_SECONDS)
    ward.returns.feel_soon()
    assert await ward.step(APP) == 10
    assert await ward.step(APP) == 10


async def test_a_clock_that_is_set_back_stops_no_feelers():
    ward = Ward(waiting=90)
    await ward.step(APP)
    ward.clock.set_back(86_400.0)
    assert await ward.step(APP, FEELER_SECONDS) == 5


@pytest.mark.parametrize(
    ("incident", "cause", "felt"),
    [
        (GOOGLE, Cause.INVALID_CREDENTIALS, 0),
        (replace(GOOGLE, cause=Cause.RATE_LIMITED), Cause.INVALID_CREDENTIALS, 5),
        (replace(GOOGLE, cause=Cause.RATE_LIMITED), Cause.MAILBOX_MISSING, 0),
        (replace(GOOGLE, cause=Cause.IP_BLOCKED), Cause.IP_BLOCKED, 5),
        (APP, Cause.INVALID_CREDENTIALS, 0),
    ],
)
async def test_only_what_the_incident_may_have_stopped_is_felt_for(incident, cause, felt):
    assert await Ward(cause, waiting=90).step(incident, FEELER_SECONDS) == felt


EGRESS_OVER = replace(GOOGLE, scope=EGRESS, cause=Cause.LOCAL_NETWORK_DOWN)


@pytest.mark.parametrize(
    ("incident", "cause", "back"),
    [
        (GOOGLE, Cause.INVALID_CREDENTIALS, 0),
        (GOOGLE, Cause.OAUTH_GRANT_REVOKED, 0),
        (replace(GOOGLE, cause=Cause.RATE_LIMITED), Cause.INVALID_CREDENTIALS, 9),
        (replace(GOOGLE, cause=Cause.INVALID_CREDENTIALS), Cause.INVALID_CREDENTIALS, 9),
        (APP, Cause.INVALID_CREDENTIALS, 0),
        (APP, Cause.OAUTH_GRANT_REVOKED, 0),
        (replace(APP, cause=Cause.CONNECTION_TIMEOUT), Cause.OAUTH_MISCONFIGURED, 9),
        (EGRESS_OVER, Cause.IP_BLOCKED, 9),
        (EGRESS_OVER, Cause.INVALID_CREDENTIALS, 0),
    ],
)
async def test_its_end_brings_back_what_it_stopped_and_nobody_with_a_fault_of_their_own(incident, cause, back):
    assert await Ward(cause, waiting=9).step(replace(incident, closed_at=NOW)) == back


async def test_at_its_end_all_come_back_some_at_a_time():
    ward, over = Ward(waiting=1200), replace(APP, closed_at=NOW)
    counts = [await ward.step(over) for _ in range(4)]
    assert counts == [500, 1000, 1200, 1200]


async def test_what_has_nobody_left_is_not_asked_for_again_unless_it_opens_anew():
    ward, over = Ward(waiting=1), replace(APP, closed_at=NOW)
    await ward.step(over)
    await ward.step(over)
    ward.incidents.waiting = {"mb_9": Cause.OAUTH_MISCONFIGURED}
    assert await ward.step(over) == 1
    await ward.step(APP)
    assert await ward.step(over) == 2


async def test_what_waits_for_its_next_try_is_due_at_its_end():
    ward = Ward()
    await ward.returns.ended(GOOGLE)
    assert ward.incidents.hastened == ["inc_1"]


async def test_it_comes_first_once_on_the_ramp_and_suspicions_are_confirmed_while_the_circuit_lets_some_through():
    ward = Ward()
    ward.incidents.suspected = ["mb_1"]
    await ward.step(GOOGLE)
    assert ward.confirmed == []
    ward.circuits.follow([GOOGLE], ward.clock.monotonic())
    await ward.step(GOOGLE)
    assert (ward.confirmed, ward.incidents.hastened) == ([("mb_1", Cause.SERVER_UNAVAILABLE)], [])
    standing = a_standing(proven=True)
    for _ in range(3):
        ward.circuits.result("google", Decision(standing, standing), ward.clock.monotonic())
    await ward.step(GOOGLE)
    await ward.step(GOOGLE)
    assert ward.incidents.hastened == ["inc_1"]
