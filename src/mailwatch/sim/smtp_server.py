"""A submission session of a simulated provider (RFC 5321, 6409, 4954, 3207): from the greeting to QUIT, faults on the way.

Mail for an account of the world lands in its inbox; mail for anyone else is taken and forgotten, for nothing here may reach
the outside.
"""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final

from mailwatch.core.mailbox import Protocol
from mailwatch.sim.accounts import Account
from mailwatch.sim.faults import Fault, FaultKind, Stage
from mailwatch.sim.greeting import greet_badly
from mailwatch.sim.provider import Provider
from mailwatch.sim.replies import severs, words_for
from mailwatch.sim.sasl import MECHANISMS, Attempt, MalformedSaslError, decode, error_challenge, parse
from mailwatch.sim.wire import PeerGoneError, Wire

_SMTP: Final = Protocol.SMTP
_MAX_MAIL: Final = 10 << 20
_BAD_LIMIT: Final = 10
_USERNAME_PROMPT: Final = "334 VXNlcm5hbWU6"
_PASSWORD_PROMPT: Final = "334 UGFzc3dvcmQ6"  # base64 of "Password:"


class SmtpSession:
    """One client; `run` ends when it has left."""

    def __init__(self, provider: Provider, wire: Wire) -> None:
        self._provider = provider
        self._wire = wire
        self._account: Account | None = None
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._stack = ExitStack()
        self._bad = 0
        self._verbs: dict[str, Callable[[str], Awaitable[None]]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "QUIT": self._quit,
        }

    # what the session says
    def _say(self, text: str) -> None:
        self._wire.send(text)

    def _refuse(self, fault: Fault | FaultKind) -> None:
        kind = fault.kind if isinstance(fault, Fault) else fault
        address = self._account.address if self._account is not None else ""
        text = words_for(fault, _SMTP, self._provider.spec.dialect, host=self._provider.spec.hostname, address=address)
        self._say(text)
        if severs(kind, text):
            raise PeerGoneError

    def say_bye(self, words: str) -> None:
        """An unasked 421, and the end."""
        self._say(f"421 4.3.2 {self._provider.spec.hostname} {words}")
        self._wire.close()

    # the loop
    async def run(self) -> None:
        """Greet, then obey until the client leaves; raises PeerGoneError at the end."""
        greeting = "220 " + self._provider.manner.smtp_greeting.format(host=self._provider.spec.hostname)
        for fault in self._provider.faults.at(Stage.GREETING, _SMTP, chance=self._provider.chance()):
            await greet_badly(self._provider, self._wire, _SMTP, fault, greeting)
            return
        self._say(greeting)
        with self._stack:
            while True:
                line = (await self._wire.line()).decode("utf-8", "replace")
                name, _, argument = line.partition(" ")
                verb = self._verbs.get(name.upper())
                if verb is None:
                    self._bad_command("502 5.5.1 Error: command not recognized")
                else:
                    await verb(argument.strip())

    def _bad_command(self, words: str) -> None:
        self._bad += 1
        self._say(words)
        if self._bad >= _BAD_LIMIT:
            self._say(f"421 4.7.0 {self._provider.spec.hostname} Error: too many errors")
            raise PeerGoneError

    async def _ehlo(self, _argument: str) -> None:
        manner = self._provider.manner
        lines = [manner.smtp_hello.format(host=self._provider.spec.hostname), *manner.smtp_extras]
        lines.append(f"AUTH {manner.smtp_auth_mechanisms}" if self._wire.encrypted else "STARTTLS")
        self._say("\n".join([f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"]))

    async def _helo(self, _argument: str) -> None:
        self._say(f"250 {self._provider.spec.hostname}")

    async def _noop(self, _argument: str) -> None:
        self._say("250 2.0.0 Ok")

    async def _quit(self, _argument: str) -> None:
        self._say(self._provider.manner.smtp_bye)
        raise PeerGoneError

    async def _starttls(self, _argument: str) -> None:
        if self._wire.encrypted:
            self._bad_command("503 5.5.1 Error: TLS already active")
            return
        self._say("220 2.0.0 Ready to start TLS")
        await self._wire.start_tls(self._provider.server_context())

    # the login
    async def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        mechanism = mechanism.upper()
        if self._account is not None:
            self._bad_command("503 5.5.1 Error: already authenticated")
        elif not self._wire.encrypted:
            self._say("530 5.7.0 Must issue a STARTTLS command first")
        elif mechanism not in (*MECHANISMS, "LOGIN"):
            self._say("504 5.7.4 Unrecognized authentication type")
        else:
            try:
                attempt = await self._attempt(mechanism, initial)
            except MalformedSaslError:
                self._bad_command("501 5.5.2 Cannot decode response")
                return
            if attempt is None:
                self._say("501 5.7.0 Authentication aborted")
            else:
                await self._judge(attempt, mechanism)

    async def _attempt(self, mechanism: str, initial: str) -> Attempt | None:
        if mechanism == "LOGIN":
            username = await self._answer(_USERNAME_PROMPT, initial)
            password = None if username is None else await self._answer(_PASSWORD_PROMPT, "")
            if username is None or password is None:
                return None
            return Attempt(username.decode("utf-8", "replace"), password.decode("utf-8", "replace"))
        response = await self._answer("334 ", initial)
        return None if response is None else parse(mechanism, response)

    async def _answer(self, prompt: str, initial: str) -> bytes | None:
        if initial:
            return decode(initial)
        self._say(prompt)
        line = await self._wire.line()
        return None if line == b"*" else decode(line)

    async def _judge(self, attempt: Attempt, mechanism: str) -> None:
        verdict = await self._provider.judge(_SMTP, attempt)
        if verdict.account is None:
            refusal = verdict.refusal or FaultKind.WRONG_SECRET
            kind = refusal.kind if isinstance(refusal, Fault) else refusal
            if kind is FaultKind.ACCESS_TOKEN_REFUSED and attempt.is_token:
                self._say(f"334 {error_challenge(mechanism, self._provider.spec.dialect)}")
                await self._wire.line()
            self._refuse(refusal)
            return
        self._account = verdict.account
        self._stack.enter_context(self._provider.session_of(verdict.account, _SMTP))
        self._say(self._provider.manner.smtp_login_ok)
        for fault in self._provider.faults.at(Stage.SESSION, _SMTP, verdict.account.address):
            if fault.kind is FaultKind.DROP_AFTER_LOGIN:
                if fault.words is None:
                    self._wire.reset()
                    raise PeerGoneError
                self._refuse(fault)

    # the mail
    def _hindered(self) -> bool:
        if self._account is None:
            self._say(f"530 5.7.57 Client not authenticated to send mail. [{self._provider.spec.hostname}]")
            return True
        for stage in (Stage.SESSION, Stage.SUBMISSION):
            for fault in self._provider.faults.at(stage, _SMTP, self._account.address):
                self._refuse(fault)
                return True
        return False

    async def _mail(self, argument: str) -> None:
        address = _path(argument, "FROM:")
        if address is None:
            self._bad_command("501 5.5.4 Syntax: MAIL FROM:<address>")
        elif not self._hindered():
            self._sender, self._recipients = address, []
            self._say("250 2.1.0 Ok")

    async def _rcpt(self, argument: str) -> None:
        address = _path(argument, "TO:")
        if address is None:
            self._bad_command("501 5.5.4 Syntax: RCPT TO:<address>")
        elif self._sender is None:
            self._bad_command("503 5.5.1 Error: need MAIL command")
        else:
            self._recipients.append(address)
            self._say("250 2.1.5 Ok")

    async def _rset(self, _argument: str) -> None:
        self._sender, self._recipients = None, []
        self._say("250 2.0.0 Ok")

    async def _data(self, _argument: str) -> None:
        if self._account is None or not self._recipients:
            self._bad_command("503 5.5.1 Error: need RCPT command")
            return
        self._say("354 End data with <CR><LF>.<CR><LF>")
        lines: list[bytes] = []
        size = 0
        while (line := await self._wire.line()) != b".":
            size += len(line) + 2
            if size <= _MAX_MAIL:
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if size > _MAX_MAIL:
            self._say("552 5.3.4 Message size exceeds fixed limit")
        else:
            self._deliver(self._account, b"\r\n".join(lines) + b"\r\n")
            self._say(self._provider.manner.smtp_accepted.format(host=self._provider.spec.hostname))
        self._sender, self._recipients = None, []

    def _deliver(self, account: Account, content: bytes) -> None:
        self._provider.ledger.submissions[account.address] += 1
        stamp = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
        trace = f"Return-Path: <{self._sender}>\r\nReceived: by {self._provider.spec.hostname}; {stamp}\r\n".encode()
        for recipient in self._recipients:
            target = self._provider.accounts.get(recipient)
            if target is not None:
                target.inbox.deliver(trace + content)


def _path(argument: str, keyword: str) -> str | None:
    """The address between the angle brackets of MAIL and RCPT, None when it is not written so."""
    if not argument.upper().startswith(keyword):
        return None
    start, end = argument.find("<"), argument.find(">")
    return argument[start + 1 : end] if 0 <= start < end else None
