"""Whatever happens to mailboxes and whatever people do, campaigns stand as their pauses say, and a person's word stands above all."""

import asyncio
import itertools
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from contract.campaigning import BY_ITSELF, campaign, stepped
from contract.fleet import ADD, NOON, SetClock, password_mailbox
from mailwatch.core.campaigns import (
    CampaignPolicy,
    CampaignState,
    Mode,
    PauseOn,
    PauseOrigin,
    is_away,
    is_paused,
)
from mailwatch.core.lifecycle import MOVES, State, Trigger
from mailwatch.core.standing import Decision, Standing
from mailwatch.core.walk import Why, walk
from mailwatch.ports import Act, MailboxFilter, MailboxNotFoundError
from mailwatch.ports.campaigns import CampaignFilter, CampaignOverError
from mailwatch.store import KeyRing, SqlStore, Vault, migrate
from mailwatch.store.ledger import pause_from_row
from mailwatch.store.schema_campaigns import pauses
from mailwatch.store.settling import Move, move_of, settle

ANN = Act("user:ann", "test")
PEOPLE = frozenset({Trigger.DISCONNECT, Trigger.HOLD, Trigger.RELEASE, Trigger.RECONNECT, Trigger.NEW_SECRET})
MAILBOXES = [f"mb_{number:04}" for number in range(3)]
CAMPAIGNS = ["c0", "c1", "c2"]
#: What leads a mailbox from any state to one that sends, and out of it, as far as the lifecycle allows it.
RECOVERY = (Trigger.RECONNECT, Trigger.RELEASE, Trigger.PROBE_SUCCEEDED, Trigger.VERIFIED)
FAILURE = (Trigger.PROBE_FAILED, Trigger.FAILURE_CONFIRMED)
POLICIES = st.builds(
    CampaignPolicy,
    mode=st.sampled_from(Mode) | st.just(Mode.ENFORCE),
    pause_on=st.sampled_from(PauseOn),
    brake_ratio=st.sampled_from([0.0, 0.4, 1.0]),
    brake_floor=st.sampled_from([0, 1, 100]),
)
WALKS = [RECOVERY, FAILURE, (Trigger.DISCONNECT,)] * 4 + [(trigger,) for trigger in Trigger]
KINDS = ["move"] * 14 + ["link", "unlink", "pause", "resume", "finish", "reopen", "release", "wait"]
#: What happens, and to what; an act takes of it what it needs.
STEP = st.tuples(
    st.sampled_from(KINDS), st.sampled_from(MAILBOXES), st.sampled_from(CAMPAIGNS), st.sampled_from(WALKS), st.integers(1, 20)
)
STEPS = st.lists(STEP, max_size=25)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("ledger") / "template.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="module")
def fresh_url(template):
    """A new, migrated database at each call."""
    numbers = itertools.count()

    def copy():
        path = template.with_name(f"{next(numbers)}.db")
        shutil.copy(template, path)
        return f"sqlite:///{path}"

    return copy


async def opened(url, policy, clock):
    store = SqlStore(url, Vault(KeyRing.generate()), clock, node="a")
    store.campaign_policy = policy
    await store.open()
    ids = await store.add([password_mailbox(number) for number in range(3)], ADD, first_due_at=lambda _: NOON)
    for number, name in enumerate(CAMPAIGNS):
        await store.campaigns.add(campaign(name, *ids[: number + 1]), ANN)
    return store


class Story:
    """A database to which things happen, looked at after each."""

    def __init__(self, store, clock):
        self.store = store
        self.clock = clock

    async def do(self, step):
        kind, mailbox_id, name, triggers, minutes = step
        registry = self.store.campaigns
        acts = {
            "move": lambda: self._move(mailbox_id, triggers),
            "link": lambda: registry.link(name, [mailbox_id], ANN),
            "unlink": lambda: registry.unlink(name, [mailbox_id], ANN),
            "pause": lambda: registry.pause(name, "because", ANN),
            "resume": lambda: registry.resume(name, ANN),
            "finish": lambda: registry.amend(name, ANN, finished=True),
            "reopen": lambda: registry.amend(name, ANN, finished=False),
            "release": lambda: registry.release_brake(ANN),
            "remove": lambda: self.store.remove(mailbox_id, ANN),
            "wait": lambda: self._wait(minutes),
        }
        with suppress(MailboxNotFoundError, CampaignOverError):  # removed already, or finished
            await acts[kind]()

    async def _wait(self, minutes):
        self.clock.pass_seconds(60 * minutes)

    async def _move(self, mailbox_id, triggers):
        for trigger in triggers:
            await self._one_move(mailbox_id, trigger)

    async def _one_move(self, mailbox_id, trigger):
        """The move by *trigger*, where the mailbox's state allows it; told twice, it happens once."""

        def decide(standing):
            if trigger not in MOVES[standing.state]:
                return Decision(standing, standing)
            after, steps = walk(standing, (trigger,), self.clock.now(), Why(actor="user:ann" if trigger in PEOPLE else "mailwatch"))
            return Decision(standing, after, steps)

        decision = await self.store.change(mailbox_id, decide, ANN)
        if decision.transitions:
            before = await self.ledger()
            await self.settled([move_of(decision, "other")])
            assert await self.ledger() == before, "the same move again changes nothing"

    async def settled(self, moves):
        await self.store._database.write(lambda attempt: settle(attempt, moves, self.store.campaign_policy))

    async def ledger(self):
        async def work(attempt):
            rows = (await attempt.connection.execute(select(pauses).order_by(pauses.c.id))).all()
            return [pause_from_row(row) for row in rows]

        entries = await self.store._database.read(work)
        campaigns = {view.campaign.id: view.campaign for view in await self.store.campaigns.list(CampaignFilter())}
        return entries, campaigns

    async def check(self):
        policy = self.store.campaign_policy
        standings = {view.mailbox.id: view.standing for view in await self.store.list(MailboxFilter())}
        entries, _ = await self.ledger()
        for name in CAMPAIGNS:
            view = await self.store.campaigns.find(name)
            _check_campaign(view, policy)
            if view.campaign.state is not CampaignState.FINISHED:
                away = {each for each in view.campaign.mailboxes if is_away(standings[each], policy)}
                waiting = {pause.mailbox_id for pause in view.pauses if pause.mailbox_id and pause.ready_at is None}
                assert waiting == away, "every mailbox that is away has its open pause, and no other has one"
        for pause in entries:
            _check_pause(pause, standings)
        assert await self._as_told() == {name: (await self.store.campaigns.find(name)).campaign.state for name in CAMPAIGNS}

    async def _as_told(self):
        """The states a receiver of the events believes in."""
        believed = dict.fromkeys(CAMPAIGNS, CampaignState.ACTIVE)
        for event in await self.store.outbox.events(0, 100_000):
            if event.campaign_id is not None:
                believed[event.campaign_id] = CampaignState(event.content["state"])
        return believed


def _check_campaign(view, policy):
    found, open_pauses = view.campaign, view.pauses
    if found.state is CampaignState.FINISHED:
        assert open_pauses == ()
    else:
        paused = is_paused(open_pauses, found.mailboxes, policy)
        assert found.state is (CampaignState.PAUSED if paused else CampaignState.ACTIVE)
    assert (found.paused_since_at is not None) == (found.state is CampaignState.PAUSED)
    named = [pause.mailbox_id for pause in open_pauses if pause.mailbox_id is not None]
    assert len(named) == len(set(named)), "one open pause for a mailbox of a campaign"


def _check_pause(pause, standings):
    if pause.origin is PauseOrigin.PERSON:
        assert pause.in_force
    if pause.in_force and pause.origin is not PauseOrigin.AUTOMATIC:
        assert pause.lifted_by != "mailwatch", "what a person's act paused, a person resumes"
    if pause.lifted_at is not None:
        assert pause.lifted_at >= pause.since_at
        return
    if pause.mailbox_id is not None:
        state = standings[pause.mailbox_id].state
        verified = state is State.CONNECTED
        assert state is not State.INACTIVE or pause.origin is PauseOrigin.OPERATOR
        assert not (verified and pause.origin is PauseOrigin.AUTOMATIC)
        assert not (verified and pause.ready_at is None)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(POLICIES, STEPS, st.none() | st.sampled_from(MAILBOXES), STEPS)
def test_campaigns_stand_as_their_pauses_say_whatever_happens(fresh_url, policy, steps, removed, more):
    async def run():
        clock = SetClock()
        story = Story(await opened(fresh_url(), policy, clock), clock)
        try:
            removal = [("remove", removed, *steps[0][2:])] if removed and steps else []
            for step in (*steps, *removal, *more):
                await story.do(step)
                await story.check()
        finally:
            await story.store.close()

    asyncio.run(run())


BRAKING = st.builds(
    CampaignPolicy,
    mode=st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.SUGGEST]),
    pause_on=st.sampled_from(PauseOn),
    brake_ratio=st.sampled_from([0.2, 0.4, 0.6]),
    brake_floor=st.integers(0, 2),
)
SINGLES = [f"mb_{number:04}" for number in range(8)]
TURNS = st.lists(
    st.tuples(
        st.sampled_from(SINGLES),
        st.sampled_from([State.RECONNECTING, State.RECONNECTING, State.CONNECTED, State.INACTIVE]),
        st.integers(0, 20),
    ),
    max_size=20,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(BRAKING, TURNS, st.integers(2, 20))
def test_moves_settled_together_leave_what_they_leave_one_by_one(fresh_url, policy, turns, size):
    moves = list(_moves(turns))

    async def run(size):
        store = SqlStore(fresh_url(), Vault(KeyRing.generate()), SetClock(), node="a")
        store.campaign_policy = policy
        await store.open()
        try:
            wanted = [password_mailbox(number, campaigns=(f"c{number}", f"pair{number // 2}")) for number in range(8)]
            await store.add(wanted, ADD, first_due_at=lambda _: NOON)
            story = Story(store, None)
            for start in range(0, len(moves), size):
                await story.settled(moves[start : start + size])
            return await _outcome(story)
        finally:
            await store.close()

    assert asyncio.run(run(size)) == asyncio.run(run(1))


async def _outcome(story):
    """The ledger, the campaigns and what was told of them, without the numbers that rows were given."""
    entries, campaigns = await story.ledger()
    told = sorted(
        (event.at, event.campaign_id, event.type, event.content["state"])
        for event in await story.store.outbox.events(0, 10_000)
        if event.campaign_id is not None
    )
    ledger = sorted(
        (replace(pause, id=0) for pause in entries), key=lambda one: (one.campaign_id, one.since_at, one.mailbox_id or "")
    )
    return ledger, campaigns, told


def _moves(turns):
    """Moves one after another; those of a transaction lie close together in time."""
    at = NOON
    for mailbox_id, state, wait in turns:
        at += timedelta(seconds=wait)
        person = state is State.INACTIVE
        trigger = Trigger.DISCONNECT if person else BY_ITSELF[state]
        after = stepped(Standing(mailbox_id, State.CONNECTED, at, at), state, trigger, at).after
        yield Move(after, "other", at, (), trigger, "user:ann" if person else "mailwatch")
