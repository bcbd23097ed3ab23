"""Access tokens for mailboxes that log in with OAuth (RFC 6749, 6): fresh, fetched once for all who ask, stored before use.

Applications that sign in by themselves need no consent and nothing stored: their tokens come from `app_tokens`.

A refresh runs as a task of its own: once the endpoint has answered, a rotated refresh token must reach the store even if the probe
that asked has run out of time.  Over several nodes `ports.Grants` gives one of them the lease.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.oauth import Grant, OAuthApp
from mailwatch.core.secret import Secret
from mailwatch.ports import Clock, ConsentMissingError, Grants, StoreUnavailableError
from mailwatch.probe.app_tokens import AppTokens
from mailwatch.probe.failures import ImpairedError, TokenFailureError

if TYPE_CHECKING:
    from mailwatch.probe.token_endpoint import TokenEndpoint, TokenReply

_FRESH: Final = timedelta(minutes=5)  #: a token that ends sooner is renewed first
_LEASE_SECONDS: Final = 30.0
_STORE_TRIES: Final = 5
#: How long the store may take to hand out a grant or a lease, and another node to renew; both stay well below a probe's time, or
#: the probe would run into its time-out and a slow database of ours would look like a silent token endpoint.
_STORE_SECONDS: Final = 3.0
_OTHER_SECONDS: Final = 8.0

T = TypeVar("T")


class Tokens(Protocol):
    """Where a prober gets access tokens."""

    async def access_token(self, mailbox: Mailbox, *, force: bool = False, refused: Secret | None = None) -> Secret:
        """A token that a server should accept; see `TokenSource.access_token`."""


class TokenSource:
    """Hands out access tokens.  *apps* by name; *endpoint* speaks HTTP; *grants* is where tokens rest.

    *told* hears of every refresh: the provider, and `renewed`, `refused` (the endpoint said no) or `failed` (it said nothing).
    """

    def __init__(
        self,
        apps: Mapping[str, OAuthApp],
        grants: Grants,
        clock: Clock,
        endpoint: "TokenEndpoint",
        *,
        told: Callable[[str, str], None] = lambda _provider, _result: None,
    ) -> None:
        self._told = told
        self._apps = dict(apps)
        self._grants = grants
        self._clock = clock
        self._endpoint = endpoint
        self._running: dict[str, asyncio.Task[Secret]] = {}
        self._app_tokens = AppTokens(clock, endpoint, told)

    async def access_token(self, mailbox: Mailbox, *, force: bool = False, refused: Secret | None = None) -> Secret:
        """A token that a server should accept.

        *force* renews it even if it looks fresh; *refused* is the token a server has just rejected: if another one
        is stored by now, that one is given.  Raises TokenFailureError with evidence, ImpairedError, and what `Grants` raises.
        """
        app = self._apps.get(mailbox.oauth_app or "")
        if app is not None and not app.needs_consent:
            return await self._app_tokens.access_token(app, mailbox, refused=refused)
        try:
            grant = await _in_time(self._grants.load(mailbox.id))
        except ConsentMissingError:
            # what a person must do is the same as after a revocation; without this the mailbox would be asked about for ever
            words = "no consent is stored: nobody has signed in for this mailbox yet"
            raise TokenFailureError(
                Evidence("oauth", Phase.TOKEN, words, mailbox.provider, oauth_error="invalid_grant", oauth_description=words)
            ) from None
        usable = self._usable(grant, force=force, refused=refused)
        if usable is not None:
            return usable
        task = self._running.get(mailbox.id)
        if task is None:
            task = asyncio.ensure_future(self._renew(mailbox, grant, refused))
            self._running[mailbox.id] = task
            task.add_done_callback(lambda done: self._forget(mailbox.id, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for running refreshes (their results must be stored), then let go of the HTTP client."""
        if self._running:
            await asyncio.wait(list(self._running.values()))
        await self._app_tokens.close()
        await self._endpoint.close()

    def _forget(self, mailbox_id: str, task: "asyncio.Task[Secret]") -> None:
        if self._running.get(mailbox_id) is task:
            del self._running[mailbox_id]
        if not task.cancelled():
            task.exception()  # whoever asked may be gone: then it is no news

    def _usable(self, grant: Grant, *, force: bool, refused: Secret | None) -> Secret | None:
        token = grant.access_token
        if token is None or token == refused or (force and refused is None):
            return None
        fresh = grant.expires_at is not None and grant.expires_at - self._clock.now() > _FRESH
        return token if fresh else None

    async def _renew(self, mailbox: Mailbox, grant: Grant, refused: Secret | None, *, again: bool = False) -> Secret:
        app = self._apps.get(mailbox.oauth_app or "")
        if app is None:
            raise ImpairedError("oauth_app_unknown")
        lease = await _in_time(self._grants.begin_refresh(mailbox.id, epoch=grant.epoch, lease_seconds=_LEASE_SECONDS))
        if lease is None:
            return await self._wait_for_other(mailbox, grant, refused)
        try:
            token = await self._keep(mailbox, lease, await self._endpoint.refresh(app, grant.refresh_token, mailbox.provider))
            self._told(mailbox.provider, "renewed")
            return token  # noqa: TRY300  # an else branch would have to repeat the name
        except TokenFailureError as failure:
            self._told(mailbox.provider, "refused" if failure.evidence.oauth_error else "failed")
            await self._abandon(mailbox.id, lease)
            if again or failure.evidence.oauth_error != "invalid_grant":
                raise
            return await self._second_look(mailbox, grant, refused, failure)
        except BaseException:
            await self._abandon(mailbox.id, lease)
            raise

    async def _second_look(self, mailbox: Mailbox, grant: Grant, refused: Secret | None, failure: TokenFailureError) -> Secret:
        """invalid_grant may only mean that the refresh token was rotated, or consent given anew, behind our back."""
        stored = await self._grants.load(mailbox.id)
        if (stored.generation, stored.epoch) == (grant.generation, grant.epoch):
            raise failure
        return self._usable(stored, force=False, refused=refused) or await self._renew(mailbox, stored, refused, again=True)

    async def _keep(self, mailbox: Mailbox, lease: str, reply: "TokenReply | Evidence") -> Secret:
        """Make the new tokens durable; only then may one be used."""
        if isinstance(reply, Evidence):
            raise TokenFailureError(reply)
        now = self._clock.now()
        expires_at = now + timedelta(seconds=reply.lifetime_seconds)
        ends_at = None if reply.consent_seconds is None else now + timedelta(seconds=reply.consent_seconds)
        for attempt in range(1, _STORE_TRIES + 1):
            try:
                grant = await self._grants.finish_refresh(
                    mailbox.id,
                    lease,
                    access_token=reply.access_token,
                    expires_at=expires_at,
                    refresh_token=reply.refresh_token,
                    consent_ends_at=ends_at,
                )
            except StoreUnavailableError:
                if attempt == _STORE_TRIES:
                    raise
                await asyncio.sleep(0.1 * 2**attempt)
            else:
                if grant.access_token is None:  # consent was given anew meanwhile: what we fetched was dropped
                    raise ImpairedError("token_refresh_pending")
                return grant.access_token
        raise AssertionError("unreachable")  # pragma: no cover

    async def _wait_for_other(self, mailbox: Mailbox, grant: Grant, refused: Secret | None) -> Secret:
        """Somebody else is renewing this grant, or has just done it: take what they stored."""
        pause = 0.05
        end = self._clock.monotonic() + _OTHER_SECONDS
        while True:
            stored = await _in_time(self._grants.load(mailbox.id))
            if stored.epoch != grant.epoch:
                usable = self._usable(stored, force=False, refused=refused)
                if usable is not None:
                    return usable
            if self._clock.monotonic() > end:
                raise ImpairedError("token_refresh_pending")
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)

    async def _abandon(self, mailbox_id: str, lease: str) -> None:
        try:
            await self._grants.abandon_refresh(mailbox_id, lease)
        except StoreUnavailableError:
            return  # the lease ends by itself


async def _in_time(asked: Awaitable[T]) -> T:
    """What the store answers; raises ImpairedError when it takes too long: that says nothing about a mailbox."""
    try:
        async with asyncio.timeout(_STORE_SECONDS):
            return await asked
    except TimeoutError:
        raise ImpairedError("store_failing") from None
