"""What people do to a mailbox, with one meaning for the page, the API and the command line.

Each act is one transaction: the standing as it is at that moment, the pure decision of `core.acts`, and the row of the audit log.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
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


class NotConfirmedError(MailwatchError):
    """What was typed to confirm a removal is not the mailbox's address; nothing was removed."""


class HoldError(MailwatchError):
    """The hold cannot be: no such reason, or its end has passed."""


def _unheard() -> None:
    """Nobody waits to be roused."""


class Desk:
    """Acts on mailboxes.

    *revoke* withdraws the consent of an OAuth mailbox that is removed, where its provider allows; *roused* is called after each
    act, so that neither a due probe nor the sending gate nor a webhook waits for its next tick.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        revoke: Callable[[MailboxView], Awaitable[bool]] | None = None,
        roused: Callable[[], None] = _unheard,
    ) -> None:
        self._store = store
        self._clock = clock
        self._revoke = revoke
        self._roused = roused

    async def disconnect(self, mailbox_id: str, by: Act, *, version: int | None = None) -> MailboxView:
        """Stop probing, pause its campaigns, keep everything; raises as `_do` does."""
        return await self._do(mailbox_id, by, acts.disconnect, version)

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

        return await self._do(mailbox_id, by, decide, version)

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

    async def remove(self, mailbox_id: str, by: Act, *, typed_address: str, version: int | None = None) -> bool:
        """Delete it with all its data, for good; whether its consent was revoked at the provider.

        Raises NotConfirmedError when *typed_address* is not its address (case does not matter), MailboxNotFoundError, StaleError.
        """
        view = await self._store.find(mailbox_id)
        if typed_address.strip().lower() != view.mailbox.address.lower():
            raise NotConfirmedError("the typed address is not the mailbox's; nothing was removed")
        _check_version(view.standing, version)
        return await self._remove(view, by, version)

    async def remove_confirmed(self, mailbox_id: str, by: Act) -> bool:
        """The same, for one of many whose number a person has confirmed."""
        return await self._remove(await self._store.find(mailbox_id), by, None)

    async def _remove(self, view: MailboxView, by: Act, version: int | None) -> bool:
        revoked = await self._revoked(view)  # the store forgets what it takes to revoke
        await self._store.remove(view.mailbox.id, by, version=version)
        self._roused()
        return revoked

    async def _revoked(self, view: MailboxView) -> bool:
        """Ask the provider; one that does not answer keeps nobody from removing a mailbox."""
        if self._revoke is None or view.mailbox.auth is not AuthKind.OAUTH:
            return False
        try:
            async with asyncio.timeout(REVOKE_SECONDS):
                return await self._revoke(view)
        except (TimeoutError, MailwatchError):
            return False

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


def _check_version(standing: Standing, version: int | None) -> None:
    if version is not None and standing.version != version:
        raise StaleError(f"the mailbox is at version {standing.version} now, no longer at {version}; look again, then decide")
