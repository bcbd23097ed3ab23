"""The demo as a person starts it, without a terminal."""

import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

COMMAND = [sys.executable, "-m", "mailwatch", "demo", "--mailboxes", "30"]


@pytest.mark.slow
def test_it_tells_of_failures_and_recoveries_and_ends_by_itself():
    done = subprocess.run([*COMMAND, "--seconds", "50"], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "(simulated) hoster-a: outage begins" in done.stdout
    assert re.search(r"hoster-a\S* connected → suspect|\S+ connected → suspect: ", done.stdout)
    assert "suspect → reconnecting" in done.stdout
    assert "verifying → connected: verified, campaigns go on" in done.stdout
    assert re.search(r"Watched 30 mailboxes for \d+ s:", done.stdout)
    assert re.search(r"[1-9]\d* mailboxes brought back and verified", done.stdout)


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
