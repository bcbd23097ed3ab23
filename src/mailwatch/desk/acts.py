"""What people do to a mailbox, with one meaning for the page, the API and the command line.

Each act is one transaction: the standing as it is at that moment, the pure decision of `core.acts`, and the row of the audit log.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum, unique
from typing import Final

from mailwatch.core import acts
from mailwatch.core.causes import Cause
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.secret import Secret
from mailwatch.core.standing import Decision, Standing
from mailwatch.ports import Act, Clock, MailboxView, MailwatchError, Store
from mailwatch.ports.campaigns import StaleError

#: How long a removal waits for the provider to revoke the grant.
REVOKE_SECONDS: Final = 10.0

#: A pure decision, given the standing, the moment and who asks.
Decide = Callable[[Standing, datetime, str], Decision]


@unique
class Withdrawal(StrEnum):
    """What became of a removed mailbox's consent."""

    NONE = "none"  #: it had none, or its provider lets nobody withdraw one
    DONE = "done"
    SHARED = "shared"  #: left alone: another mailbox uses the same login, and would lose it too
    FAILED = "failed"  #: the provider would not, or could not be asked: its owner can, among the apps of the account


#: Withdraws a consent whose token was loaded while its mailbox was there.
Withdraw = Callable[[], Awaitable[Withdrawal]]


class NotMeantError(MailwatchError):
    """The mailbox is no longer one of those that were to be removed; it was not."""


class NotConfirmedError(MailwatchError):
    """What was typed to confirm a removal is not the mailbox's address; nothing was removed."""


class HoldError(MailwatchError):
    """The hold cannot be: no such reason, or its end has passed."""


def _unheard() -> None:
    """Nobody waits to be roused."""


class Desk:
    """Acts on mailboxes.

    *withdraws* gives what withdraws the consent of an OAuth mailbox once it is removed, where its provider allows; *roused* is
    called after each act, so that neither a due probe nor the sending gate nor a webhook waits for its next tick; *called_off* is
    told of each mailbox that is not to be looked at any more, so that a probe under way ends before its next login.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        withdraws: Callable[[MailboxView], Awaitable[Withdraw | None]] | None = None,
        roused: Callable[[], None] = _unheard,
        called_off: Callable[[str], None] = lambda _mailbox_id: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._withdraws = withdraws
        self._roused = roused
        self._called_off = called_off

    async def disconnect(self, mailbox_id: str, by: Act, *, version: int | None = None) -> MailboxView:
        """Stop probing, pause its campaigns, keep everything; raises as `_do` does."""
        return self._ended(await self._do(mailbox_id, by, acts.disconnect, version))

    async def reconnect(self, mailbox_id: str, by: Act, *, version: int | None = None) -> MailboxView:
        """Try now, beyond the login budget by one; campaigns resume after verification."""
        return await self._do(mailbox_id, by, acts.reconnect, version)

    async def release(self, mailbox_id: str, by: Act, *, version: int | None = None) -> MailboxView:
        """End a hold; campaigns resume after verification."""
        return await self._do(mailbox_id, by, acts.release, version)

    async def probe(self, mailbox_id: str, by: Act, *, version: int | None = None) -> MailboxView:
        """Look at it now, within the login budget."""
        return await self._do(mailbox_id, by, acts.probe_now, version)

    async def hold(
        self, mailbox_id: str, by: Act, reason: Cause, until_at: datetime | None, *, version: int | None = None
    ) -> MailboxView:
        """Pause for protection, until *until_at* or until it is released; raises HoldError too."""
        if reason not in acts.HOLD_REASONS:
            raise HoldError(f"{reason} is no reason for a hold; use one of {', '.join(acts.HOLD_REASONS)}")
        if until_at is not None and until_at <= self._clock.now():
            raise HoldError(f"a hold until {until_at:%Y-%m-%d %H:%M:%S} UTC would have ended already; name a later moment")

        def decide(standing: Standing, now: datetime, actor: str) -> Decision:
            return acts.hold(standing, now, actor, reason, until_at)

        return self._ended(await self._do(mailbox_id, by, decide, version))

    async def set_secret(self, mailbox_id: str, secret: Secret, by: Act, *, version: int | None = None) -> MailboxView:
        """Store a new password or refresh token as a new generation, and try it; raises as `_do` does."""
        view = await self._store.find(mailbox_id)
        now = self._clock.now()

        def apply(standing: Standing) -> Decision:
            _check_version(standing, version)
            return acts.new_secret(standing, now, by.actor)

        decision = await self._store.set_secret(view.mailbox.id, secret, apply, by)
        self._roused()
        return MailboxView(view.mailbox, decision.after)

    async def remove(self, mailbox_id: str, by: Act, *, typed_address: str, version: int | None = None) -> Withdrawal:
        """Delete it with all its data, for good; what became of its consent at the provider.

        Raises NotConfirmedError when *typed_address* is not its address (case does not matter), MailboxNotFoundError, StaleError.
        """
        view = await self._store.find(mailbox_id)
        if typed_address.strip().lower() != view.mailbox.address.lower():
            raise NotConfirmedError("the typed address is not the mailbox's; nothing was removed")
        _check_version(view.standing, version)
        return await self._remove(view, by, version)

    async def remove_confirmed(
        self, mailbox_id: str, by: Act, *, is_meant: Callable[[], Awaitable[bool]] | None = None, scrub: bool = True
    ) -> Withdrawal:
        """The same, for one of many whose number a person has confirmed.

        With *is_meant*, only while that says so: raises NotMeantError.  Without *scrub*, call `scrub` after the last of them.
        """
        view = await self._store.find(mailbox_id)
        if is_meant is None:
            return await self._remove(view, by, None, scrub=scrub)
        if not await is_meant():
            raise NotMeantError("it no longer fits the filter it was chosen by; it was not removed")
        return await self._remove(view, by, view.standing.version, scrub=scrub)

    async def scrub(self) -> None:
        """Leave nothing of what was removed in the database's files."""
        await self._store.scrub()

    async def _remove(self, view: MailboxView, by: Act, version: int | None, *, scrub: bool = True) -> Withdrawal:
        """The token is loaded first, for the store forgets it; the provider is asked last, for that cannot be undone."""
        try:
            withdraw = await self._withdraw(view)
        except MailwatchError:
            withdraw = _failed
        await self._store.remove(view.mailbox.id, by, version=version, scrub=scrub)
        self._ended(view)
        self._roused()
        if withdraw is None:
            return Withdrawal.NONE
        try:
            async with asyncio.timeout(REVOKE_SECONDS):
                return await withdraw()
        except (TimeoutError, MailwatchError):  # one that does not answer keeps nobody from removing a mailbox
            return Withdrawal.FAILED

    async def _withdraw(self, view: MailboxView) -> Withdraw | None:
        if self._withdraws is None or view.mailbox.auth is not AuthKind.OAUTH:
            return None
        return await self._withdraws(view)

    def _ended(self, view: MailboxView) -> MailboxView:
        self._called_off(view.mailbox.id)
        return view

    async def _do(self, mailbox_id: str, by: Act, decide: Decide, version: int | None) -> MailboxView:
        """Apply *decide* to the standing as it is.

        Raises MailboxNotFoundError, IllegalMoveError, and StaleError when *version* is no longer the standing's.
        """
        view = await self._store.find(mailbox_id)
        now = self._clock.now()

        def apply(standing: Standing) -> Decision:
            _check_version(standing, version)
            return decide(standing, now, by.actor)

        decision = await self._store.change(view.mailbox.id, apply, by)
        self._roused()
        return MailboxView(view.mailbox, decision.after)


async def _failed() -> Withdrawal:
    return Withdrawal.FAILED


def _check_version(standing: Standing, version: int | None) -> None:
    if version is not None and standing.version != version:
        raise StaleError(f"the mailbox is at version {standing.version} now, no longer at {version}; look again, then decide")
