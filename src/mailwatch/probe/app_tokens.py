"""Access tokens that an application has without anybody's consent: kept in memory, fetched once for all who ask, never stored.

With client credentials one token serves every mailbox of the application; with a service account each mailbox has its own.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from mailwatch.core.evidence import Evidence
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.oauth import GrantKind, OAuthApp
from mailwatch.core.secret import Secret
from mailwatch.ports import Clock
from mailwatch.probe.failures import ImpairedError, TokenFailureError

if TYPE_CHECKING:
    from mailwatch.probe.token_endpoint import TokenEndpoint

_FRESH: Final = timedelta(minutes=5)  #: a token that ends sooner is renewed first
_SETTLED: Final = timedelta(minutes=2)  #: a token younger than this is refused for other reasons than its age
_TIDY_EVERY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Held:
    token: Secret
    born_at: datetime
    expires_at: datetime


class AppTokens:
    """Hands out tokens of applications that sign in by themselves; *told* as in `oauth.TokenSource`."""

    def __init__(self, clock: Clock, endpoint: "TokenEndpoint", told: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._told = told
        self._held: dict[tuple[str, str], _Held] = {}
        self._running: dict[tuple[str, str], asyncio.Task[Secret]] = {}
        self._tidied_at = clock.now()

    async def access_token(self, app: OAuthApp, mailbox: Mailbox, *, refused: Secret | None = None) -> Secret:
        """A token for *mailbox*; *refused* is one that a server has just rejected.

        A new one is fetched only if the rejected one is not brand-new: thousands of mailboxes share it, and one that may not be
        opened with it must not make each of its probes fetch another.  Raises TokenFailureError, ImpairedError.
        """
        key = (app.name, "" if app.grant is GrantKind.CLIENT_CREDENTIALS else mailbox.username)
        held, now = self._held.get(key), self._clock.now()
        if held is not None and held.expires_at - now > _FRESH:
            if held.token != refused:
                return held.token
            if now - held.born_at < _SETTLED:
                raise ImpairedError("token_not_renewable")
        task = self._running.get(key)
        if task is None:
            task = asyncio.ensure_future(self._fetch(key, app, mailbox))
            self._running[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what is being fetched."""
        if self._running:
            await asyncio.wait(list(self._running.values()))

    async def _fetch(self, key: tuple[str, str], app: OAuthApp, mailbox: Mailbox) -> Secret:
        reply = await self._endpoint.sign_in(app, mailbox.username, mailbox.provider)
        if isinstance(reply, Evidence):
            self._told(mailbox.provider, "refused" if reply.oauth_error else "failed")
            raise TokenFailureError(reply)
        self._told(mailbox.provider, "renewed")
        now = self._clock.now()
        self._tidy(now)
        self._held[key] = _Held(reply.access_token, now, now + timedelta(seconds=reply.lifetime_seconds))
        return reply.access_token

    def _tidy(self, now: datetime) -> None:
        """Drop what has run out, such as the tokens of mailboxes that are no longer there."""
        if now - self._tidied_at > _TIDY_EVERY:
            self._tidied_at = now
            self._held = {key: held for key, held in self._held.items() if held.expires_at > now}

    def _forget(self, key: tuple[str, str], task: "asyncio.Task[Secret]") -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone: then it is no news
