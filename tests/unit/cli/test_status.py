"""`mailwatch status` against a server that answers well, badly, with something else, or not at all."""

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from mailwatch.cli import build

WELL = {
    "version": "1.2.3",
    "node": "a[red]b",
    "states": {"connected": 5, "held": 1, "inactive": 2, "pending": 3},
    "due": 0,
    "lag_seconds": 0.0,
    "in_flight": 4,
    "self_connectivity": "up",
    "pending_rows": 0,
    "sentence": "5 connected",
}


class Asked(list):
    """Paths that were asked for, and with which rights."""

    def __init__(self):
        super().__init__()
        self.rights = []


@contextmanager
def serving(body, code=200, kind="application/json"):
    """The URL of a server that answers every GET with *body*; asked paths are in `asked`."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            self.server.asked.rights.append(self.headers["authorization"])
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

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
    words = ["status", "--url", url, *more]
    return CliRunner().invoke(build(words), words)


def test_where_mailboxes_are_too_many_for_the_pace_is_told():
    with serving(WELL | {"too_slow": ["mail.own.example: 5000 mailboxes …"]}) as (url, _):
        assert "too slow for the interval: mail.own.example: 5000 mailboxes" in ask(url).output
    with serving(WELL | {"too_slow": 7}) as (url, _):
        assert "too slow" not in ask(url).output


def test_a_host_that_is_left_alone_is_told():
    with serving(WELL | {"quiet_hosts": ["mail.own.example refused 3 logins …"]}) as (url, _):
        assert "  mail.own.example refused 3 logins" in ask(url).output
    with serving(WELL | {"quiet_hosts": 7}) as (url, _):
        assert ask(url).exit_code == 0


def test_mailboxes_that_cannot_be_looked_at_are_told_with_the_reason_and_are_not_well():
    fault = {"reason": "secret_unreadable", "mailboxes": 3, "sentence": "its stored secret cannot be opened."}
    with serving(WELL | {"impaired": [fault]}) as (url, _):
        said = ask(url)
    assert said.exit_code == 1
    assert "  3 cannot be looked at: secret_unreadable: its stored secret cannot be opened." in said.stdout.splitlines()


def test_a_fleet_that_is_well_ends_with_0():
    with serving(WELL) as (url, asked):
        said = ask(url)
    assert (said.exit_code, said.stderr) == (0, "")
    assert said.stdout.splitlines() == [
        "mailwatch 1.2.3 on a[red]b: 5 connected",
        "         5  connected",
        "         3  pending",
        "         2  inactive",
        "         1  held",
        "  0 due; 4 probes in flight",
    ]
    assert asked == ["/api/v1/status"]


@pytest.mark.parametrize("state", ["suspect", "reconnecting", "verifying", "blocked"])
def test_a_mailbox_that_is_not_well_ends_with_1(state):
    with serving(WELL | {"states": {"connected": 5, state: 1}, "due": 3, "lag_seconds": 1.26}) as (url, _):
        said = ask(url)
    assert said.exit_code == 1
    assert f"         1  {state}" in said.stdout
    assert "3 due, the oldest 1.3 s late" in said.stdout


def test_a_state_without_mailboxes_is_not_held_against_the_fleet():
    with serving(WELL | {"states": {"connected": 5, "blocked": 0}}) as (url, _):
        assert ask(url).exit_code == 0


def test_a_network_of_our_own_that_is_down_ends_with_1_and_says_so():
    with serving(WELL | {"self_connectivity": "down"}) as (url, _):
        said = ask(url)
    assert said.exit_code == 1
    assert "mailwatch's own network is down" in said.stdout


@pytest.mark.parametrize(("states", "code"), [({"connected": 5}, 0), ({"blocked": 1}, 1)])
def test_json_is_the_daemons_answer_and_the_exit_code_stays(states, code):
    with serving(WELL | {"states": states, "new_field": "ä"}) as (url, _):
        said = ask(url, "--json")
    assert said.exit_code == code
    assert json.loads(said.stdout) == WELL | {"states": states, "new_field": "ä"}


@pytest.mark.parametrize("code", [500, 503])
def test_a_daemon_in_trouble_ends_with_75(code):
    with serving(b"Internal Server Error", code) as (url, _):
        said = ask(url)
    assert said.exit_code == 75
    assert f"the daemon answered {code}" in said.stderr


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>hello</html>", 200),
        (b"", 200),
        (b"\xff\xfe", 200),
        ([], 200),
        ({}, 200),
        ({"status": "success"}, 200),
        (WELL | {"states": {"connected": "many"}}, 200),
        ({key: value for key, value in WELL.items() if key != "states"}, 200),
        (b"not found", 404),
        (b"log in first", 401),
    ],
)
def test_something_that_is_not_mailwatch_ends_with_69_and_is_not_called_absent(body, code):
    with serving(body, code) as (url, _):
        said = ask(url, "--json")
    assert (said.exit_code, said.stdout) == (69, "")
    assert f"something answers there ({code}), but not mailwatch" in said.stderr


def test_a_server_that_speaks_no_http_ends_with_69():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"* OK IMAP4rev1 ready\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        said = ask(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert said.exit_code == 69
    assert "is `mailwatch run` running?" in said.stderr


def test_nothing_listening_ends_with_69_and_the_cure(free_port):
    said = ask(f"http://127.0.0.1:{free_port()}")
    assert (said.exit_code, said.stdout) == (69, "")
    assert "no daemon answers there" in said.stderr
    assert "is `mailwatch run` running?" in said.stderr


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1:9725", "127.0.0.1:9725", "http://", "http://127.0.0.1:99999", "http://127.0.0.1:x", "http://[::1", ""],
)
def test_an_address_that_is_none_is_a_usage_error(url):
    said = ask(url)
    assert said.exit_code == 2
    assert "an http:// or https:// URL is needed" in said.stderr


def test_a_proxy_may_serve_it_below_a_path():
    with serving(WELL) as (url, asked):
        assert ask(f"{url}/mailwatch/").exit_code == 0
    assert asked == ["/mailwatch/api/v1/status"]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # nothing is bound there
@pytest.mark.parametrize("way", ["option", "variable", "folder"])
def test_without_an_address_the_daemon_of_the_configuration_is_asked(tmp_path, monkeypatch, way, host):
    config = tmp_path / "mailwatch.toml"
    words = ["status", "--config", str(config)] if way == "option" else ["status"]
    if way == "variable":
        monkeypatch.setenv("MAILWATCH_CONFIG", str(config))
    elif way == "folder":
        monkeypatch.chdir(tmp_path)
    with serving(WELL) as (url, asked):
        config.write_text(f'[web]\nlisten = "{host}:{url.rpartition(":")[2]}"\n')
        assert CliRunner().invoke(build(words), words).exit_code == 0
    assert asked == ["/api/v1/status"]


def test_a_configuration_that_was_named_and_cannot_be_used_is_told(tmp_path):
    words = ["status", "--config", str(tmp_path / "none.toml")]
    said = CliRunner().invoke(build(words), words)
    assert said.exit_code == 78
    assert "no such file" in said.stderr


def test_a_right_is_shown_from_a_file_and_asked_for_where_it_is_missing(tmp_path):
    token = tmp_path / "token"
    token.write_text("mw_canary\n")
    with serving({"code": "not_signed_in"}, 401, "application/problem+json") as (url, _):
        bare, with_token = ask(url), ask(url, "--token-file", str(token))
    assert (bare.exit_code, with_token.exit_code) == (77, 77)
    assert "give --token-file" in bare.stderr
    assert "is it the right token?" in with_token.stderr
    assert "mw_canary" not in with_token.output
    with serving(WELL) as (url, asked):
        assert ask(url, "--token-file", str(token)).exit_code == 0
    assert asked.rights == ["Bearer mw_canary"]
    assert ask(url, "--token-file", str(tmp_path / "none")).exit_code == 2


def test_certificates_that_cannot_be_used_are_told_by_their_file(tmp_path):
    (tmp_path / "ca.pem").write_text("none")
    said = ask("https://127.0.0.1:1", "--ca-file", str(tmp_path / "ca.pem"))
    assert said.exit_code == 2
    assert "ca.pem" in said.stderr


def test_the_address_may_come_from_the_environment(monkeypatch):
    with serving(WELL) as (url, _):
        monkeypatch.setenv("MAILWATCH_URL", url)
        assert CliRunner().invoke(build(["status"]), ["status"]).exit_code == 0
