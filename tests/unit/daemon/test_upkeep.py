"""The coarse jobs of a daemon: gauges, incidents, windows, history."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.fleet import ADD, NOON, SetClock, add, moved, password_mailbox
from mailwatch.config import Settings
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.maintenance import Window
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import ConfirmPolicy, Policy, VerifyPolicy
from mailwatch.core.standing import Decision, Transition
from mailwatch.daemon.parts import Role
from mailwatch.ports import Act
from mailwatch.ports.pages import BulkAction, Job, PageFilter
from mailwatch.store import SqlStore, Vault
from unit.daemon.conftest import a_tuning


@pytest.fixture
async def upkeep(stage):
    """The upkeep of a daemon whose store is open and which does nothing by itself."""
    await stage.fill(4)
    daemon = stage.daemon()
    await daemon.parts.store.open()
    yield daemon.upkeep
    await daemon.parts.store.close()


async def block(upkeep, cause=Cause.INVALID_CREDENTIALS):
    """Block all that is due for *cause*."""
    store, now = upkeep._parts.store, upkeep._parts.clock.now()
    for claim in await store.claim_due(now, 100, 60):
        await store.record(claim, moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, at=now, cause=cause))


def gauge(upkeep, name, **labels):
    value = upkeep._parts.metrics.instruments.registry.get_sample_value(name, labels)
    return 0.0 if value is None else value


async def test_the_sentence_counts_the_fleet_and_names_what_is_wrong(upkeep):
    assert upkeep.sentence() == "no mailboxes"
    await upkeep.counts()
    assert upkeep.sentence() == "4 pending"
    upkeep.watch.open = (Incident("inc_1", Scope(ScopeKind.PROVIDER, "google"), Cause.SERVER_UNAVAILABLE, NOON, NOON, 5, 1.0),)
    assert upkeep.sentence() == "4 pending; incident at google"
    upkeep._connectivity.watch.canary(upkeep._parts.clock.now(), up=False)
    assert upkeep.sentence() == "4 pending; own network is down, no verdicts"


async def test_who_waits_for_a_person_is_counted_by_cause_unless_an_incident_stopped_it(upkeep):
    await block(upkeep)
    await upkeep.troubles()
    name, labels = "mailwatch_mailboxes_waiting_for_person", {"owner": "mailbox_owner", "cause": "invalid_credentials"}
    assert gauge(upkeep, name, **labels) == 4
    now = upkeep._parts.clock.now()
    upkeep.watch.open = (Incident("inc_1", Scope(ScopeKind.DOMAIN, "example.org"), Cause.RATE_LIMITED, now, now, 4, 1.0),)
    await upkeep.troubles()
    assert gauge(upkeep, name, **labels) == 0
    # a password that was changed while their server was down is no part of that
    upkeep.watch.open = (Incident("inc_2", Scope(ScopeKind.DOMAIN, "example.org"), Cause.SERVER_UNAVAILABLE, now, now, 4, 1.0),)
    await upkeep.troubles()
    assert gauge(upkeep, name, **labels) == 4


async def test_the_counters_agree_with_the_history_whoever_moved_a_mailbox(stage):
    """A suspicion that an incident confirms, one it lets go on, a person's acts, a hold that ends, and probes."""
    await stage.fill(3)
    daemon = stage.daemon()
    await daemon.start()
    store, upkeep, desk = daemon.parts.store, daemon.upkeep, daemon.offices.desk
    await stage.until(lambda: len(stage.prober.assignments) >= 3, "the first looks")
    await store.flush()

    def suspected(standing):
        at = daemon.parts.clock.now()
        step = Transition(standing.mailbox_id, standing.version + 1, at, standing.state, State.SUSPECT, Trigger.PROBE_FAILED)
        after = replace(standing, state=State.SUSPECT, version=standing.version + 1, due_at=at + timedelta(hours=1))
        return Decision(standing, after, transitions=(step,))

    by = Act("user:ana", "test")
    await store.change("mb_0000", suspected, by)
    await upkeep._confirm("mb_0000", Cause.SERVER_UNAVAILABLE)
    await desk.disconnect("mb_0001", by)
    soon = daemon.parts.clock.now() + timedelta(seconds=2)
    await desk.hold("mb_0002", by, Cause.STRATEGIC_PAUSE, soon)

    async def ended():
        return (await store.find("mb_0002")).standing.state is not State.HELD

    for _ in range(1500):
        if await ended():
            break
        await asyncio.sleep(0.02)
    await daemon.shutdown()
    read = stage.store("reader")
    await read.open()
    history = [step for _, step in await read.history()]
    await read.close()
    registry = daemon.parts.metrics.instruments.registry
    for pair, number in Counter((step.from_state, step.to_state) for step in history).items():
        labels = dict(zip(("from_state", "to_state"), (each.value for each in pair), strict=True))
        assert registry.get_sample_value("mailwatch_transitions_total", labels) == number, pair
    lost = {"provider": "other", "cause": "server_unavailable"}
    assert registry.get_sample_value("mailwatch_disconnections_total", lost) == 1


async def test_mailboxes_nobody_looked_at_are_stale(upkeep):
    hasty = Policy(0.001, confirm=ConfirmPolicy(secret_seconds=0.0), verify=VerifyPolicy(min_seconds=0.0))
    upkeep.retune(replace(upkeep.tuning, policy=hasty))
    await upkeep.troubles()
    assert gauge(upkeep, "mailwatch_stale_mailboxes") == 4


async def test_what_a_fault_of_ours_hides_is_counted_by_reason_and_told_in_the_status(upkeep):
    store = upkeep._parts.store
    for number, (state, reason) in enumerate([(State.CONNECTED, "secret_unreadable"), (State.BLOCKED, "secret_unreadable"),
                                              (State.HELD, "secret_unreadable"), (State.CONNECTED, "login_budget")]):  # fmt: skip

        def hidden(known, state=state, reason=reason):
            return Decision(known, replace(known, state=state, impairment=reason, impaired_since_at=NOON))

        await store.change(f"mb_{number:04}", hidden, ADD)
    await upkeep.counts()
    await upkeep.impaired()
    assert gauge(upkeep, "mailwatch_impaired_mailboxes", provider="other", reason="secret_unreadable") == 2
    (told,) = upkeep.status()["impaired"]
    assert (told["reason"], told["mailboxes"]) == ("secret_unreadable", 2)
    assert "key ring" in told["sentence"]
    assert upkeep.sentence().endswith("; 2 cannot be looked at")


async def test_what_waits_behind_an_open_circuit_is_neither_late_nor_stale_and_hides_nobody_who_is(upkeep):
    hasty = Policy(0.001, confirm=ConfirmPolicy(secret_seconds=0.0), verify=VerifyPolicy(min_seconds=0.0))
    upkeep.retune(replace(upkeep.tuning, policy=hasty, circuit=CircuitPolicy()))
    dead = Incident("inc_1", Scope(ScopeKind.ENDPOINT, "imap.example.org"), Cause.SERVER_UNAVAILABLE, NOON, NOON, 4, 1.0)
    upkeep._circuits.follow([dead], upkeep._parts.clock.monotonic())
    seen = []
    for others in (0, 2):
        late = upkeep._parts.clock.now() - timedelta(hours=1)
        await add(upkeep._parts.store, *(password_mailbox(10 + number, host="slow.test") for number in range(others)), due_at=late)
        await upkeep.counts()
        await upkeep.troubles()
        names = ("mailwatch_due_mailboxes", "mailwatch_probe_lag_seconds", "mailwatch_stale_mailboxes")
        seen.append([round(gauge(upkeep, name), -1 if "lag" in name else 0) for name in names])
    assert seen == [[0, 0, 0], [2, 3600, 2]]


async def test_looks_put_off_for_a_host_that_refused_enough_are_counted_once_by_the_node_that_judges(upkeep, stage):
    slow = Pace(max_connections=1000, logins_per_minute=60_000.0, burst=1000)
    strict = replace(upkeep.tuning, other=slow)
    upkeep._dispatcher.retune(strict.policy, {}, slow, 100)
    start = upkeep._parts.clock.now()
    upkeep._put_off_to = start - timedelta(minutes=5)
    for _ in range(3):
        upkeep._dispatcher.hosts.refuse("imap.example.org", start)
    name, labels = "mailwatch_logins_withheld_total", {"reason": "host"}
    await upkeep.put_off()
    assert gauge(upkeep, name, **labels) == 0  # another node judges
    await upkeep.watch.evaluate()
    upkeep._put_off_to = start - timedelta(minutes=5)
    for _ in range(3):
        await upkeep.refusals()
        assert gauge(upkeep, name, **labels) == 4


async def test_a_place_with_more_mailboxes_than_its_pace_can_look_at_is_logged_once_and_told_by_the_status(upkeep, stage):
    slow = replace(upkeep.tuning, other=Pace(logins_per_minute=0.5))
    upkeep.retune(slow)
    await upkeep.counts()
    for _ in range(2):
        await upkeep.sweep()
    (logged,) = stage.log.named("pace.too_slow")
    assert (logged["gate"], logged["count"]) == ("host:imap.example.org", 4)
    (told,) = upkeep.status()["too_slow"]
    assert told == logged["reason"]
    assert "[providers.other] logins_per_minute" in told
    upkeep.retune(replace(slow, other=Pace()))
    await upkeep.sweep()
    assert upkeep.status()["too_slow"] == []


async def test_a_strict_host_that_is_left_alone_is_told_by_the_status(upkeep):
    assert upkeep.status()["quiet_hosts"] == []
    upkeep.retune(replace(upkeep.tuning, paces={"google": Pace(per_address_bans=False)}))
    for _ in range(3):
        for host in ("imap.example.org", "imap.gmail.com"):
            upkeep._dispatcher.hosts.refuse(host, upkeep._parts.clock.now())
    (told,) = upkeep.status()["quiet_hosts"]
    assert told.startswith("imap.example.org refused 3 logins within 10 min, so mailwatch leaves it alone until ")


async def test_a_node_that_only_serves_tells_of_no_backlog_since_it_knows_no_circuits(stage):
    await stage.fill(4)
    daemon = stage.daemon(role=Role.WEB)
    await daemon.parts.store.open()
    await daemon.upkeep.counts()
    assert gauge(daemon.upkeep, "mailwatch_due_mailboxes") == 0
    assert sum(daemon.upkeep.status()["states"].values()) == 4
    await daemon.parts.store.close()


async def test_what_an_incident_stopped_is_due_again_without_a_login_beyond_the_budget(upkeep):
    await block(upkeep)
    await upkeep._bring_back("mb_0000")
    standing = (await upkeep._parts.store.find("mb_0000")).standing
    assert (standing.state, standing.forced) == (State.RECONNECTING, False)
    await upkeep._bring_back("mb_0000")  # a person, or the first time, was quicker: nothing happens
    await upkeep._bring_back("mb_none")


async def test_declared_windows_reach_the_worker(upkeep):
    now = upkeep._parts.clock.now()
    window = Window("mw_1", "upgrade", None, now - timedelta(minutes=1), 3600.0)
    await upkeep._parts.store.maintenance.add(window, ADD)
    await upkeep.windows()
    assert [each.id for each in upkeep._worker.windows] == ["mw_1"]


async def test_bulk_actions_that_ended_a_month_ago_are_forgotten(upkeep, stage):
    store, now = upkeep._parts.store, upkeep._parts.clock.now()
    for name, days in (("job_old", 31), ("job_new", 29)):
        then = SqlStore(stage.url, Vault(stage.keyring), SetClock(now - timedelta(days=days)), node="then")
        await then.open()
        job = Job(name, BulkAction.PROBE, {}, "cli:test", "cli", now - timedelta(days=days), total=0)
        await then.jobs.begin(job, PageFilter(text="nobody"), ADD)  # what names nothing has ended
        await then.close()
    await upkeep.prune()
    assert await store.jobs.job("job_old") is None
    assert await store.jobs.job("job_new") is not None


def expiring(**apps):
    made = {name: {"kind": "google", "client_id": "x", "client_secret_expires": day} for name, day in apps.items()}
    return Settings.model_validate({"oauth": made})


async def test_when_client_secrets_end_is_told_at_the_start_and_after_a_reload(stage):
    tuning = replace(a_tuning(), settings=expiring(idp="2027-01-31"))
    upkeep = stage.daemon(tuning=tuning).upkeep
    name, labels = "mailwatch_oauth_app_secret_expiry_timestamp_seconds", {"oauth_app": "idp"}
    assert gauge(upkeep, name, **labels) == datetime(2027, 1, 31, tzinfo=UTC).timestamp()
    upkeep.retune(replace(tuning, settings=expiring(idp="2028-01-31")))
    assert gauge(upkeep, name, **labels) == datetime(2028, 1, 31, tzinfo=UTC).timestamp()
    upkeep.retune(replace(tuning, settings=Settings()))
    assert gauge(upkeep, name, **labels) == 0.0


async def test_the_size_of_the_databases_log_is_told_with_the_counts(upkeep, tmp_path):
    await upkeep._parts.store.maintenance.add(Window("mw_1", "upgrade", None, upkeep._parts.clock.now(), 3600.0), ADD)
    await upkeep.counts()
    there = (tmp_path / "mailwatch.db-wal").stat().st_size
    assert gauge(upkeep, "mailwatch_store_log_bytes") == there > 0
