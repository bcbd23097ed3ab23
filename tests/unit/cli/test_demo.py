"""The demo as a person starts it, without a terminal."""

import asyncio
import re
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from mailwatch.cli import demo
from mailwatch.cli.live_board import Board
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import AuthKind, Mailbox
from mailwatch.core.standing import Standing, Transition
from mailwatch.monitor.live import Live
from mailwatch.ports import MailboxView
from mailwatch.sim import Script

COMMAND = [sys.executable, "-m", "mailwatch", "demo", "--mailboxes", "30"]


#: The demo with its story and its policy four times as fast.
HURRIED = """
from dataclasses import replace
from mailwatch.cli import demo_stage, main
from mailwatch.core.policy import BackoffPolicy, ConfirmPolicy, VerifyPolicy
from mailwatch.sim import scripts
from mailwatch.sim.script import Script

calm = demo_stage.policy
demo_stage.policy = lambda mailboxes: replace(
    calm(mailboxes),
    interval_seconds=2.5,
    confirm=ConfirmPolicy(min_seconds=0.3, max_seconds=0.6, secret_seconds=0.8),
    transient=BackoffPolicy(0.3, 2.0),
    verify=VerifyPolicy(successes=3, min_seconds=0.8, spacing_seconds=0.4),
)
scripts.OPENING = Script.of(
    replace(step, at_seconds=step.at_seconds / 4, duration_seconds=step.duration_seconds and step.duration_seconds / 4)
    for step in scripts.OPENING.steps
)
main()
"""
TOLD = (
    r"\(simulated\) hoster-a: outage begins",
    r" connected → suspect: ",
    r"suspect → reconnecting",
    r"verifying → connected: verified, sending may go on",
)


@pytest.mark.slow
def test_it_tells_of_failures_and_recoveries():
    command = [sys.executable, "-c", HURRIED, "demo", "--mailboxes", "30", "--seconds", "900"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wanted, heard = list(TOLD), []
        for line in process.stdout:
            heard.append(line)
            wanted = [pattern for pattern in wanted if not re.search(pattern, line)]
            if not wanted:
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate(timeout=180)
    assert (wanted, process.returncode, err) == ([], 0, ""), "".join(heard)
    assert re.search(r"[1-9]\d* mailbox(es)? brought back and verified", out)


@pytest.mark.slow
def test_it_ends_by_itself_when_its_time_is_over():
    done = subprocess.run([*COMMAND, "--seconds", "3"], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"Watched 30 mailboxes for \d+ s:", done.stdout)


@pytest.mark.slow
def test_an_interrupt_ends_it_in_order_and_leaves_nothing_behind(tmp_path):
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"TMPDIR": str(tmp_path)}
    ) as process:
        assert process.stdout is not None
        assert "watches 30 mailboxes" in process.stdout.readline()
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=180)
    assert (process.returncode, err) == (0, "")
    assert "Watched 30 mailboxes" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_metrics_are_served_on_the_port_asked_for(free_port):
    port = free_port()
    with subprocess.Popen([*COMMAND, "--port", str(port)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        text, end = "", time.monotonic() + 120
        while "mailwatch_mailboxes{" not in text and time.monotonic() < end:  # the first counts come a moment later
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
                    text = answer.read().decode()
            except OSError:
                pass
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=180)
    assert "mailwatch_mailboxes{" in text
    assert 'provider="hoster-a"' in text


def test_a_nonsensical_number_of_mailboxes_is_a_usage_error():
    done = subprocess.run(
        [sys.executable, "-m", "mailwatch", "demo", "--mailboxes", "0"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def fleet(number):
    return [Mailbox(f"mb_{n}", f"user{n}@a.example", "u", AuthKind.PASSWORD, None, None, "google", NOW) for n in range(number)]


def seen(box):
    return Transition(box.id, 1, NOW, State.PENDING, State.CONNECTED, Trigger.PROBE_SUCCEEDED)


class Audience:
    """Hears as the people of the demo do."""

    def __init__(self):
        self.heard = []

    def hear(self, mailbox, transition):
        self.heard.append((mailbox, transition))


class Stage:
    """As much of a world and a daemon as listening and telling take."""

    def __init__(self):
        self.parts = SimpleNamespace(live=Live())
        self.played = asyncio.Event()

    async def play(self, _script):
        self.played.set()


async def test_a_transition_right_after_the_start_is_heard():
    (box,), stage, people = fleet(1), Stage(), Audience()
    board = Board([box], NOW)
    async with demo._listening(stage, board, people):
        stage.parts.live.publish(box, seen(box))
        await asyncio.sleep(0)
        assert (board.unseen, people.heard) == (0, [(box, seen(box))])


class Shelf:
    """A store that pages like the real one."""

    def __init__(self, views):
        self.views = sorted(views, key=lambda view: view.mailbox.id)

    async def list(self, which):
        found = [v for v in self.views if not which.states or v.standing.state in which.states]
        return [v for v in found if which.after is None or v.mailbox.id > which.after][: which.limit]


@pytest.mark.parametrize("number", [3, 500, 501, 1250])
async def test_what_nobody_was_told_of_is_found_in_the_store_however_large_the_fleet(number):
    boxes, noticed = fleet(number), []
    board = Board(boxes, NOW)
    states = [State.BLOCKED if n == 1 else State.CONNECTED for n in range(number)]
    views = [MailboxView(box, Standing(box.id, at, NOW, NOW, version=1)) for box, at in zip(boxes, states, strict=True)]
    daemon = SimpleNamespace(parts=SimpleNamespace(store=Shelf(views)))
    people = SimpleNamespace(notice=lambda box, state, *_: noticed.append((box, state)))
    cursor = await demo._look(daemon, board, people, None)
    while cursor is not None:
        cursor = await demo._look(daemon, board, people, cursor)
    assert (board.unseen, board.counts()[State.BLOCKED]) == (0, 1)
    assert len(noticed) == number
    assert (boxes[1], State.BLOCKED) in noticed


async def test_the_story_begins_once_the_fleet_has_been_seen_and_no_sooner():
    boxes, stage = fleet(30), Stage()
    board = Board(boxes, NOW)
    telling = asyncio.create_task(demo._tell_story(stage, board, Script(), patience_seconds=3600, look_seconds=0.001))
    for box in boxes:
        await asyncio.sleep(0.002)
        assert not stage.played.is_set()
        board.learn(box, seen(box))
    await asyncio.wait_for(stage.played.wait(), 60)
    await demo._stopped(telling)


async def test_the_story_does_not_wait_for_ever_for_a_mailbox_that_nobody_gets_to_look_at():
    boxes, stage = fleet(30), Stage()
    board = Board(boxes, NOW)
    for box in boxes[1:]:
        board.learn(box, seen(box))
    telling = asyncio.create_task(demo._tell_story(stage, board, Script(), patience_seconds=0.05, look_seconds=0.001))
    await asyncio.wait_for(stage.played.wait(), 60)
    await demo._stopped(telling)
