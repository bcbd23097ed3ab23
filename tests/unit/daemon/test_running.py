"""A whole daemon in this process: what it says while it starts, works, reloads and stops - also when something hangs."""

import asyncio
import contextlib
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest

from builders import a_report
from contract.fleet import add, moved, password_mailbox
from fakes.dialogues import finish, imap
from fakes.peer import ScriptedServer
from fakes.ports import FakeCanary
from fakes.probing import dialer
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import Depth, Endpoint
from mailwatch.core.watching import WatchRules
from mailwatch.daemon import SystemClock
from mailwatch.daemon import running as stages
from mailwatch.daemon.parts import Alerting, Role
from mailwatch.monitor.idle_watch import IdleWatch
from mailwatch.ports import MailwatchError, SchemaError, StoreUnavailableError
from mailwatch.ports.delivery import HttpAnswer
from mailwatch.probe import NetworkProber
from mailwatch.store import KeyRing
from mailwatch.telemetry.metrics import Metrics
from unit.daemon.conftest import a_tuning


async def get(daemon, path, method="GET"):
    async with aiohttp.ClientSession() as session, session.request(method, daemon.url + path) as answer:
        return answer.status, await answer.text()


async def metric(daemon, name):
    """The value of a metric without labels."""
    _, text = await get(daemon, "/metrics")
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


async def hangs(_assignment):
    await asyncio.Event().wait()


# --- start


async def test_it_is_ready_only_when_it_has_started_and_says_so_to_systemd(stage):
    daemon = stage.daemon()
    assert daemon._not_ready() == "starting"
    assert daemon.url == ""
    await daemon.start()
    assert await get(daemon, "/-/ready") == (200, "mailwatch is ready.\n")
    assert stage.systemd.told() == ["READY=1\nSTATUS=no mailboxes"]
    (started,) = stage.log.named("daemon.started")
    assert (started["url"], started["mailboxes"]) == (daemon.url, 0)
    await daemon.shutdown()
    assert stage.systemd.told() == ["STOPPING=1"]
    told = [event for _, event in stage.log.levels()]
    assert [event for event in told if event.startswith("daemon.")] == ["daemon.started", "daemon.stopping", "daemon.stopped"]


async def test_while_it_stops_it_is_not_ready_but_still_answers(stage):
    daemon = stage.daemon()
    await daemon.start()
    daemon.stop()
    assert await get(daemon, "/-/ready") == (503, "not ready: stopping\n")
    assert (await get(daemon, "/-/healthy"))[0] == 200
    await daemon.shutdown()


async def test_a_start_that_fails_leaves_port_database_and_network_free(stage):
    closed = []

    async def close():
        closed.append(True)

    first = stage.daemon()
    await first.start()
    address = first.url.removeprefix("http://")
    second = stage.daemon(listen="127.0.0.1:0", close=close)
    with pytest.raises(SchemaError, match="SQLite serves one node only"):
        await second.start()
    assert closed == [True]
    with pytest.raises(MailwatchError, match="is another mailwatch running"):
        await stage.daemon(listen=address).start()
    await first.shutdown()
    third = stage.daemon(listen=address)
    await third.start()
    await third.shutdown()


async def test_due_mailboxes_are_probed_and_told(stage):
    await stage.fill(3)
    daemon = stage.daemon()
    await daemon.start()
    await stage.until(lambda: len(stage.prober.assignments) == 3, "all to be probed")
    await daemon._counts()
    status = daemon.status()
    assert sum(status["states"].values()) == 3
    assert (status["node"], status["self_connectivity"], status["lag_seconds"]) == ("a", "up", 0.0)
    await daemon.shutdown()


async def test_an_egress_incident_is_told_when_it_begins_and_when_it_ends(stage):
    daemon = stage.daemon()
    daemon._connectivity_changed(False)
    assert stage.log.levels()[-1] == ("error", "egress.lost")
    daemon._connectivity_changed(True)
    assert stage.log.levels()[-1] == ("info", "egress.restored")


async def test_an_act_that_makes_a_mailbox_due_waits_for_no_tick(stage):
    await stage.fill(1)
    daemon = stage.daemon(tick_seconds=60.0)
    await daemon.start()
    daemon._rouse()
    await stage.until(lambda: len(stage.prober.assignments) == 1, "the mailbox to be probed")
    await daemon.shutdown()


async def test_a_node_that_only_probes_serves_no_page(stage):
    daemon = stage.daemon(role=Role.PROBE)
    await daemon.start()
    assert (await get(daemon, "/-/ready"))[0] == 200
    assert (await get(daemon, "/sign-in"))[0] == 404
    await daemon.shutdown()


async def test_a_node_that_only_serves_probes_nothing(stage):
    await stage.fill(1)
    daemon = stage.daemon(role=Role.WEB)
    await daemon.start()
    assert (await get(daemon, "/sign-in"))[0] == 200
    await asyncio.sleep(0.2)
    assert stage.prober.assignments == []
    await daemon.shutdown()


# --- stop


async def test_a_probe_in_flight_may_end_and_its_result_is_kept(stage):
    await stage.fill(1)
    may_end = asyncio.Event()

    async def slow(_assignment):
        await may_end.wait()
        return a_report(at=daemon.parts.clock.now())

    stage.prober.script["mb_0000"] = slow
    daemon = stage.daemon()
    await daemon.start()
    await stage.until(lambda: stage.prober.running == 1, "the probe to run")
    stopping = asyncio.create_task(daemon.shutdown())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    may_end.set()
    await stopping
    assert stage.log.named("daemon.stopped") == [{"cancelled": 0}]
    again = stage.store()
    await again.open()
    assert (await again.find("mb_0000")).standing.state is State.CONNECTED
    await again.close()


async def test_a_probe_that_hangs_is_cancelled_and_the_stop_stays_bounded(stage, monkeypatch):
    monkeypatch.setattr(stages, "DRAIN_SECONDS", 0.1)
    await stage.fill(2)
    stage.prober.script["mb_0000"] = hangs
    daemon = stage.daemon()
    await daemon.start()
    await stage.until(lambda: len(stage.prober.assignments) == 2, "both probes to start")
    await daemon.shutdown()
    assert stage.log.named("daemon.stopped") == [{"cancelled": 1}]
    assert stage.prober.running == 0
    # The database is free at once: the probe that was given up holds no lock.
    again = stage.daemon()
    await again.start()
    await again.shutdown()


async def test_stops_while_a_provider_hangs_cost_its_mailboxes_no_logins(stage, monkeypatch):
    monkeypatch.setattr(stages, "DRAIN_SECONDS", 0.1)
    await stage.fill(2)
    stage.prober.script = {"mb_0000": hangs, "mb_0001": hangs}  # nobody has sent a secret
    for _ in range(3):
        stage.prober.assignments.clear()
        daemon = stage.daemon()
        await daemon.start()
        await stage.until(lambda: len(stage.prober.assignments) == 2, "both to be looked at")
        assert {assignment.depth for assignment in stage.prober.assignments} == {Depth.LOGIN}
        await daemon.shutdown()
    store = stage.store()
    await store.open(daemon=True)
    assert [(await store.find(f"mb_000{number}")).standing.lost_at for number in range(2)] == [(), ()]
    assert await store.refusals_since(SystemClock().now() - timedelta(hours=1)) == {}
    await store.close()


async def test_a_stop_that_cuts_a_login_short_counts_it_once_at_once(stage, monkeypatch):
    monkeypatch.setattr(stages, "DRAIN_SECONDS", 0.1)
    await stage.fill(1)

    async def hangs_behind_its_login(assignment):
        assignment.sent.secret = True
        await hangs(assignment)

    stage.prober.script["mb_0000"] = hangs_behind_its_login
    daemon = stage.daemon()
    await daemon.start()
    await stage.until(lambda: stage.prober.running == 1, "the probe to run")
    await daemon.shutdown()
    for daemon in (False, True):
        store = stage.store()
        await store.open(daemon=daemon)
        assert len((await store.find("mb_0000")).standing.lost_at) == 1
        assert [len(seen) for seen in (await store.refusals_since(SystemClock().now() - timedelta(hours=1))).values()] == [1]
        await store.close()


def test_all_stages_of_a_stop_fit_into_twenty_seconds():
    assert stages.DRAIN_SECONDS + 1.0 + stages.NETWORK_CLOSE_SECONDS + stages.CLOSE_SECONDS < 20


async def test_what_cannot_be_closed_is_told_and_holds_nothing_up(stage):
    async def never():
        await asyncio.Event().wait()

    daemon = stage.daemon(close=never)
    await daemon.start()
    await daemon.shutdown()
    assert stage.log.named("network.not_closed") == [{"exception": "TimeoutError"}]
    assert stage.log.levels()[-1] == ("info", "daemon.stopped")


async def test_a_signal_ends_it(stage):
    daemon = stage.daemon()
    running = asyncio.create_task(daemon.run())
    await stage.until(lambda: stage.log.named("daemon.started"), "it to start")
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    assert stage.log.levels()[-1] == ("info", "daemon.stopped")


async def test_a_hangup_reloads_and_a_bug_in_that_does_not_end_the_hearing_of_signals(stage):
    read = []

    async def reload():
        read.append(True)
        if len(read) == 1:
            raise ZeroDivisionError("secret words")
        return a_tuning(max_in_flight=7)

    daemon = stage.daemon(reload=reload)
    running = asyncio.create_task(daemon.run())
    await stage.until(lambda: stage.log.named("daemon.started"), "it to start")
    os.kill(os.getpid(), signal.SIGHUP)
    await stage.until(lambda: stage.log.named("config.not_reloaded"), "the bug to be told")
    assert stage.log.named("config.not_reloaded")[0]["error"] == "mailwatch could not read it: ZeroDivisionError; the log has more"
    os.kill(os.getpid(), signal.SIGHUP)
    await stage.until(lambda: stage.log.named("config.reloaded"), "the second reload")
    daemon.stop()
    await running


SECOND_SIGNAL = """
import asyncio, os, random, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from unit.daemon.conftest import Stage, Systemd
from mailwatch.store import migrate

async def hangs(_assignment):
    print("hangs", flush=True)
    await asyncio.Event().wait()

async def main():
    folder = Path(sys.argv[2])
    stage = Stage(folder, Systemd(folder / "notify"))
    await migrate(stage.url)
    await stage.fill(1)
    stage.prober.script["mb_0000"] = hangs
    await stage.daemon().run()

asyncio.run(main())
"""


def test_a_second_signal_ends_the_process_at_once(tmp_path, repository):
    command = [sys.executable, "-c", SECOND_SIGNAL, str(repository / "tests"), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "hangs\n"
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert process.poll() is None  # it waits for the probe
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 128 + signal.SIGTERM


# --- reload


async def test_a_reload_puts_new_values_in_force_and_tells_systemd_when_it_begins_and_ends(stage):
    async def reload():
        return a_tuning(max_in_flight=7, interval_seconds=60.0)

    daemon = stage.daemon(reload=reload)
    await daemon.start()
    stage.systemd.told()
    assert await get(daemon, "/-/reload", "POST") == (200, "reloaded\n")
    assert daemon.worker.policy.interval_seconds == 60.0
    assert daemon.dispatcher._max_in_flight == 7
    told = [datagram.split("\n")[0] for datagram in stage.systemd.told()]
    assert told == ["RELOADING=1", "READY=1"]
    await daemon.shutdown()


async def test_a_bad_configuration_keeps_the_old_values_and_shows_in_the_metric_until_it_is_mended(stage):
    faults = ["mailwatch.toml:3:1: unknown key"]

    async def reload():
        if faults:
            raise MailwatchError(faults.pop())
        return a_tuning(interval_seconds=60.0)

    daemon = stage.daemon(reload=reload)
    await daemon.start()
    assert await metric(daemon, "mailwatch_config_last_reload_successful") == 1.0
    before = daemon.worker.policy
    status, words = await get(daemon, "/-/reload", "POST")
    assert status == 500
    assert "mailwatch.toml:3:1: unknown key" in words
    assert daemon.worker.policy is before
    assert stage.log.named("config.not_reloaded") == [{"error": "mailwatch.toml:3:1: unknown key"}]
    assert await metric(daemon, "mailwatch_config_last_reload_successful") == 0.0
    assert (await get(daemon, "/-/ready"))[0] == 200
    assert stage.systemd.told()[-1].startswith("READY=1")
    assert await daemon.reload() is None
    assert await metric(daemon, "mailwatch_config_last_reload_successful") == 1.0
    await daemon.shutdown()


async def test_reloads_asked_for_at_once_follow_each_other(stage):
    reading, most = 0, 0

    async def reload():
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await asyncio.sleep(0.01)
        reading -= 1
        return a_tuning()

    daemon = stage.daemon(reload=reload)
    assert await asyncio.gather(*(daemon.reload() for _ in range(5))) == [None] * 5
    assert most == 1


async def test_without_a_file_a_reload_says_that_there_is_none(stage):
    assert await stage.daemon().reload() == "this daemon was started without a configuration file"


# --- progress


def stuck(daemon):
    """Who has not beaten since `rest`."""
    return {name for name, part in daemon._progress.items() if part.beaten == 0.0}


def rest(daemon):
    for part in daemon._progress.values():
        part.beaten = 0.0


async def test_the_watchdog_watches_scheduler_prober_and_writer(stage):
    daemon = stage.daemon()
    await daemon.start()
    rest(daemon)
    assert stuck(daemon) == {"scheduler", "prober", "writer"}
    await stage.until(lambda: not stuck(daemon), "all to beat")
    await daemon.shutdown()


async def test_systemd_is_fed_while_all_is_well(stage):
    daemon = stage.daemon(watchdog_seconds=0.1)
    running = asyncio.create_task(daemon.run())
    heard = []
    await stage.until(lambda: heard.extend(stage.systemd.told()) or heard.count("WATCHDOG=1") >= 3, "the watchdog to be fed")
    daemon.stop()
    await running


async def test_probes_that_all_hang_stop_the_prober_s_beat(stage, monkeypatch):
    monkeypatch.setattr(stages, "DRAIN_SECONDS", 0.1)
    await stage.fill(3)
    stage.prober.script = {f"mb_000{number}": hangs for number in range(3)}
    daemon = stage.daemon(tuning=a_tuning(max_in_flight=2))
    await daemon.start()
    await stage.until(lambda: stage.prober.running == 2, "every place to be taken")
    rest(daemon)
    await daemon._tick()
    assert "prober" in stuck(daemon)
    await daemon.shutdown()


async def test_a_prober_whose_places_are_filled_again_at_once_is_not_called_stuck(stage, monkeypatch):
    monkeypatch.setattr(stages, "DRAIN_SECONDS", 0.1)
    await stage.fill(3)
    stage.prober.script = {f"mb_000{number}": hangs for number in range(3)}
    daemon = stage.daemon(tuning=a_tuning(max_in_flight=2), tick_seconds=3600.0)
    await daemon.start()
    await daemon._tick()
    await stage.until(lambda: stage.prober.running == 2, "every place to be taken")
    next(iter(daemon.dispatcher._tasks)).cancel()
    await stage.until(lambda: daemon.dispatcher.in_flight == 1, "one to end")
    rest(daemon)
    await daemon._tick()
    assert daemon.dispatcher.in_flight == 2
    assert "prober" not in stuck(daemon)
    await daemon.shutdown()


async def test_a_database_that_is_away_is_no_reason_for_a_restart(stage, tmp_path):
    await stage.fill(1)
    daemon = stage.daemon(tick_seconds=3600.0)
    await daemon.start()
    rest(daemon)
    other = sqlite3.connect(tmp_path / "mailwatch.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError):
        await daemon._tick()
    other.execute("ROLLBACK")
    other.close()
    assert stuck(daemon) == set()
    await daemon.shutdown()


async def test_a_job_that_crashes_is_told_and_its_scheduler_does_not_beat(stage):
    daemon = stage.daemon()

    async def bug(*_, **__):
        raise ZeroDivisionError

    daemon.dispatcher.tick = bug
    await daemon.start()
    await stage.until(lambda: stage.log.named("job.crashed"), "the bug to be told")
    rest(daemon)
    count = len(stage.log.named("job.crashed"))
    await stage.until(lambda: len(stage.log.named("job.crashed")) > count + 2, "more of it")
    assert "scheduler" in stuck(daemon)
    await daemon.shutdown()


# --- duties


async def test_the_canary_is_asked_and_history_pruned_when_their_jobs_come(stage):
    canary = FakeCanary(up=True)
    daemon = stage.daemon(canary=canary)
    await daemon.start()
    jobs = {job.name: job for job in daemon._jobs()}
    assert set(jobs) >= {"tick", "counts", "refusals", "canary", "retention"}
    for name in ("counts", "refusals", "canary", "retention"):
        await jobs[name].run()
    assert canary.asked == 1
    assert stage.log.named("history.pruned") == [{"rows": 0}]
    await daemon.shutdown()


async def test_a_result_the_database_refuses_is_logged_by_mailbox_and_type_alone(stage):
    daemon = stage.daemon()
    daemon._dropped("mb_1", ValueError("secret words"))
    assert stage.log.events == [("error", "result.not_stored", {"mailbox": "mb_1", "exception": "ValueError"})]


async def test_an_exception_nobody_caught_is_logged_by_its_type(stage):
    daemon = stage.daemon()
    daemon._unhandled(asyncio.get_running_loop(), {"message": "Task was destroyed", "exception": ValueError("secret words")})
    assert stage.log.events == [("error", "loop.exception", {"exception": "ValueError", "message": "Task was destroyed"})]


async def test_alertmanager_is_told_of_what_this_node_finds_while_it_is_the_one_that_looks(stage):
    class Poster:
        def __init__(self):
            self.alerts = set()

        async def post(self, url, headers, body, *, timeout_seconds):
            self.alerts |= {row["labels"]["alertname"] for row in json.loads(body)}
            return HttpAnswer(200, {}, b"")

    poster, clock = Poster(), SystemClock()
    await stage.fill(2)
    store = stage.store("setup")
    await store.open()
    for claim in await store.claim_due(clock.now(), 10, 60):
        moves = moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, at=clock.now(), cause=Cause.PASSWORD_EXPIRED)
        await store.record(claim, replace(moves, after=replace(moves.after, due_at=clock.now() + timedelta(hours=1))))
    await store.close()
    daemon = stage.daemon(alerting=Alerting(poster, ("http://127.0.0.1:9093",)))
    await daemon.start()
    await daemon._incidents()
    await stage.until(lambda: poster.alerts == {"MailwatchMailboxesNeedPerson"}, "the alert")
    await daemon.shutdown()


async def test_a_node_whose_clock_is_wrong_claims_and_sweeps_nothing_and_says_so(stage):
    await stage.fill(1)
    daemon = stage.daemon(tick_seconds=3600.0)
    skew, swept = [65.0], []

    async def ahead():
        return skew[0]

    async def sweep():
        swept.append(True)

    daemon.shared_clock._skew = ahead
    daemon.upkeep.sweep = sweep
    await daemon.start()
    await daemon._tick()
    jobs = {job.name: job for job in daemon._jobs()}
    await jobs["sweep"].run()
    assert (stage.prober.assignments, swept) == ([], [])
    assert await metric(daemon, "mailwatch_clock_skew_seconds") == 65.0
    assert stage.log.named("clock.differs")
    skew[0] = 0.1
    await jobs["clock"].run()
    await daemon._tick()
    await jobs["sweep"].run()
    await stage.until(lambda: len(stage.prober.assignments) == 1, "the mailbox to be probed")
    assert swept == [True]
    await daemon.shutdown()


# --- sessions that stay open


class Watched:
    """A daemon that watches one mailbox at a scripted server; `ends` holds what its sessions are told, one after the other."""

    def __init__(self, stage, certificates):
        self.stage, self.certificates = stage, certificates
        self.ends, self.may_end = [], asyncio.Event()

    async def idle(self, peer):
        await peer.say(b"+ idling\r\n")
        await self.may_end.wait()
        if not self.ends:
            await asyncio.Event().wait()
        await peer.say(self.ends.pop(0))
        await finish(peer)

    @contextlib.asynccontextmanager
    async def running(self):
        stage, store = self.stage, self.stage.store()
        idle = self.idle if self.ends else b"+ idling\r\n"
        async with ScriptedServer(imap({"IDLE": idle}), tls=self.certificates.server()).running() as server:
            self.server = server
            setup = stage.store("setup")
            await setup.open()
            box = password_mailbox(0, imap=Endpoint.parse(f"imaps://localhost:{server.port}"), smtp=None)
            await add(setup, box, due_at=SystemClock().now())
            await setup.close()
            metrics, tuning = Metrics([], "1"), a_tuning(interval_seconds=3600.0)
            watch = IdleWatch(
                mailboxes=store.watching,
                meter=metrics,
                log=stage.log,
                clock=SystemClock(),
                rng=random.Random(1),
                rules=WatchRules(("*",)),
                pace_of=tuning.pace_of,
            )
            prober = NetworkProber(dialer(self.certificates.ca_file), None, SystemClock(), keeper=watch)
            self.daemon = stage.daemon(
                store=store, prober=prober, metrics=metrics, tuning=replace(tuning, watch=WatchRules(("*",))), idle_watch=watch
            )
            self.watch = watch
            await self.daemon.start()
            await stage.until(lambda: self.logins == 1 and watch.open == 1, "the mailbox to be watched")
            yield self
            await self.daemon.shutdown()

    @property
    def logins(self):
        return sum(b"AUTHENTICATE" in line for line in self.server.heard)

    async def causes(self):
        """Causes of the ends of sessions, as the metric has them."""
        _, text = await get(self.daemon, "/metrics")
        found = re.findall(r'^mailwatch_watch_ends_total\{cause="(\w+)"\} ([1-9]\S*)$', text, re.MULTILINE)
        return {cause: float(count) for cause, count in found}


@pytest.mark.parametrize(
    "words",
    [b"Session expired, please login again.", b"Autologout; idle for too long", b"Server closing idle connection."],
)
async def test_an_announced_end_of_an_open_session_is_looked_at_at_once_and_is_no_transition(stage, certificates, words):
    watched = Watched(stage, certificates)
    watched.ends = [b"* BYE " + words + b"\r\n"]
    async with watched.running():
        watched.may_end.set()
        await stage.until(lambda: watched.logins == 2 and watched.watch.open == 1, "it to be probed again, and watched")
        assert await watched.causes() == {"session_expired": 1.0}
        assert [step["to_state"] for step in stage.log.named("mailbox.transitioned")] == [State.CONNECTED]
        (line,) = stage.log.named("watch.ended")
        assert line["quote"] == "BYE " + words.decode()
        assert not [event for level, event in stage.log.levels() if level == "error"]


async def test_a_stop_closes_an_open_session_and_leaves_nothing_behind(stage, certificates):
    watched = Watched(stage, certificates)
    async with watched.running():
        await stage.until(lambda: any(b" IDLE" in line for line in watched.server.heard), "the session to idle")
        await watched.daemon.shutdown()
        assert watched.watch.open == 0
        await stage.until(lambda: watched.server.heard[-1] == b"", "the server to see the end")
        assert not stage.log.named("watch.ended")


async def test_a_reload_that_watches_nobody_any_more_ends_the_open_sessions(stage, certificates):
    watched = Watched(stage, certificates)
    async with watched.running():
        await stage.until(lambda: any(b" IDLE" in line for line in watched.server.heard), "the session to idle")
        watched.daemon._retune(replace(watched.daemon._tuning, watch=WatchRules()))
        await stage.until(lambda: any(b"LOGOUT" in line for line in watched.server.heard), "the goodbye")
        assert watched.watch.open == 0
        assert watched.logins == 1


async def test_secrets_that_no_key_of_the_ring_opens_are_told_at_the_start_and_by_the_status(stage):
    await stage.fill(3)
    sealed_with, stage.keyring = stage.keyring.active, KeyRing.generate()
    daemon = stage.daemon()
    await daemon.start()
    (told,) = stage.log.named("keys.missing")
    assert (told["key"], told["count"]) == (sealed_with, 3)
    assert await daemon.parts.store.node_keys.lacking(sealed_with, daemon.parts.clock.now()) == ["a"]
    await daemon.shutdown()


async def test_a_daemon_that_stopped_is_not_waited_for_by_a_rotation(stage):
    daemon = stage.daemon()
    await daemon.start()
    await daemon.shutdown()
    store = stage.store()
    await store.open()
    assert await store.node_keys.lacking("another", daemon.parts.clock.now()) == []
    assert not stage.log.named("keys.missing")
    await store.close()
