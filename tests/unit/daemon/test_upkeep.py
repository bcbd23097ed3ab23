"""The coarse jobs of a daemon: gauges, incidents, windows, history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.fleet import ADD, NOON, SetClock, moved
from mailwatch.config import Settings
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.maintenance import Window
from mailwatch.core.policy import ConfirmPolicy, Policy, VerifyPolicy
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


async def test_mailboxes_nobody_looked_at_are_stale(upkeep):
    hasty = Policy(0.001, confirm=ConfirmPolicy(secret_seconds=0.0), verify=VerifyPolicy(min_seconds=0.0))
    upkeep.retune(replace(upkeep.tuning, policy=hasty))
    await upkeep.troubles()
    assert gauge(upkeep, "mailwatch_stale_mailboxes") == 4


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
