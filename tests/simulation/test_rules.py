"""Days of fleet time in seconds: seeded faults, and the rules that hold whatever happens."""

import asyncio
import random
from datetime import timedelta

import pytest

from mailwatch.core import acts
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from simulation.fleet import DAY, Fleet, check_rules
from simulation.truth import BUSY, DROPPED, REFUSED, THROTTLED, Spell, a_mailbox
from simulation.virtual_time import START_AT, run_virtually

PROVIDERS = ("google", "microsoft", "yahoo", "zoho", "other")


def a_fleet(clock, size, seed=1, **options):
    fleet = Fleet(clock, seed, **options)
    fleet.add(
        [a_mailbox(n, PROVIDERS[n % len(PROVIDERS)], host=f"imap{n % 40}.hoster.test" if n % 5 == 4 else None) for n in range(size)]
    )
    return fleet


@pytest.mark.parametrize("seed", range(4))
def test_the_rules_hold_through_a_day_of_random_faults_crashes_and_peoples_acts(seed):
    async def story(clock):
        rng = random.Random(seed)
        fleet = a_fleet(clock, 200, seed)
        ids = list(fleet.store.mailboxes)
        for _ in range(60):
            begin = rng.uniform(0, DAY)
            evidence = rng.choice([REFUSED, DROPPED, BUSY, THROTTLED])
            if rng.random() < 0.2:
                fleet.world.spells.append(
                    Spell(begin, begin + rng.uniform(30, 7200), evidence, providers=frozenset({rng.choice(PROVIDERS)}))
                )
            else:
                fleet.world.spells.append(
                    Spell(begin, begin + rng.uniform(10, 7200), evidence, mailboxes=frozenset(rng.sample(ids, 5)))
                )
        fleet.world.uplink_cuts = [(DAY * 0.7, DAY * 0.7 + 600)]
        for step in range(24):
            await fleet.run(3600)
            fleet.world.wrong_secret ^= set(rng.sample(ids, 3))
            if step % 5 == 2:
                await fleet.crash()
            for mailbox_id in rng.sample(ids, 3):
                act = rng.choice([acts.disconnect, acts.reconnect, hold, acts.release])
                with_luck(fleet, mailbox_id, act)
        await fleet.dispatcher.stop(60)
        check_rules(fleet)

    run_virtually(story)


def hold(standing, now, actor):
    """A protective pause of an hour."""
    return acts.hold(standing, now, actor, Cause.STRATEGIC_PAUSE, now + timedelta(hours=1))


def with_luck(fleet, mailbox_id, act):
    """A person's act, if the table allows it now."""
    try:
        fleet.store.act(mailbox_id, lambda standing: act(standing, fleet.clock.now(), "person"))
    except ValueError:
        return
    if act is acts.reconnect:
        fleet.pardons[mailbox_id] = fleet.pardons.get(mailbox_id, 0) + 1


def test_the_same_seed_gives_the_same_trace():
    async def story(clock):
        fleet = a_fleet(clock, 100)
        fleet.world.spells = [Spell(3600, 7200, REFUSED, providers=frozenset({"google"}))]
        await fleet.run(4 * 3600)
        await fleet.dispatcher.stop(60)
        return [(row.at, row.mailbox_id, row.from_state, row.to_state, row.cause) for row in fleet.store.history]

    first, second = run_virtually(story), run_virtually(story)
    assert first == second
    assert len(first) > 40


def test_a_wrong_password_for_a_week_costs_at_most_two_logins_a_day_and_heals_with_a_new_secret():
    async def story(clock):
        fleet = a_fleet(clock, 20)
        victim = "mb_000003"
        fleet.tick_seconds = 10.0
        fleet.world.wrong_secret = {victim}
        await fleet.run(7 * DAY)
        refused = [moment for moment, mailbox_id, _, was_refused in fleet.world.logins if was_refused]
        rows = fleet.rows(victim)
        assert len(refused) <= 2
        assert [row.to_state for row in rows] == [State.SUSPECT, State.BLOCKED]
        assert fleet.store.standings[victim].cause is Cause.INVALID_CREDENTIALS
        fleet.world.wrong_secret = set()
        fleet.store.act(victim, lambda s: acts.new_secret(renewed(s), clock.now(), "person"))
        await fleet.run(3600)
        assert [row.to_state for row in fleet.rows(victim)][2:] == [State.RECONNECTING, State.VERIFYING, State.CONNECTED]
        await fleet.dispatcher.stop(60)
        check_rules(fleet)

    run_virtually(story)


def renewed(standing):
    """What the store makes of a standing when a new secret is stored."""
    from dataclasses import replace

    return replace(standing, generation=standing.generation + 1, proven=False, rejected_at=(), lost_at=())


def test_while_our_own_uplink_is_cut_no_mailbox_changes_state_and_all_are_well_afterwards():
    async def story(clock):
        fleet = a_fleet(clock, 400)
        await fleet.run(1800)
        fleet.world.uplink_cuts = [(1800, 2400)]
        await fleet.run(1800)
        await fleet.dispatcher.stop(60)
        assert fleet.store.history == []
        assert fleet.states() == {State.CONNECTED: 400}
        check_rules(fleet)

    run_virtually(story)


def test_one_providers_outage_is_told_from_our_own_and_all_its_mailboxes_come_back():
    async def story(clock):
        fleet = a_fleet(clock, 500)
        await fleet.run(600)
        fleet.world.spells = [Spell(600, 4200, REFUSED, providers=frozenset({"google"}))]
        await fleet.run(1200)
        hit = {mailbox_id for mailbox_id, mailbox in fleet.store.mailboxes.items() if mailbox.provider == "google"}
        assert {row.mailbox_id for row in fleet.store.history} == hit
        assert all(fleet.store.standings[mailbox_id].cause is Cause.CONNECTION_REFUSED for mailbox_id in hit)
        assert all(fleet.store.standings[mailbox_id].state is State.RECONNECTING for mailbox_id in hit)
        await fleet.run(6000)
        await fleet.dispatcher.stop(60)
        assert fleet.states() == {State.CONNECTED: 500}
        check_rules(fleet)

    run_virtually(story)


def test_twenty_bad_passwords_among_a_hundred_on_one_guarded_host_never_get_us_banned_and_the_good_stay_watched():
    async def story(clock):
        fleet = Fleet(clock)
        host = "imap.small.test"
        fleet.add([a_mailbox(n, "other", host=host) for n in range(100)])
        fleet.world.bans = {host: (5, 600.0)}
        fleet.tick_seconds = 2.0
        fleet.world.wrong_secret = {f"mb_{n:06}" for n in range(0, 100, 5)}
        await fleet.run(DAY)
        await fleet.dispatcher.stop(60)
        assert fleet.world.banned == set()
        assert fleet.states() == {State.CONNECTED: 80, State.BLOCKED: 20}
        good = set(fleet.store.mailboxes) - fleet.world.wrong_secret
        last = {m: fleet.store.standings[m].last_success_at for m in good}
        assert all(clock.now() - at < timedelta(seconds=4 * 300) for at in last.values())
        check_rules(fleet)

    run_virtually(story)


def test_a_crash_loop_does_not_multiply_logins():
    async def story(clock):
        fleet = a_fleet(clock, 50)
        fleet.world.wrong_secret = set(fleet.store.mailboxes)
        for standing in list(fleet.store.standings.values()):
            fleet.store._put(type(standing)(standing.mailbox_id, State.RECONNECTING, START_AT, clock.now(), generation=1))
        for _ in range(200):
            await fleet.dispatcher.tick()
            await asyncio.sleep(0.3)  # the secrets are out, few answers are in
            await fleet.crash()
            await asyncio.sleep(70)
        unanswered = sum(len(standing.lost_at) for standing in fleet.store.standings.values())
        assert unanswered >= 20, "no login was cut off by a crash: the test shows nothing"
        check_rules(fleet)

    run_virtually(story)


def test_stops_in_a_loop_multiply_no_logins_and_cost_nobody_whose_secret_was_not_sent():
    async def story(clock):
        fleet = a_fleet(clock, 50)
        fleet.world.wrong_secret = set(fleet.store.mailboxes)
        for standing in list(fleet.store.standings.values()):
            fleet.store._put(type(standing)(standing.mailbox_id, State.RECONNECTING, START_AT, clock.now(), generation=1))
        for turn in range(100):
            await fleet.dispatcher.tick()
            await asyncio.sleep(0.3 if turn % 2 else 0.01)  # the secrets are out, few answers are in; or none is out yet
            logins = len(fleet.world.logins)
            await fleet.dispatcher.stop(0)
            assert fleet.store.leases == {}
            lost = sum(len(standing.lost_at) for standing in fleet.store.standings.values())
            assert lost <= logins
            fleet.boot()
            fleet.dispatcher.fleet_size(len(fleet.store.mailboxes))
            await asyncio.sleep(70)
        assert lost >= 20, "no login was cut off by a stop: the test shows nothing"
        check_rules(fleet)

    run_virtually(story)


def test_a_restart_of_five_thousand_overdue_mailboxes_is_no_burst():
    async def story(clock):
        fleet = Fleet(clock)
        fleet.add([a_mailbox(n, "google") for n in range(5000)])
        await fleet.run(300)
        before = len(fleet.world.logins)
        await fleet.crash()
        await asyncio.sleep(3600)  # down for an hour: everything is overdue
        began = clock.monotonic()
        await fleet.run(300)
        await fleet.dispatcher.stop(60)
        moments = [moment for moment, *_ in fleet.world.logins[before:]]
        per_second = [sum(1 for m in moments if began + s <= m < began + s + 10) / 10 for s in range(0, 300, 10)]
        assert max(per_second) <= 1.5 * 5000 / 300 * 1.3
        assert len(moments) >= 5000
        assert fleet.store.history == []
        check_rules(fleet)

    run_virtually(story)


def test_a_server_that_accepts_the_login_and_then_drops_is_never_called_connected_and_is_tried_ever_more_rarely():
    async def story(clock):
        fleet = a_fleet(clock, 10)
        fleet.world.spells = [Spell(600, 600 + DAY, DROPPED, mailboxes=frozenset({"mb_000000"}))]
        probes = []
        real = fleet.prober.probe

        async def counted(assignment):
            if assignment.mailbox.id == "mb_000000":
                probes.append(clock.monotonic())
            return await real(assignment)

        fleet.prober.probe = counted
        await fleet.run(3600)
        assert fleet.store.standings["mb_000000"].state is State.RECONNECTING
        first_hour = len(probes)
        await fleet.run(3600)
        assert len(probes) - first_hour <= first_hour
        assert len(probes) - first_hour <= 3600 / fleet.policy.transient.max_seconds + 1
        await fleet.dispatcher.stop(60)
        check_rules(fleet)

    run_virtually(story)
