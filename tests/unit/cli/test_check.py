"""`mailwatch check` from the outside: a process, its output, its exit code."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pytest

from fakes.certificates import Certificates
from fakes.dialogues import imap, smtp
from fakes.peer import ScriptedServer
from fakes.probing import PASSWORD


class Servers:
    """An IMAP and a submission server on threads of their own."""

    def __init__(self, imap_script: Any, smtp_script: Any, tls: Any) -> None:
        self._scripts = (ScriptedServer(imap_script, tls=tls), ScriptedServer(smtp_script, tls=tls))
        self._ready, self._over = Event(), None
        self._thread = Thread(target=lambda: asyncio.run(self._run()))
        self.tls = tls

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(lambda *_: None)
        async with self._scripts[0].running(), self._scripts[1].running():
            self._ready.set()
            await self._over.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(120)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._over is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    @property
    def heard(self) -> bytes:
        return b"".join(self._scripts[0].heard + self._scripts[1].heard)

    @property
    def options(self) -> list[str]:
        s = "s" if self.tls else ""
        return ["--imap", f"imap{s}://localhost:{self._scripts[0].port}", "--smtp", f"smtp{s}://localhost:{self._scripts[1].port}"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def serve(certificates: Certificates) -> Iterator[Any]:
    with ExitStack() as running:

        def start(
            imap_quirks: dict[str, Any] | None = None, smtp_quirks: dict[str, Any] | None = None, *, tls: bool = True
        ) -> Servers:
            return running.enter_context(Servers(imap(imap_quirks), smtp(smtp_quirks), certificates.server() if tls else None))

        yield start


def check(*options: str, secret: str | None = PASSWORD, ca: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mailwatch", "check", *options]
    if ca is not None:
        command += ["--ca-file", str(ca)]
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        command, input=f"{secret}\n" if secret is not None else "", capture_output=True, text=True, check=False, env=env
    )


def test_a_healthy_mailbox_is_told_phase_by_phase_with_exit_0(serve: Any, certificates: Certificates) -> None:
    servers = serve()
    done = check("anna@example.org", *servers.options, "--password-stdin", ca=certificates.ca_file)
    assert done.returncode == 0, done.stderr
    assert "anna@example.org is healthy" in done.stdout
    assert all(phase in done.stdout for phase in ("resolve", "connect", "tls", "greeting", "auth", "select", "quit"))
    assert "> AUTHENTICATE PLAIN ***" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    assert done.stderr == ""


def test_a_healthy_mailbox_as_json_has_no_cause(serve: Any, certificates: Certificates) -> None:
    servers = serve()
    done = check("anna@example.org", *servers.options, "--password-stdin", "--json", "--depth", "submit", ca=certificates.ca_file)
    document = json.loads(done.stdout)
    assert (done.returncode, document["address"], document["healthy"]) == (0, "anna@example.org", True)
    for name, phases in (("imap", {"auth", "select"}), ("smtp", {"auth", "submit"})):
        channel = document["channels"][name]
        assert channel["healthy"] is True
        assert all(
            channel[field] is None for field in ("cause", "disposition", "category", "owner", "sentence", "confidence", "evidence")
        )
        assert phases <= set(channel["timings_seconds"])
        assert channel["conversation"]
    assert b"RCPT TO:<anna@example.org>" in servers.heard
    assert b"DATA" not in servers.heard


def test_a_refused_password_is_diagnosed_with_exit_1_and_shown_to_one_server_only(serve: Any, certificates: Certificates) -> None:
    servers = serve({"AUTHENTICATE": b"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials\r\n"})
    done = check("anna@example.org", *servers.options, "--password-stdin", "--json", ca=certificates.ca_file)
    document = json.loads(done.stdout)
    assert (done.returncode, document["healthy"]) == (1, False)
    found = document["channels"]["imap"]
    assert (found["phase"], found["cause"], found["disposition"], found["category"], found["owner"]) == (
        "auth",
        "invalid_credentials",
        "human",
        "authentication",
        "mailbox_owner",
    )
    assert found["evidence"] == {
        "exception": None,
        "code": None,
        "enhanced": None,
        "response": "NO [AUTHENTICATIONFAILED] Invalid credentials",
    }
    assert found["sentence"]
    assert document["channels"]["smtp"]["withheld_reason"] == "other_channel"
    assert b"AUTH PLAIN" not in servers.heard


def test_a_person_is_told_the_cause_the_words_and_the_steps(serve: Any, certificates: Certificates) -> None:
    servers = serve(None, {"AUTH": b"535-5.7.8 Username and Password not accepted [red]x\r\n535 5.7.8 bye\r\n"})
    done = check("anna@example.org", *servers.options, "--password-stdin", ca=certificates.ca_file)
    assert done.returncode == 1
    assert "invalid_credentials" in done.stdout
    assert "server says: 535 5.7.8 Username and Password not accepted [red]x 5.7.8 bye" in done.stdout
    assert "  1. " in done.stdout
    assert "anna@example.org is not healthy" in done.stdout


def test_a_login_without_tls_is_warned_of(serve: Any) -> None:
    servers = serve(tls=False)
    done = check("anna@example.org", *servers.options, "--password-stdin", "--username", "other-name")
    assert done.returncode == 0, done.stdout
    assert done.stderr.count("warning: ") == 2
    assert base64.b64encode(b"\0other-name\0" + PASSWORD.encode()) in servers.heard


def test_a_token_logs_in_by_oauth(serve: Any, certificates: Certificates) -> None:
    servers = serve()
    done = check("anna@example.org", *servers.options, "--token-stdin", secret="to-ken", ca=certificates.ca_file)
    assert done.returncode == 0, done.stdout
    assert b"AUTHENTICATE XOAUTH2" in servers.heard
    assert b"AUTH XOAUTH2" in servers.heard


def test_an_expired_token_is_told_as_such(serve: Any, certificates: Certificates) -> None:
    challenge = b"+ " + base64.b64encode(b'{"status":"401"}') + b"\r\n"
    servers = serve({"AUTHENTICATE": challenge, "CHALLENGE": b"{tag} NO no\r\n"})
    done = check("anna@example.org", *servers.options, "--token-stdin", "--json", secret="to-ken", ca=certificates.ca_file)
    assert json.loads(done.stdout)["channels"]["imap"]["cause"] == "oauth_token_expired"
    assert done.returncode == 1


def test_an_unknown_authority_is_told_in_the_tls_phase(serve: Any) -> None:
    servers = serve()
    done = check("anna@example.org", *servers.options, "--password-stdin", "--json")
    found = json.loads(done.stdout)["channels"]["imap"]
    assert (found["phase"], found["cause"]) == ("tls", "tls_certificate_untrusted")
    assert found["evidence"]["exception"] == "ssl.SSLCertVerificationError"
    assert b"AUTH" not in servers.heard


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["nobody"], "no e-mail address"),
        (["anna@example.org", "--imap", "http://x"], "--imap"),
        (["anna@example.org", "--imap", "smtps://x"], "imaps"),
        (["anna@example.org", "--imap", "imaps://u:p@x", "--password-stdin"], "user name or password"),
        (["anna@example.org", "--imap", "imaps://x"], "--password-stdin or --token-stdin"),
        (["anna@example.org", "--imap", "imaps://x", "--password-stdin", "--token-stdin"], "exclude"),
        (["anna@example.org", "--imap", "imaps://x", "--depth", "moon"], "moon"),
        (
            ["anna@example.org", "--imap", "imaps://127.0.0.1", "--password-stdin", "--depth", "roundtrip"],
            "both an IMAP and an SMTP",
        ),
        (["anna@example.org", "--imap", "imaps://x", "--password-stdin", "--ca-file", "/dev/null"], "CA certificate"),
    ],
)
def test_a_wrong_call_is_told_with_its_cure_and_exit_2(options: list[str], words: str) -> None:
    done = check(*options)
    assert done.returncode == 2
    assert words in done.stderr.replace("\n", " ")
    assert done.stdout == ""


def test_an_empty_secret_is_a_wrong_call() -> None:
    done = check("anna@example.org", "--imap", "imaps://x", "--password-stdin", secret="")
    assert (done.returncode, "empty" in done.stderr) == (2, True)
