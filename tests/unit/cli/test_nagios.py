"""`mailwatch nagios` against a daemon's real exposition, well and not, and against what is none."""

import re
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from mailwatch.cli import build
from mailwatch.cli.nagios import Threshold
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.telemetry.metrics import Metrics

NOW = datetime(2026, 3, 1, tzinfo=UTC)
#: "Plugin Output for Nagios": label=value[unit];[warn];[crit];[min];[max]
PERFDATA = re.compile(r"[a-z_]+=[0-9.]+(s|%)?(;[0-9.]*){0,4}")


def exposition(states, *, provider="google", lag=0.0, up=True, incidents=()):
    metrics = Metrics(["google", "microsoft"], "1")
    metrics.set_mailboxes({(provider, state): count for state, count in states.items()})
    metrics.set_due(0, lag)
    metrics.connectivity(up)
    metrics.set_incidents(incidents, lambda scope: scope.name)
    return metrics.exposition()[0]


@contextmanager
def serving(body, code=200):
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", server.asked
        finally:
            server.shutdown()
            thread.join()


def ask(url, *more):
    words = ["nagios", "--url", url, *more]
    said = CliRunner().invoke(build(words), words)
    assert len(said.stdout.splitlines()) == 1, said.output
    return said.exit_code, said.stdout.strip()


@pytest.mark.parametrize(
    ("broken", "code", "word"), [(0, 0, "OK"), (5, 0, "OK"), (6, 1, "WARNING"), (20, 1, "WARNING"), (21, 2, "CRITICAL")]
)
def test_more_than_a_share_broken_is_a_warning_or_worse(broken, code, word):
    with serving(exposition({State.CONNECTED: 100 - broken, State.RECONNECTING: broken})) as (url, asked):
        exit_code, line = ask(url)
    assert exit_code == code
    assert line.startswith(f"MAILWATCH {word} - {broken} of 100 mailboxes are disconnected | disconnected={broken};5;20;0;100 ")
    assert asked == ["/metrics"]


def test_thresholds_may_be_numbers():
    with serving(exposition({State.CONNECTED: 1000, State.BLOCKED: 3})) as (url, _):
        assert ask(url, "-w", "2", "-c", "50%")[0] == 1
        assert ask(url, "-w", "1", "-c", "2")[0] == 2
        assert ask(url, "-w", "3", "-c", "10")[0] == 0


def test_perfdata_has_the_form_of_the_guidelines():
    with serving(exposition({State.CONNECTED: 7}, lag=1.5)) as (url, _):
        _, line = ask(url)
    figures = line.partition(" | ")[2].split()
    assert all(PERFDATA.fullmatch(figure) for figure in figures)
    assert "connected=7;;;0;7" in figures
    assert "lag=1.500s;600;;0" in figures


def test_one_provider_is_judged_alone():
    text = exposition({State.CONNECTED: 1, State.BLOCKED: 9}, provider="microsoft")
    with serving(text) as (url, _):
        assert ask(url, "--provider", "google")[0] == 0
        assert ask(url, "--provider", "microsoft")[0] == 2
        code, line = ask(url, "--provider", "zzz")
    assert (code, line) == (3, "MAILWATCH UNKNOWN - --provider zzz: mailwatch knows google, microsoft, other")


def test_those_an_operator_disconnected_do_not_count():
    with serving(exposition({State.CONNECTED: 10, State.INACTIVE: 1000})) as (url, _):
        assert ask(url)[1].startswith("MAILWATCH OK - 0 of 10 mailboxes")


def test_open_incidents_are_told():
    place = Scope(ScopeKind.PROVIDER, "google")
    opened = Incident("inc_1", place, Cause.CONNECTION_TIMEOUT, NOW, NOW, 3, 0.9)
    with serving(exposition({State.CONNECTED: 97, State.RECONNECTING: 3}, incidents=[opened])) as (url, _):
        assert "3 of 100 mailboxes are disconnected, 1 incident open" in ask(url)[1]


def test_late_probes_are_a_warning():
    with serving(exposition({State.CONNECTED: 10}, lag=700.0)) as (url, _):
        code, line = ask(url)
    assert code == 1
    assert "probes are 700 s late" in line


def test_a_network_of_our_own_that_is_down_is_critical():
    with serving(exposition({State.CONNECTED: 10}, up=False)) as (url, _):
        code, line = ask(url)
    assert code == 2
    assert "mailwatch's own network is down" in line


@pytest.mark.parametrize(
    ("body", "code"), [(b"<html>", 200), (b"", 200), (b"# HELP x y\nx 1\n", 200), (b"\xff\xfe{", 200), (b"no", 403)]
)
def test_what_is_not_mailwatch_is_unknown(body, code):
    with serving(body, code) as (url, _):
        exit_code, line = ask(url)
    assert exit_code == 3
    assert line.startswith("MAILWATCH UNKNOWN - ")


def test_a_daemon_that_does_not_answer_is_unknown(free_port):
    code, line = ask(f"http://127.0.0.1:{free_port()}")
    assert code == 3
    assert line.startswith("MAILWATCH UNKNOWN - no daemon answers at http://127.0.0.1:")


def test_a_daemon_that_hangs_is_unknown():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code, line = ask(f"http://127.0.0.1:{listener.getsockname()[1]}", "-t", "0.2")
    assert code == 3
    assert "timed out" in line


@pytest.mark.parametrize(
    "words", [("-w", "x"), ("-c", "120%"), ("-w", "-1"), ("-w", "nan"), ("--url", "ftp://x"), ("--url", "http://[::1")]
)
def test_a_command_line_that_makes_no_sense_is_unknown(words):
    code, line = ask("http://127.0.0.1:1", *words)
    assert code == 3
    assert "UNKNOWN" in line


def test_a_share_of_an_empty_fleet_is_not_reached():
    assert not Threshold.parse("0%").reached(0, 0)
