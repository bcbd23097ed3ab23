"""One simulated provider: its ports, certificates, accounts, faults and book, and who may log in.

The sessions themselves are in `imap_server`, `smtp_server` and `oauth_server`; this is what they ask.
"""

import asyncio
import random
import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal
from typing import Protocol as Shape

from mailwatch.core.mailbox import AuthKind, Endpoint, Protocol, TlsMode
from mailwatch.sim.accounts import Account, Accounts
from mailwatch.sim.ca import CertificateAuthority, CertificateKind
from mailwatch.sim.dialects import MANNERS, Dialect
from mailwatch.sim.door import Door
from mailwatch.sim.faults import REFUSE_THE_SECRET, ActiveFaults, Fault, FaultKind, Stage
from mailwatch.sim.ledger import Ledger
from mailwatch.sim.sasl import Attempt
from mailwatch.sim.tokens import TokenBook
from mailwatch.sim.wire import LineTooLongError, PeerGoneError, Wire, reset_socket

#: fail2ban's defaults on Debian 12.
BAN_AFTER: Final = 5
BAN_WINDOW_SECONDS: Final = 600.0
_CERTIFICATES: Final = {
    FaultKind.CERTIFICATE_EXPIRED: CertificateKind.EXPIRED,
    FaultKind.CERTIFICATE_UNTRUSTED: CertificateKind.UNTRUSTED,
    FaultKind.CERTIFICATE_SELF_SIGNED: CertificateKind.SELF_SIGNED,
    FaultKind.CERTIFICATE_WRONG_HOST: CertificateKind.WRONG_HOST,
}
_LAST_TURNS: Final = 4
_SHUT: Final = frozenset({FaultKind.REFUSE, FaultKind.OUTAGE})
#: What a listening port is for: a mail protocol and its TLS mode, or OAuth: its endpoints over TLS, or its page in clear.
Purpose = tuple[Protocol, TlsMode] | Literal["tokens", "page"]
_PURPOSES: Final[tuple[Purpose, ...]] = (
    (Protocol.IMAP, TlsMode.IMPLICIT),
    (Protocol.IMAP, TlsMode.STARTTLS),
    (Protocol.SMTP, TlsMode.IMPLICIT),
    (Protocol.SMTP, TlsMode.STARTTLS),
    "tokens",
    "page",
)


def _protocol(purpose: Purpose) -> Protocol | None:
    """The mail protocol of a port; OAuth's have none."""
    return None if isinstance(purpose, str) else purpose[0]


class Session(Shape):
    """A connection being served."""

    async def run(self) -> None:
        """Serve it to its end."""

    def say_bye(self, words: str, /) -> None:
        """Tell the client, unasked, that it is over."""


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """What a provider is like."""

    name: str
    dialect: Dialect
    domains: tuple[str, ...]
    auth: AuthKind = AuthKind.PASSWORD
    host: str = "127.0.0.1"  #: a loopback address
    first_port: int = 0  #: imaps, imap, smtps, submission, token endpoint, consent page from here on; 0 = free
    token_lifetime_seconds: float = 3600.0
    rotates: bool | None = None  #: refresh tokens; None = as the dialect does
    sessions_per_account: int = 15  #: over one protocol

    @property
    def hostname(self) -> str:
        """The name the servers call themselves."""
        return f"mail.{self.name}.example"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a login: an account, or the reason for the refusal."""

    account: Account | None = None
    refusal: Fault | FaultKind | None = None


class Provider:
    """A provider in full; `sessions` makes the session for a connection."""

    def __init__(
        self,
        spec: ProviderSpec,
        *,
        authority: CertificateAuthority,
        accounts: Accounts,
        clock: Callable[[], float],
        rng: random.Random,
        sessions: Callable[["Provider", Purpose, Wire], Session],
    ) -> None:
        self.spec = spec
        self.manner = MANNERS[spec.dialect]
        self.accounts = accounts
        self.faults = ActiveFaults()
        self.ledger = Ledger(clock)
        rotates = self.manner.rotates if spec.rotates is None else spec.rotates
        self.tokens = TokenBook(
            clock, rng, prefix=self.manner.token_prefix, lifetime_seconds=spec.token_lifetime_seconds, rotates=rotates
        )
        self.client_id = f"{spec.name}-app"
        self.client_secret = f"{spec.name}-{rng.randbytes(12).hex()}"
        self._authority = authority
        self._rng = rng
        self._make_session = sessions
        self._contexts: dict[CertificateKind, ssl.SSLContext] = {}
        self._live: dict[Session, Protocol | None] = {}
        self._doors: dict[Purpose, Door] = {}
        self._wires: set[Wire] = set()

    # life
    def start(self) -> None:
        """Open all ports."""
        for offset, purpose in enumerate(_PURPOSES):
            port = self.spec.first_port + offset if self.spec.first_port else 0
            door = self._doors[purpose] = Door(self.spec.host, port, partial(self._serve, purpose))
            door.open()

    async def stop(self) -> None:
        """Close everything; when this returns no socket is open."""
        await asyncio.gather(*(door.close() for door in self._doors.values()))
        for wire in self._wires:
            wire.abort()
        for _ in range(_LAST_TURNS):  # asyncio closes sockets in a later turn of the loop
            await asyncio.sleep(0)

    def endpoint(self, protocol: Protocol, mode: TlsMode = TlsMode.IMPLICIT) -> Endpoint:
        """Where *protocol* is served."""
        return Endpoint(protocol, self.spec.host, self._doors[protocol, mode].port, mode)

    @property
    def token_url(self) -> str:
        """The OAuth token endpoint."""
        return f"https://{self.spec.host}:{self._doors['tokens'].port}/token"

    @property
    def revoke_url(self) -> str:
        """Where a consent is taken back (RFC 7009)."""
        return f"https://{self.spec.host}:{self._doors['tokens'].port}/revoke"

    @property
    def authorize_url(self) -> str:
        """The consent page, for a browser on this machine."""
        return f"http://{self.spec.host}:{self._doors['page'].port}/authorize"

    # faults
    async def begin(self, fault: Fault) -> None:
        """*fault* strikes from now on."""
        self.faults.add(fault)
        await self._heed_doors()
        if fault.kind in (FaultKind.OUTAGE, FaultKind.MAINTENANCE):
            self.cut(fault.protocol, fault.words or "Server shutting down.")

    async def end(self, fault: Fault) -> None:
        """*fault* is over."""
        self.faults.remove(fault)
        await self._heed_doors()

    async def heal(self) -> None:
        """All faults are over."""
        self.faults.clear()
        await self._heed_doors()

    async def _heed_doors(self) -> None:
        for purpose, door in self._doors.items():
            protocol = _protocol(purpose)
            faults = self.faults.at(Stage.DOOR, protocol)
            if any(f.kind in _SHUT and (protocol is not None or f.kind is FaultKind.OUTAGE) for f in faults):
                await door.shut()
            else:
                door.open()

    def cut(self, protocol: Protocol | None = None, words: str = "Server shutting down.") -> int:
        """End the running mail sessions with a word; how many there were."""
        doomed = [session for session, kind in self._live.items() if kind is not None and protocol in (None, kind)]
        for session in doomed:
            session.say_bye(words)
        return len(doomed)

    def chance(self) -> float:
        """A number from 0 to 1 for a connection nobody has logged in on yet."""
        return self._rng.random()

    def server_context(self) -> ssl.SSLContext:
        """The TLS context for a connection made now."""
        fault = next(self.faults.at(Stage.CERTIFICATE), None)
        kind = CertificateKind.VALID if fault is None else _CERTIFICATES[fault.kind]
        if kind not in self._contexts:
            hosts = tuple(dict.fromkeys((self.spec.hostname, self.spec.host, "127.0.0.1", "localhost")))
            self._contexts[kind] = self._authority.server_context(hosts, kind)
        return self._contexts[kind]

    # connections
    async def _serve(self, purpose: Purpose, plain: socket.socket) -> None:
        protocol = _protocol(purpose)
        fault = next(self.faults.at(Stage.DOOR, protocol, chance=self.chance()), None) if protocol is not None else None
        with self.ledger.connections:
            if fault is not None and not await self._let_in(fault, plain):
                return
            await self._converse(purpose, plain)

    async def _let_in(self, fault: Fault, plain: socket.socket) -> bool:
        if fault.kind is FaultKind.BAN:
            if self.ledger.rejected_since(BAN_WINDOW_SECONDS) < BAN_AFTER:
                return True
            with plain:
                await asyncio.sleep(60)  # silence: the client's own patience ends it first
        elif fault.kind is FaultKind.DROP_ON_ACCEPT:
            plain.close()
        else:
            reset_socket(plain)
        return False

    async def _converse(self, purpose: Purpose, plain: socket.socket) -> None:
        implicit = purpose == "tokens" if isinstance(purpose, str) else purpose[1] is TlsMode.IMPLICIT
        wire = Wire(self._wires.discard)
        self._wires.add(wire)
        limits: dict[str, Any] = {"ssl_handshake_timeout": 10, "ssl_shutdown_timeout": 1} if implicit else {}
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: wire, plain, ssl=self.server_context() if implicit else None, **limits
            )
        except (OSError, ssl.SSLError):
            self._wires.discard(wire)
            plain.close()  # the client broke off the handshake, as it must for a bad certificate
            return
        wire.encrypted = implicit
        session = self._make_session(self, purpose, wire)
        self._live[session] = _protocol(purpose)
        try:
            await session.run()
        except (PeerGoneError, LineTooLongError):
            pass
        finally:
            del self._live[session]
            wire.close()

    # logins
    def session_of(self, account: Account, protocol: Protocol) -> AbstractContextManager[None]:
        """Count a session of *account* for as long as it lasts."""
        return self.ledger.session(account.address, protocol)

    async def judge(self, protocol: Protocol, attempt: Attempt) -> Verdict:
        """Whether *attempt* may come in; each is written into the ledger."""
        account = self.accounts.get(attempt.username)
        address = attempt.username.lower() if account is None else account.address
        self.ledger.login_tried(address)
        refusal = await self._refusal(protocol, attempt, account, address)
        if refusal is not None:
            kind = refusal.kind if isinstance(refusal, Fault) else refusal
            if kind in REFUSE_THE_SECRET:
                self.ledger.login_rejected(address)
            return Verdict(refusal=refusal)
        return Verdict(account)

    async def _refusal(
        self, protocol: Protocol, attempt: Attempt, account: Account | None, address: str
    ) -> Fault | FaultKind | None:
        for fault in self.faults.at(Stage.LOGIN, protocol, address):
            if fault.kind is not FaultKind.LOGIN_DELAY:
                return fault
            await asyncio.sleep(fault.seconds or 2.0)
        if account is None or account.provider != self.spec.name:
            return FaultKind.WRONG_SECRET
        return self._secret_refusal(attempt, account) or self._limit(protocol, account)

    def _secret_refusal(self, attempt: Attempt, account: Account) -> FaultKind | None:
        if attempt.is_token:
            return None if self.tokens.owner_of_access(attempt.secret) == account.address else FaultKind.ACCESS_TOKEN_REFUSED
        if account.auth is AuthKind.OAUTH:
            return FaultKind.BASIC_AUTH_DISABLED
        return None if attempt.secret == account.password else FaultKind.WRONG_SECRET

    def _limit(self, protocol: Protocol, account: Account) -> FaultKind | None:
        open_now = self.ledger.sessions[f"{protocol}:{account.address}"].now
        return FaultKind.CONNECTION_LIMIT if open_now >= self.spec.sessions_per_account else None
