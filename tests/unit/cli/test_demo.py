"""The demo as a person starts it, without a terminal."""

import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

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
    command = [sys.executable, "-c", HURRIED, "demo", "--mailboxes", "30", "--seconds", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wanted, heard = list(TOLD), []
        for line in process.stdout:
            heard.append(line)
            wanted = [pattern for pattern in wanted if not re.search(pattern, line)]
            if not wanted:
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate(timeout=30)
    assert (wanted, process.returncode, err) == ([], 0, ""), "".join(heard)
    assert re.search(r"[1-9]\d* mailbox(es)? brought back and verified", out)


@pytest.mark.slow
def test_it_ends_by_itself_when_its_time_is_over():
    done = subprocess.run([*COMMAND, "--seconds", "3"], capture_output=True, text=True, timeout=120)
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
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "Watched 30 mailboxes" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_metrics_are_served_on_the_port_asked_for(unused_tcp_port):
    with subprocess.Popen([*COMMAND, "--port", str(unused_tcp_port)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        text = ""
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{unused_tcp_port}/metrics", timeout=5) as answer:
                    text = answer.read().decode()
                break
            except OSError:
                time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert "mailwatch_mailboxes{" in text
    assert 'provider="hoster-a"' in text


def test_a_nonsensical_number_of_mailboxes_is_a_usage_error():
    done = subprocess.run(
        [sys.executable, "-m", "mailwatch", "demo", "--mailboxes", "0"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
