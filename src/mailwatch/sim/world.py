"""A world of simulated providers on loopback: starts them, plays a script on them, and lets owners set things right.

async with World(directory, seed=7) as world:
    google = await world.add(ProviderSpec("google", Dialect.GOOGLE, ("nordwind.example",), auth=AuthKind.OAUTH))
    world.open_account("anna@nordwind.example", "google")
    await world.begin(Fault(FaultKind.OUTAGE, "google"))
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from mailwatch.core.mailbox import AuthKind, Protocol
from mailwatch.core.oauth import OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.sim.accounts import Account, Accounts
from mailwatch.sim.ca import CertificateAuthority
from mailwatch.sim.faults import Fault, FaultKind, Stage
from mailwatch.sim.imap_server import ImapSession
from mailwatch.sim.oauth_server import OAuthSession
from mailwatch.sim.provider import Provider, ProviderSpec, Purpose, Session
from mailwatch.sim.script import ActionKind, Script, Step
from mailwatch.sim.smtp_server import SmtpSession
from mailwatch.sim.wire import Wire

_HAPPENINGS_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Happening:
    """Something the world did to its providers; what a watcher should find out by itself."""

    at_seconds: float  #: since the world began
    kind: FaultKind | ActionKind
    provider: str
    begins: bool
    addresses: tuple[str, ...] = ()
    domain: str | None = None


def _session(provider: Provider, purpose: Purpose, wire: Wire) -> Session:
    if isinstance(purpose, str):
        return OAuthSession(provider, wire)
    return ImapSession(provider, wire) if purpose[0] is Protocol.IMAP else SmtpSession(provider, wire)


class World:
    """All simulated providers, their accounts and what happens to them; the same seed makes the same world."""

    def __init__(self, directory: Path, *, seed: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.authority = CertificateAuthority(directory)
        self.accounts = Accounts()
        self.providers: dict[str, Provider] = {}
        self.happenings: deque[Happening] = deque(maxlen=_HAPPENINGS_KEPT)
        self.seed = seed
        self._clock = clock
        self._began = clock()
        self._picked: set[str] = set()
        self._pending: set[asyncio.Task[None]] = set()

    @property
    def ca_file(self) -> Path:
        """What a client must trust."""
        return self.authority.ca_file

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    async def add(self, spec: ProviderSpec) -> Provider:
        """Open a provider's ports."""
        provider = self.providers[spec.name] = Provider(
            spec,
            authority=self.authority,
            accounts=self.accounts,
            clock=self._clock,
            rng=random.Random(f"{self.seed}:{spec.name}"),  # noqa: S311  # must be repeatable; guards nothing real
            sessions=_session,
        )
        provider.start()
        return provider

    async def stop(self) -> None:
        """End what is still planned, and close every provider."""
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)
        await asyncio.gather(*(provider.stop() for provider in self.providers.values()))

    def __getitem__(self, name: str) -> Provider:
        return self.providers[name]

    # owners and administrators
    def open_account(self, address: str, provider: str, password: str | None = None) -> Account:
        """A new account at *provider*; with OAuth, `consent` brings its first refresh token."""
        auth = self.providers[provider].spec.auth
        secret = password if password is not None else f"pw-{random.Random(f'{self.seed}:{address}').getrandbits(64):016x}"  # noqa: S311  # repeatable; guards nothing real
        return self.accounts.add(Account(address, provider, auth, secret))

    def set_password(self, address: str, password: str) -> None:
        """The owner sets a new password at the provider."""
        self.accounts[address].password = password

    def consent(self, address: str) -> str:
        """The owner agrees once more in the browser: a new refresh token, and an end to faults that named its grant."""
        return self._provider_of(address).tokens.consent(address)

    def revoke(self, address: str) -> None:
        """The owner takes the consent back."""
        self._provider_of(address).tokens.revoke(address)

    def secret_of(self, address: str) -> Secret:
        """What a client has to be given for *address*: its password, or a fresh consent's refresh token."""
        account = self.accounts[address]
        return Secret(self.consent(address) if account.auth is AuthKind.OAUTH else account.password)

    def _provider_of(self, address: str) -> Provider:
        return self.providers[self.accounts[address].provider]

    def oauth_app(self, provider: str) -> OAuthApp:
        """The client registered with *provider*, under the provider's name."""
        known = self.providers[provider]
        return OAuthApp(
            provider,
            OAuthKind.CUSTOM,
            known.client_id,
            Secret(known.client_secret),
            known.token_url,
            ("mail", "offline_access"),
            authorize_url=known.authorize_url,
            revoke_url=known.revoke_url,
        )

    # faults
    async def begin(self, fault: Fault) -> None:
        """*fault* strikes from now on."""
        await self.providers[fault.provider].begin(fault)
        self._note(fault.kind, fault.provider, tuple(sorted(fault.addresses)), fault.domain, begins=True)

    async def end(self, fault: Fault) -> None:
        """*fault* is over."""
        await self.providers[fault.provider].end(fault)
        self._note(fault.kind, fault.provider, tuple(sorted(fault.addresses)), fault.domain, begins=False)

    def _note(
        self, kind: FaultKind | ActionKind, provider: str, addresses: tuple[str, ...], domain: str | None, *, begins: bool
    ) -> None:
        self.happenings.append(Happening(self._clock() - self._began, kind, provider, begins, addresses, domain))

    def pick(self, provider: str, count: int) -> tuple[str, ...]:
        """*count* mailboxes of *provider* that were not picked before; fewer when there are no more."""
        free = sorted(a.address for a in self.accounts if a.provider == provider and a.address not in self._picked)
        rng = random.Random(f"{self.seed}:{provider}:{len(self._picked)}")  # noqa: S311  # repeatable; guards nothing real
        chosen = tuple(rng.sample(free, min(count, len(free))))
        self._picked.update(chosen)
        return chosen

    def hinders(self, address: str) -> bool:
        """Whether a fault that is active now keeps *address* from logging in or sending."""
        faults = self._provider_of(address).faults
        stages = (Stage.DOOR, Stage.CERTIFICATE, Stage.GREETING, Stage.LOGIN, Stage.SESSION, Stage.SUBMISSION, Stage.TOKEN)
        return any(True for stage in stages for _ in faults.at(stage, None, address))

    # scripts
    async def play(self, script: Script) -> None:
        """Carry *script* out from now on; returns after its last step, when faults of that step may still last."""
        start = self._clock()
        for step in script.steps:
            await asyncio.sleep(max(0.0, start + step.at_seconds - self._clock()))
            await self.carry_out(step)

    async def carry_out(self, step: Step) -> tuple[str, ...]:
        """Carry one step out now; the addresses it picked or named."""
        chosen = self.pick(step.provider, step.count) if step.count is not None else tuple(sorted(step.addresses))
        if isinstance(step.kind, ActionKind):
            await self._act(step.kind, step.provider, chosen)
        elif step.count is None or chosen:
            fault = Fault(
                step.kind,
                step.provider,
                domain=step.domain,
                addresses=frozenset(chosen),
                share=step.share,
                protocol=step.protocol,
                seconds=step.seconds,
                words=step.words,
            )
            await self.begin(fault)
            if step.duration_seconds is not None:
                task = asyncio.get_running_loop().create_task(self._end_after(fault, step.duration_seconds))
                self._pending.add(task)
                task.add_done_callback(self._pending.discard)
        return chosen

    async def _end_after(self, fault: Fault, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.end(fault)

    async def _act(self, kind: ActionKind, provider: str, addresses: tuple[str, ...]) -> None:
        target = self.providers[provider]
        if kind is ActionKind.HEAL:
            await target.heal()
        elif kind is ActionKind.CUT_SESSIONS:
            target.cut()
        for address in addresses:
            if kind is ActionKind.CHANGE_PASSWORD:
                self.set_password(address, f"changed-{self.accounts[address].password}")
            elif kind is ActionKind.REVOKE_GRANT:
                self.revoke(address)
            elif kind is ActionKind.EXPIRE_TOKENS:
                target.tokens.expire(address)
        self._note(kind, provider, addresses, None, begins=True)
