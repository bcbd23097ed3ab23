"""`mailwatch nagios` against a daemon's real exposition, well and not, and against what is none."""

import asyncio
import re
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import bcrypt
import pytest
import trustme
from typer.testing import CliRunner

from fakes.ports import FakeLog
from fakes.web import Daemon
from mailwatch.cli import build
from mailwatch.cli.nagios import Threshold
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.telemetry.metrics import Metrics
from mailwatch.telemetry.told import STALE_SECONDS, ToldGauge
from mailwatch.web.app import make_app
from mailwatch.web.server import WebServer, listen
from mailwatch.web.web_config import WebConfigFile

NOW = datetime(2026, 3, 1, tzinfo=UTC)
#: "Plugin Output for Nagios": label=value[unit];[warn];[crit];[min];[max]
PERFDATA = re.compile(r"[a-z_]+=[0-9.]+(s|%)?(;[0-9.]*){0,4}")


def exposition(states, *, provider="google", lag=0.0, up=True, incidents=(), impaired=None):
    metrics = Metrics(["google", "microsoft"], "1")
    metrics.set_mailboxes({(provider, state): count for state, count in states.items()})
    metrics.set_due(0, lag)
    metrics.connectivity(up)
    metrics.set_incidents(incidents, lambda scope: scope.name)
    metrics.set_impaired({(provider, reason): count for reason, count in (impaired or {}).items()})
    return metrics.exposition()[0]


class Asked(list):
    """Paths that were asked for, and with which rights."""

    def __init__(self):
        super().__init__()
        self.rights = []


@contextmanager
def serving(body, code=200):
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            self.server.asked.rights.append(self.headers["authorization"])
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.asked = Asked()
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


def test_a_warning_behind_the_critical_state_is_refused():
    for limits in (("-w", "30%", "-c", "20%"), ("-w", "9", "-c", "2")):
        code, line = ask("http://127.0.0.1:1", *limits)
        assert (code, "the warning is to come before" in line) == (3, True)


def test_without_an_address_the_daemon_of_the_configuration_is_asked(tmp_path):
    with serving(exposition({State.CONNECTED: 1})) as (url, asked):
        config = tmp_path / "m.toml"
        config.write_text(f'[web]\nlisten = "127.0.0.1:{url.rpartition(":")[2]}"\n')
        words = ["nagios", "--config", str(config)]
        assert CliRunner().invoke(build(words), words).exit_code == 0
    assert asked == ["/metrics"]


def test_thresholds_may_be_numbers():
    with serving(exposition({State.CONNECTED: 1000, State.BLOCKED: 3})) as (url, _):
        assert ask(url, "-w", "2", "-c", "50%")[0] == 1
        assert ask(url, "-w", "1", "-c", "2")[0] == 2
        assert ask(url, "-w", "3", "-c", "10")[0] == 0


@pytest.mark.parametrize(("unseen", "code", "word"), [(0, 0, "OK"), (1, 1, "WARNING"), (30, 2, "CRITICAL"), (100, 2, "CRITICAL")])
def test_mailboxes_that_cannot_be_looked_at_are_not_passed_for_well(unseen, code, word):
    body = exposition({State.CONNECTED: 100}, impaired={"secret_unreadable": unseen} if unseen else None)
    with serving(body) as (url, _):
        exit_code, line = ask(url)
    assert (exit_code, line.split(" - ")[0]) == (code, f"MAILWATCH {word}")
    assert (f"{unseen} cannot be looked at (secret_unreadable)" in line) is bool(unseen)
    assert f" unseen={unseen};" in line


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


@contextmanager
def protected(folder, text):
    """mailwatch's own HTTP before a web_config of *text*, its metrics for its users; its URL."""
    (folder / "web.yml").write_text(text)
    body = exposition({State.CONNECTED: 10})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)

    async def render(_):
        return body, "text/plain"

    async def begin():
        file = WebConfigFile(folder / "web.yml", FakeLog())
        probing = replace(Daemon().probing(), render_metrics=render, web_config=file)
        server = WebServer(make_app(probing), listen("127.0.0.1:0"), web_config=file)
        server.start()
        return server

    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
        yield server.url
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def users():
    return f"basic_auth_users:\n  nagios: {bcrypt.hashpw('gehéim'.encode(), bcrypt.gensalt(4)).decode()}\n"


def test_a_user_of_the_web_config_is_admitted_with_the_password_from_a_file_or_the_environment(tmp_path, monkeypatch):
    (tmp_path / "right").write_text("gehéim\n")
    (tmp_path / "wrong").write_text("geheim\n")
    with protected(tmp_path, users()) as url:
        words = f"the daemon at {url} admits nobody without a right to it (401): give --user or --token-file"
        assert ask(url) == (3, f"MAILWATCH UNKNOWN - {words}")
        assert ask(url, "--user", "nagios", "--password-file", str(tmp_path / "right"))[0] == 0
        code, line = ask(url, "--user", "nagios", "--password-file", str(tmp_path / "wrong"))
        assert (code, "are user, password or token right?" in line) == (3, True)
        monkeypatch.setenv("MAILWATCH_NAGIOS_PASSWORD", "gehéim")
        assert ask(url, "--user", "nagios")[0] == 0
        assert ask(url, "--user", "nagios", "--password-file", str(tmp_path / "wrong"))[0] == 3


def test_a_private_authority_and_a_certificate_of_our_own_are_named_by_files(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert("nagios.example")
    server.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    client.private_key_pem.write_to_path(tmp_path / "client.key")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    tls = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.pem\n"
    tls += "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
    ca, certificate, key = (str(tmp_path / name) for name in ("ca.pem", "client.pem", "client.key"))
    with protected(tmp_path, tls) as url:
        assert url.startswith("https://")
        assert "CERTIFICATE_VERIFY_FAILED" in ask(url)[1]
        assert ask(url, "--ca-file", ca)[0] == 3
        assert ask(url, "--ca-file", ca, "--cert-file", certificate, "--key-file", key)[0] == 0
        for wrong in (("--ca-file", key), ("--ca-file", f"{ca}.none"), ("--ca-file", ca, "--cert-file", certificate)):
            code, line = ask(url, *wrong)
            assert (code, "cannot be used" in line) == (3, True), line


def test_a_token_is_sent_as_a_bearers(tmp_path):
    (tmp_path / "token").write_text("mwt_abc\n")
    with serving(exposition({State.CONNECTED: 1})) as (url, asked):
        assert ask(url, "--token-file", str(tmp_path / "token"))[0] == 0
        assert ask(url)[0] == 0
    assert asked.rights == ["Bearer mwt_abc", None]


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("--user", "nagios"), "its password is needed, in --password-file or in $MAILWATCH_NAGIOS_PASSWORD"),
        (("--user", "na:gios", "--password-file", "FULL"), "no colon"),
        (("--user", "nagios", "--password-file", "EMPTY"), "its first line is to be the secret"),
        (("--user", "nagios", "--password-file", "NONE"), "No such file"),
        (("--user", "nagios", "--password-file", "BINARY"), "no UTF-8"),
        (("--password-file", "FULL"), "needs the --user"),
        (("--user", "nagios", "--token-file", "FULL"), "two ways in"),
    ],
)
def test_a_right_that_is_not_whole_is_unknown_and_shows_no_secret(tmp_path, words, cure):
    for name, content in (("FULL", b"geheim"), ("EMPTY", b"\ngeheim"), ("BINARY", b"geheim\xff")):
        (tmp_path / name).write_bytes(content)
    named = [str(tmp_path / word) if word.isupper() else word for word in words]
    code, line = ask("http://127.0.0.1:1", *named)
    assert (code, cure in line, "geheim" in line) == (3, True, False), line


def test_a_daemon_that_cannot_read_its_database_knows_nothing_of_the_mailboxes(monkeypatch):
    monkeypatch.setattr(ToldGauge, "monotonic", staticmethod(lambda: 0.0))
    metrics = Metrics(["google"], "1")
    metrics.set_mailboxes({("google", State.CONNECTED): 7})
    monkeypatch.setattr(ToldGauge, "monotonic", staticmethod(lambda: STALE_SECONDS + 1))
    with serving(metrics.exposition()[0]) as (url, _):
        code, line = ask(url)
    assert (code, "has not been able to read its database for two minutes" in line) == (3, True)


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
