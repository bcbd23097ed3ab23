"""An IMAP session of a simulated provider (RFC 9051, 3501): from the greeting to the goodbye, faults on the way."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Final

from mailwatch.core.mailbox import Protocol
from mailwatch.sim.accounts import Account
from mailwatch.sim.faults import Fault, FaultKind, Stage
from mailwatch.sim.greeting import greet_badly
from mailwatch.sim.imap_folder import SelectedInbox
from mailwatch.sim.imap_syntax import Command, SyntaxFaultError, read_command
from mailwatch.sim.provider import Provider
from mailwatch.sim.replies import severs, words_for
from mailwatch.sim.sasl import MECHANISMS, Attempt, MalformedSaslError, decode, error_challenge, parse
from mailwatch.sim.wire import PeerGoneError, Wire

_IMAP: Final = Protocol.IMAP
_BAD_LIMIT: Final = 10


class ImapSession:
    """One client; `run` ends when it has left."""

    def __init__(self, provider: Provider, wire: Wire) -> None:
        self._provider = provider
        self._wire = wire
        self._account: Account | None = None
        self._folder: SelectedInbox | None = None
        self._stack = ExitStack()
        self._bad = 0
        self._verbs: dict[str, Callable[[Command], Awaitable[None]]] = {
            "CAPABILITY": self._capability,
            "NOOP": self._noop,
            "ID": self._id,
            "LOGOUT": self._logout,
            "STARTTLS": self._starttls,
            "LOGIN": self._login,
            "AUTHENTICATE": self._authenticate,
            "SELECT": self._select,
            "EXAMINE": self._select,
            "CLOSE": self._close,
            "UNSELECT": self._close,
            "LIST": self._list,
            "STATUS": self._status,
            "APPEND": self._append,
            "IDLE": self._idle,
        }

    # what the session says
    @property
    def _capabilities(self) -> str:
        manner = self._provider.manner
        if not self._wire.encrypted:
            return "IMAP4rev1 STARTTLS LOGINDISABLED IDLE SASL-IR"
        if self._account is not None:
            return f"IMAP4rev1 IDLE {manner.imap_extras}"
        return f"IMAP4rev1 SASL-IR IDLE AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER {manner.imap_extras}"

    def _say(self, text: str) -> None:
        self._wire.send(text)

    def _words(self, fault: Fault | FaultKind) -> str:
        address = self._account.address if self._account is not None else ""
        return words_for(fault, _IMAP, self._provider.spec.dialect, host=self._provider.spec.hostname, address=address)

    def _refuse(self, tag: str, fault: Fault | FaultKind, verb: str = "LOGIN") -> None:
        kind = fault.kind if isinstance(fault, Fault) else fault
        text = self._words(fault)
        if verb == "AUTHENTICATE":
            text = text.replace("LOGIN failed", "AUTHENTICATE failed")
        for line in text.split("\n"):
            self._say(line if line.startswith("* ") else f"{tag} {line}")
        if severs(kind, text):
            raise PeerGoneError

    def say_bye(self, words: str) -> None:
        """An unasked BYE, and the end."""
        self._say(f"* BYE {words}")
        self._wire.close()

    # the loop
    async def run(self) -> None:
        """Greet, then obey until the client leaves; raises PeerGoneError at the end."""
        greeting = "* OK " + self._provider.manner.imap_greeting.format(capabilities=self._capabilities)
        for fault in self._provider.faults.at(Stage.GREETING, _IMAP, chance=self._provider.chance()):
            await greet_badly(self._provider, self._wire, _IMAP, fault, greeting)
            return
        self._say(greeting)
        with self._stack:
            while True:
                await self._step()

    async def _step(self) -> None:
        try:
            command = await read_command(self._wire)
        except SyntaxFaultError as fault:
            self._bad_command(fault.tag, str(fault))
            return
        verb = self._verbs.get(command.name)
        try:
            if verb is not None:
                await verb(command)
            elif self._folder is not None and (done := self._folder.obey(command)) is not None:
                self._say(f"{command.tag} OK {done}")
            else:
                self._bad_command(command.tag, "Unknown command.")
        except (ValueError, IndexError):
            self._bad_command(command.tag, "Error in IMAP command received by server.")

    def _bad_command(self, tag: str, words: str) -> None:
        self._bad += 1
        self._say(f"{tag} BAD {words}")
        if self._bad >= _BAD_LIMIT:
            self._say("* BYE Too many invalid IMAP commands.")
            raise PeerGoneError

    # any state
    async def _capability(self, command: Command) -> None:
        self._say(f"* CAPABILITY {self._capabilities}")
        self._say(f"{command.tag} OK CAPABILITY completed.")

    async def _noop(self, command: Command) -> None:
        if self._account is not None:
            for fault in self._provider.faults.at(Stage.SESSION, _IMAP, self._account.address):
                self._refuse(command.tag, fault, "NOOP")
                return
        self._say(f"{command.tag} OK NOOP completed.")

    async def _id(self, command: Command) -> None:
        self._say('* ID ("name" "simulated")')
        self._say(f"{command.tag} OK ID completed.")

    async def _logout(self, command: Command) -> None:
        self._say(f"* BYE {self._provider.manner.imap_bye}")
        self._say(f"{command.tag} OK LOGOUT completed.")
        raise PeerGoneError

    # before the login
    async def _starttls(self, command: Command) -> None:
        if self._wire.encrypted:
            self._bad_command(command.tag, "TLS is already active.")
            return
        self._say(f"{command.tag} OK Begin TLS negotiation now.")
        await self._wire.start_tls(self._provider.server_context())

    def _barred(self, command: Command) -> bool:
        if self._account is not None:
            self._bad_command(command.tag, "Already logged in.")
        elif not self._wire.encrypted:
            self._say(
                f"{command.tag} NO [PRIVACYREQUIRED] Cleartext authentication disallowed on non-secure (SSL/TLS) connections."
            )
        else:
            return False
        return True

    async def _login(self, command: Command) -> None:
        if not self._barred(command):
            username, password = command.arguments
            await self._judge(command, Attempt(username, password))

    async def _authenticate(self, command: Command) -> None:
        if self._barred(command):
            return
        mechanism = command.arguments[0].upper()
        if mechanism not in MECHANISMS:
            self._say(f"{command.tag} NO Unsupported authentication mechanism.")
            return
        response = command.arguments[1] if len(command.arguments) > 1 else None
        if response is None:
            self._say("+ ")
            response = (await self._wire.line()).decode("ascii", "replace")
        if response == "*":
            self._say(f"{command.tag} BAD Authentication aborted by client.")
            return
        try:
            attempt = parse(mechanism, decode(response))
        except MalformedSaslError:
            self._say(f"{command.tag} BAD Invalid SASL argument.")
            return
        await self._judge(command, attempt, mechanism)

    async def _judge(self, command: Command, attempt: Attempt, mechanism: str | None = None) -> None:
        verdict = await self._provider.judge(_IMAP, attempt)
        if verdict.account is None:
            refusal = verdict.refusal or FaultKind.WRONG_SECRET
            kind = refusal.kind if isinstance(refusal, Fault) else refusal
            if kind is FaultKind.ACCESS_TOKEN_REFUSED and mechanism is not None:
                self._say(f"+ {error_challenge(mechanism, self._provider.spec.dialect)}")
                await self._wire.line()
            self._refuse(command.tag, refusal, command.name)
            return
        self._account = verdict.account
        self._stack.enter_context(self._provider.session_of(verdict.account, _IMAP))
        words = self._provider.manner.imap_login_ok.format(capabilities=self._capabilities, address=verdict.account.address)
        self._say(f"{command.tag} OK {words}")
        for fault in self._provider.faults.at(Stage.SESSION, _IMAP, verdict.account.address):
            if fault.kind is FaultKind.DROP_AFTER_LOGIN:
                self._hang_up(fault)

    def _hang_up(self, fault: Fault) -> None:
        if fault.words is None:
            self._wire.reset()
        else:
            self._say(self._words(fault))
        raise PeerGoneError

    # after it
    async def _select(self, command: Command) -> None:
        if self._account is None:
            self._bad_command(command.tag, "Please log in first.")
            return
        for fault in self._provider.faults.at(Stage.SESSION, _IMAP, self._account.address):
            self._refuse(command.tag, fault, "SELECT")
            return
        if command.arguments[0].upper() != "INBOX":
            self._say(f"{command.tag} NO [NONEXISTENT] Unknown Mailbox: {command.arguments[0]} (Failure)")
            return
        read_only = command.name == "EXAMINE"
        self._folder = SelectedInbox(self._account, self._wire.send, read_only=read_only)
        self._folder.describe()
        self._say(f"{command.tag} OK [READ-{'ONLY' if read_only else 'WRITE'}] {command.name} completed.")

    async def _close(self, command: Command) -> None:
        if self._account is not None and self._folder is not None and command.name == "CLOSE":
            self._account.inbox.expunge()
        self._folder = None
        self._say(f"{command.tag} OK {command.name} completed.")

    async def _list(self, command: Command) -> None:
        self._say('* LIST (\\HasNoChildren) "/" INBOX')
        self._say(f"{command.tag} OK LIST completed.")

    async def _status(self, command: Command) -> None:
        if self._account is None:
            self._bad_command(command.tag, "Please log in first.")
            return
        inbox = self._account.inbox
        self._say(f"* STATUS INBOX (MESSAGES {len(inbox.messages)} UIDNEXT {inbox.uid_next} UIDVALIDITY {inbox.uid_validity})")
        self._say(f"{command.tag} OK STATUS completed.")

    async def _append(self, command: Command) -> None:
        if self._account is None:
            self._bad_command(command.tag, "Please log in first.")
            return
        self._account.inbox.deliver(command.arguments[-1].encode("utf-8", "surrogateescape"))
        self._say(f"{command.tag} OK APPEND completed.")

    async def _idle(self, command: Command) -> None:
        if self._account is None:
            self._bad_command(command.tag, "Please log in first.")
            return
        self._say("+ idling")

        def tell(count: int) -> None:
            self._say(f"* {count} EXISTS")

        self._account.inbox.watch(tell)
        try:
            if (await self._wire.line()).upper() != b"DONE":
                raise ValueError("IDLE ends with DONE")
        finally:
            self._account.inbox.unwatch(tell)
        self._say(f"{command.tag} OK IDLE terminated.")
