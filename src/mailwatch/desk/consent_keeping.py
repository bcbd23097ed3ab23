"""Storing what a consent brought: the refresh token as a new generation, verification ahead, and the first access token."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from mailwatch.core import acts
from mailwatch.core.lifecycle import State
from mailwatch.core.secret import Secret
from mailwatch.core.standing import Decision, Standing
from mailwatch.ports import Act, Clock, Grants, MailwatchError, Store, StoreUnavailableError
from mailwatch.ports.consents import ConsentError, ConsentSession, Tokens

_TRIES: Final = 5
_LEASE_SECONDS: Final = 30.0


class ConsentKeeping:
    """Writes consents; *grants* None leaves the first access token to the next probe."""

    def __init__(self, store: Store, grants: Grants | None, clock: Clock) -> None:
        self._store = store
        self._grants = grants
        self._clock = clock

    async def keep(self, session: ConsentSession, tokens: Tokens, origin: str) -> None:
        """Store *tokens* for the session's mailbox; raises ConsentError without a refresh token, and what the store raises."""
        if tokens.refresh_token is None:
            raise ConsentError("no lasting consent came back; start again")
        await self._keep_consent(session, tokens.refresh_token, Act(session.actor, "consent.stored", origin))
        await self._keep_access(session.mailbox_id, tokens)

    async def _keep_consent(self, session: ConsentSession, refresh_token: Secret, act: Act) -> None:
        """One transaction; a code is good only once, so a database that is busy for a moment is asked again."""

        def decide(standing: Standing) -> Decision:
            return consented(standing, self._clock.now(), session.actor)

        for attempt in range(1, _TRIES + 1):
            try:
                await self._store.set_secret(session.mailbox_id, refresh_token, decide, act)
            except StoreUnavailableError:
                if attempt == _TRIES:
                    raise
                await asyncio.sleep(0.1 * 2**attempt)
            else:
                return

    async def _keep_access(self, mailbox_id: str, tokens: Tokens) -> None:
        """Keep the access token that came along; without it the next probe fetches its own."""
        if self._grants is None:
            return
        now = self._clock.now()
        expires_at = now + timedelta(seconds=tokens.lifetime_seconds)
        ends_at = None if tokens.consent_seconds is None else now + timedelta(seconds=tokens.consent_seconds)
        with suppress(MailwatchError):
            grant = await self._grants.load(mailbox_id)
            if grant.refresh_token != tokens.refresh_token:
                return  # somebody has stored yet another consent, or renewed this one
            lease = await self._grants.begin_refresh(mailbox_id, epoch=grant.epoch, lease_seconds=_LEASE_SECONDS)
            if lease is not None:
                await self._grants.finish_refresh(
                    mailbox_id,
                    lease,
                    access_token=tokens.access_token,
                    expires_at=expires_at,
                    refresh_token=None,
                    consent_ends_at=ends_at,
                )


def consented(standing: Standing, now: datetime, actor: str) -> Decision:
    """What a new consent does to a standing: like a new secret, and who gave it wants the mailbox back, also from inactive.

    A hold stays: it has other reasons than the secret.
    """
    stored = acts.new_secret(standing, now, actor)
    if stored.after.state is not State.INACTIVE:
        return stored
    back = acts.reconnect(stored.after, now, actor)
    return Decision(standing, back.after, (*stored.transitions, *back.transitions))
