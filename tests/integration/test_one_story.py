"""Two tabs of a browser and the command line act on one mailbox at the same time, a hundred times, while it is probed: one story is left."""

import json
import random
import subprocess
import sys
import threading
from itertools import pairwise

import pytest

from integration.node import Node
from integration.operators import Program, browser_of, set_up

pytest_plugins = ("browser",)
pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.waiting]

ANA, BEN = "u00001@mail.test", "u00002@mail.test"
ACTS = ("disconnect", "reconnect", "hold", "release", "probe")
EACH_TAB, BY_HAND = 40, 20
SETTINGS = """
[campaigns]
ramp_after_seconds = 1
ramp_share = 1.0
"""
#: Begins in a tab, and goes on while the other tab and the command line do theirs.
START = """({ id, acts, spread }) => {
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  window.told = (async () => {
    const told = [];
    for (const act of acts) {
      await wait(Math.random() * spread);
      const body = act === "hold" ? JSON.stringify({ reason: "strategic_pause" }) : undefined;
      const headers = { "idempotency-key": crypto.randomUUID(), ...(body ? { "content-type": "application/json" } : {}) };
      const answer = await fetch(`/api/v1/mailboxes/${id}/${act}`, { method: "POST", headers, body });
      told.push([act, answer.status, (await answer.json()).version ?? null]);
    }
    return told;
  })();
}"""


class CommandLine(threading.Thread):
    """Somebody at a terminal."""

    def __init__(self, node, acts):
        super().__init__(name="command line")
        self._node, self._acts = node, acts
        self.told = []

    def run(self):
        for act in self._acts:
            more = ("--reason", "strategic_pause") if act == "hold" else ()
            command = [sys.executable, "-m", "mailwatch", "mailbox", act, ANA, *more, "--config", str(self._node.config)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            self.told.append((act, done.returncode, done.stdout + done.stderr))


def mixed(rng, number):
    """So many acts, each kind as often as another, in any order."""
    acts = [*ACTS] * (number // len(ACTS))
    rng.shuffle(acts)
    return acts


def test_one_consistent_story_is_left(start_dovecot, chromium, complaints, tmp_path):
    dovecot = start_dovecot()
    rng = random.Random(4)
    with Node(tmp_path / "node", dovecot.ca_file, interval=1, extra=SETTINGS) as node:
        node.add_users(
            ["u00001", "u00002"], f"imaps://localhost:{dovecot.imaps_port}", f"smtps://localhost:{dovecot.submissions_port}"
        )
        node.verb("campaign", "add", "autumn", "--mailbox", ANA)
        node.verb("campaign", "add", "winter", "--mailbox", ANA, "--mailbox", BEN)
        node.start()
        sender = Program(node, role="admin")
        node.wait(lambda: node.states() == {"connected": 2}, "both to be connected")
        ana = sender.get(f"/api/v1/mailboxes/{ANA}")["id"]
        by_hand = CommandLine(node, mixed(rng, BY_HAND))
        with browser_of(chromium, complaints) as context:
            first = context.new_page()
            set_up(first, node)
            second = context.new_page()
            second.goto(f"{node.url}/mailboxes/{ana}")
            by_hand.start()
            for tab in (first, second):  # begun in both before either is waited for
                tab.evaluate(START, {"id": ana, "acts": mixed(rng, EACH_TAB), "spread": 1200})
            in_tabs = [[*each] for tab in (first, second) for each in tab.evaluate("() => window.told")]
            by_hand.join()
            complaints.forgive(409)
        assert node.stop() == 0  # what is compared stands still
        check(node, ana, in_tabs, by_hand.told)
        check_ledger(node, ana)
        node.start()
        # Whatever was left, it can be brought back from there, and its campaigns by a person.
        state = sender.get(f"/api/v1/mailboxes/{ana}")["state"]
        if state in ("held", "inactive"):
            assert sender.ask("POST", f"/api/v1/mailboxes/{ana}/{'release' if state == 'held' else 'reconnect'}")[0] == 200
        node.wait(lambda: sender.get(f"/api/v1/mailboxes/{ana}")["state"] == "connected", "it to be connected")
        for campaign in ("autumn", "winter"):
            if sender.get(f"/api/v1/campaigns/{campaign}")["state"] == "paused":
                assert sender.ask("POST", f"/api/v1/campaigns/{campaign}/resume")[0] == 200
            assert sender.get(f"/api/v1/campaigns/{campaign}")["state"] == "active"
            node.wait(lambda: sender.get(f"/api/v1/mailboxes/{ana}/sending?campaign=autumn")["allowed"], "the gate to agree")
        assert node.stop() == 0
        check_ledger(node, ana)
        told = node.log.read_text()
        assert "request.failed" not in told
        assert "Traceback" not in told
        assert "crashed" not in told


def check(node, ana, in_tabs, by_hand):
    """The answers, the transitions, the audit log and the events tell the same."""
    assert len(in_tabs) + len(by_hand) == 2 * EACH_TAB + BY_HAND == 100
    assert {status for _, status, _ in in_tabs} <= {200, 409}
    assert {code for _, code, _ in by_hand} <= {0, 2}, by_hand
    accepted = sum(status == 200 for _, status, _ in in_tabs)
    assert accepted > 0
    # the transitions are a chain, and the versions count them
    steps = node.query(
        "SELECT version, from_state, to_state, trigger, actor FROM transitions WHERE mailbox_id = ? ORDER BY id", ana
    )
    assert [step[0] for step in steps] == list(range(1, len(steps) + 1))
    assert all(before[2] == after[1] for before, after in pairwise(steps))
    ((state, version),) = node.query("SELECT state, version FROM standings WHERE mailbox_id = ?", ana)
    assert version >= len(steps)
    # every act that was accepted has its row, by whom and as what; what was refused has none
    rows = node.query(
        "SELECT action, actor, state_before, state_after FROM audit WHERE mailbox_id = ? AND action != 'mailbox.add'", ana
    )
    for kind, told in (
        ("user:", [(act, status == 200) for act, status, _ in in_tabs]),
        ("cli:", [(a, c == 0) for a, c, _ in by_hand]),
    ):
        for act in ACTS:
            done = [row for row in rows if row[0] == f"mailbox.{act}" and row[1].startswith(kind)]
            assert len(done) == sum(good for name, good in told if name == act), (kind, act)
    assert {action for action, *_ in rows} <= {f"mailbox.{act}" for act in ACTS}
    # each change of state that a person made is one of these acts, in the audit log and in the history alike
    moved = [step[1:3] for step in steps if step[4] != "mailwatch"]
    assert sorted(moved) == sorted((before, after) for _, _, before, after in rows if before != after)
    # what is streamed and delivered is the same story
    events = [
        json.loads(content)
        for (content,) in node.query(
            "SELECT content FROM events WHERE mailbox_id = ? AND type = 'mailbox.transitioned' ORDER BY id", ana
        )
    ]
    assert [(event["version"], event["from"], event["to"]) for event in events] == [step[:3] for step in steps]
    print(
        f"{accepted} of {len(in_tabs)} in the tabs, {sum(c == 0 for _, c, _ in by_hand)} of {len(by_hand)} by hand; {len(steps)} steps, {state}"
    )


def check_ledger(node, ana):
    """The pauses, the campaigns' states and the events of campaigns agree with the state of the mailbox."""
    ((state,),) = node.query("SELECT state FROM standings WHERE mailbox_id = ?", ana)
    for campaign in ("autumn", "winter"):
        spans = node.query(
            "SELECT since_at, lifted_at, origin, ready_at, in_force FROM pauses WHERE campaign_id = ? ORDER BY id", campaign
        )
        assert all(span[4] for span in spans)
        assert all(before[1] is not None and before[1] <= after[0] for before, after in pairwise(spans))  # one at a time
        opened = [span for span in spans if span[1] is None]
        assert len(opened) <= 1
        assert node.query("SELECT state FROM campaigns WHERE id = ?", campaign) == [("paused" if opened else "active",)]
        if state in ("reconnecting", "verifying", "blocked", "held", "inactive"):
            assert opened, state
        if state == "inactive":
            assert opened[0][2] == "operator"
        for span in opened:
            assert (span[3] is not None) == (span[2] == "operator" and state in ("connected", "suspect")), (state, span)
        told = [
            kind
            for (kind,) in node.query(
                "SELECT type FROM events WHERE campaign_id = ? AND type IN ('campaign.paused', 'campaign.resumed') ORDER BY id",
                campaign,
            )
        ]
        assert told == [("campaign.paused", "campaign.resumed")[number % 2] for number in range(len(told))]
        assert (len(told) % 2 == 1) == bool(opened)
