"""Consents: a mailbox's owner signs in at the provider and lets mailwatch in again; one meaning for page, API and command line.

A flow is begun for one mailbox, by one browser, and is good for ten minutes and one use.  What comes back is checked (scopes, who
signed in) before anything is stored; once it is, the mailbox goes through verification like after every other repair.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from mailwatch.core.evidence import clean
from mailwatch.core.mailbox import AuthKind, Mailbox
from mailwatch.core.oauth import OAuthApp, challenge_of
from mailwatch.core.secret import Secret
from mailwatch.desk.acts import Withdraw, Withdrawal
from mailwatch.desk.consent_check import denial, told_names, unfit, without_addresses
from mailwatch.desk.consent_keeping import ConsentKeeping
from mailwatch.desk.passwords import hashed, new_secret
from mailwatch.ports import Act, Clock, ConsentMissingError, Grants, MailboxNotFoundError, MailboxView, Store
from mailwatch.ports.consents import (
    ConsentEndpoints,
    ConsentError,
    ConsentSession,
    ConsentSessions,
    ConsentState,
    DeviceStart,
    LoginProof,
    Tokens,
)
from mailwatch.ports.people import LinkKind, OneTimeLink, People

#: How long a flow may take, from the click to the way back.
SESSION_SECONDS: Final = 600.0
#: How long a link for a mailbox's owner is good for.
LINK_SECONDS: Final = 7 * 86_400.0
#: Who a flow begun by such a link is in the audit log.
OWNER: Final = "link:owner"
_VERIFIER_BYTES: Final = 48  #: 64 characters; RFC 7636, 4.1 asks for 43 to 128
_MAX_WORDS: Final = 200


@dataclass(slots=True)
class _Device:
    """A device flow that this process polls; the code stays here."""

    session: ConsentSession
    app: OAuthApp
    start: DeviceStart
    ask_at: float  #: monotonic
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


class Consents:
    """Runs the flows.

    *redirect_uri* tells where the provider sends browsers back to.  *people* keeps the owners' links; *grants* gets the first
    access token, so that it need not be fetched again; *proof* shows who signed in where the provider does not tell; *roused* is
    called when a mailbox became due at once.
    """

    def __init__(
        self,
        apps: Mapping[str, OAuthApp],
        endpoints: ConsentEndpoints,
        sessions: ConsentSessions,
        store: Store,
        clock: Clock,
        redirect_uri: Callable[[], str],
        *,
        people: People | None = None,
        grants: Grants | None = None,
        proof: LoginProof | None = None,
        roused: Callable[[], None] = lambda: None,
    ) -> None:
        self._apps = apps
        self._endpoints = endpoints
        self._sessions = sessions
        self._store = store
        self._keeping = ConsentKeeping(store, grants, clock)
        self._clock = clock
        self._redirect_uri = redirect_uri
        self._people = people
        self._grants = grants
        self._proof = proof
        self._roused = roused
        self._devices: dict[str, _Device] = {}

    # --- in a browser ---

    async def begin(self, mailbox_id: str, by: Act, *, browser: str) -> tuple[ConsentSession, str]:
        """A new flow for the mailbox, bound to *browser* (a secret that only this browser has), and where to send it.

        Raises MailboxNotFoundError, and ConsentError when the mailbox has no consent to give.
        """
        mailbox, app = await self._subject(mailbox_id)
        before = await self._sessions.of_mailbox(mailbox.id)
        state, verifier = new_secret(), Secret(secrets.token_urlsafe(_VERIFIER_BYTES))
        url = self._endpoints.authorize_url(
            app,
            state=state,
            challenge=challenge_of(verifier.reveal()),
            redirect_uri=self._redirect_uri(),
            address=mailbox.address,
            choose=bool(before) and before[0].state is ConsentState.FAILED,
        )
        session = self._new_session(mailbox, app, by, SESSION_SECONDS)
        await self._sessions.begin(
            session, state_hash=hashed(state), browser_hash=hashed(browser), verifier=verifier, act=_act(by, "consent.begin")
        )
        return session, url

    async def finish(
        self,
        state: str,
        browser: str,
        *,
        code: str | None = None,
        error: str | None = None,
        description: str | None = None,
        origin: str = "local",
    ) -> ConsentSession:
        """The browser is back: STORED, or FAILED with the reason in `error`.

        Raises ConsentError when *state* was used already, has ended, or was begun in another browser.
        """
        taken = await self._sessions.take(hashed(state), hashed(browser), self._clock.now())
        if taken is None:
            raise ConsentError("this sign-in was used already, took too long, or was begun in another browser; start it again")
        session, verifier = taken
        if error or not code:
            words = denial(clean(error or "no code came back", _MAX_WORDS), clean(description or "", _MAX_WORDS))
            return await self._failed(session, words, origin)

        async def exchange(app: OAuthApp) -> Tokens:
            return await self._endpoints.exchange(app, code=Secret(code), verifier=verifier, redirect_uri=self._redirect_uri())

        return await self._settled(session, exchange, origin)

    async def find(self, session_id: str) -> ConsentSession | None:
        """How far a flow has come."""
        return await self._sessions.find(session_id, self._clock.now())

    # --- on another device ---

    async def begin_device(self, mailbox_id: str, by: Act) -> ConsentSession:
        """A new flow with a code to type elsewhere; raises MailboxNotFoundError, and ConsentError where there is no such flow.

        This process must poll it.
        """
        mailbox, app = await self._subject(mailbox_id)
        start = await self._endpoints.start_device(app)
        session = replace(
            self._new_session(mailbox, app, by, min(SESSION_SECONDS, start.expires_in_seconds)),
            user_code=start.user_code,
            verification_url=start.verification_url,
        )
        # nobody ever comes back with this state: the tokens come by asking
        await self._sessions.begin(
            session,
            state_hash=hashed(new_secret()),
            browser_hash=hashed(new_secret()),
            verifier=start.device_code,
            act=_act(by, "consent.begin"),
        )
        self._devices = {key: one for key, one in self._devices.items() if one.session.expires_at > session.created_at}
        self._devices[session.id] = _Device(session, app, start, self._clock.monotonic() + start.interval_seconds)
        return session

    async def poll_device(self, session_id: str, *, origin: str = "local") -> ConsentSession | None:
        """How far it has come; the provider is asked no more often than it wants, however often this is called."""
        device = self._devices.get(session_id)
        if device is None:
            return await self.find(session_id)
        async with device.busy:
            if session_id not in self._devices:
                return await self.find(session_id)  # another call has just settled it
            if self._clock.monotonic() < device.ask_at:
                return device.session
            return await self._poll(device, origin)

    async def _poll(self, device: _Device, origin: str) -> ConsentSession:
        session = device.session
        if self._clock.now() >= session.expires_at:
            return await self._device_ended(session, self._failed(session, "the code was not typed in time; start again", origin))
        try:
            answer = await self._endpoints.poll_device(device.app, device.start)
        except ConsentError as refused:
            return await self._device_ended(session, self._failed(session, str(refused), origin))
        if isinstance(answer, Tokens):
            return await self._device_ended(session, self._settled(session, _given(answer), origin))
        device.start = replace(device.start, interval_seconds=answer)
        device.ask_at = self._clock.monotonic() + answer
        return session

    async def _device_ended(self, session: ConsentSession, end: Awaitable[ConsentSession]) -> ConsentSession:
        try:
            return await end
        finally:
            self._devices.pop(session.id, None)

    # --- the owner's link ---

    async def reconnect_link(self, mailbox_id: str, by: Act) -> str:
        """The secret of a one-time link with which the mailbox's owner gives consent anew, and can do nothing else."""
        mailbox, app = await self._subject(mailbox_id)
        # a link that leads nowhere must not be sent to anybody
        self._endpoints.authorize_url(app, state="", challenge="", redirect_uri=self._redirect_uri(), address=mailbox.address)
        return await self._new_link(mailbox.id, LINK_SECONDS, _act(by, "consent.link"))

    async def mailbox_of_link(self, key: str) -> Mailbox | None:
        """Whose link it is, without using it up; None when it was used, has ended, or is none."""
        link = None if self._people is None else await self._people.link(hashed(key), self._clock.now())
        if link is None or link.kind is not LinkKind.RECONNECT:
            return None
        try:
            return (await self._store.find(link.subject)).mailbox
        except MailboxNotFoundError:
            return None

    async def begin_by_link(self, key: str, *, browser: str, origin: str = "local") -> tuple[ConsentSession, str]:
        """Use the link up and begin; raises ConsentError when it is no longer good."""
        mailbox = await self.mailbox_of_link(key)
        if mailbox is None or self._people is None or await self._people.use_link(hashed(key), self._clock.now()) is None:
            raise ConsentError("this link was used already or has run out; ask for a new one")
        return await self.begin(mailbox.id, Act(OWNER, "consent.begin", origin), browser=browser)

    async def second_chance(self, session: ConsentSession) -> str | None:
        """A new link for an owner whose flow has just failed in this very browser; None for everybody else."""
        if session.actor != OWNER or session.state is not ConsentState.FAILED:
            return None
        return await self._new_link(session.mailbox_id, SESSION_SECONDS, None)

    # --- when a mailbox is removed ---

    async def withdrawal(self, view: MailboxView) -> Withdraw | None:
        """What withdraws the mailbox's consent once it is removed; None where there is none, or the provider has no way.

        The token is loaded now.  At Google a withdrawal ends whatever the account has allowed this application, so it is left
        alone while another mailbox logs in as the same.  Raises what the store raises.
        """
        mailbox, app = view.mailbox, self._apps.get(view.mailbox.oauth_app or "")
        if self._grants is None or app is None or not app.needs_consent or app.revoke_url is None:
            return None
        try:
            token = (await self._grants.load(mailbox.id)).refresh_token
        except ConsentMissingError:
            return None
        names = frozenset(each.name for each in self._apps.values() if each.client_id == app.client_id)

        async def withdraw() -> Withdrawal:
            if await self._store.shares_login(mailbox, names):
                return Withdrawal.SHARED
            return Withdrawal.DONE if await self._endpoints.revoke(app, token) else Withdrawal.FAILED

        return withdraw

    # --- inside ---

    async def _subject(self, mailbox_id: str) -> tuple[Mailbox, OAuthApp]:
        mailbox = (await self._store.find(mailbox_id)).mailbox
        if mailbox.auth is not AuthKind.OAUTH:
            raise ConsentError(f"{mailbox.address} logs in with a password; give it a new one instead")
        app = self._apps.get(mailbox.oauth_app or "")
        if app is None:
            raise ConsentError(f"{mailbox.address} uses the application {mailbox.oauth_app}, which the configuration does not have")
        if not app.needs_consent:
            raise ConsentError(f"[oauth.{app.name}] signs in by itself ({app.grant}); {mailbox.address} has no consent to give")
        return mailbox, app

    def _new_session(self, mailbox: Mailbox, app: OAuthApp, by: Act, seconds: float) -> ConsentSession:
        now = self._clock.now()
        return ConsentSession(
            id=f"oas_{secrets.token_hex(8)}",
            mailbox_id=mailbox.id,
            app=app.name,
            state=ConsentState.WAITING,
            created_at=now,
            expires_at=now + timedelta(seconds=seconds),
            actor=by.actor,
        )

    async def _new_link(self, mailbox_id: str, seconds: float, act: Act | None) -> str:
        if self._people is None:
            raise ConsentError("there is nowhere to keep links")
        secret = new_secret()
        until_at = self._clock.now() + timedelta(seconds=seconds)
        await self._people.add_link(hashed(secret), OneTimeLink(LinkKind.RECONNECT, mailbox_id, until_at), act)
        return secret

    async def _settled(
        self, session: ConsentSession, fetch: Callable[[OAuthApp], Awaitable[Tokens]], origin: str
    ) -> ConsentSession:
        """Fetch the tokens, check them, store them."""
        try:
            mailbox, app = await self._subject(session.mailbox_id)
            tokens = await fetch(app)
            fault = await self._fault(app, mailbox, tokens)
        except ConsentError as refused:
            return await self._failed(session, str(refused), origin)
        except MailboxNotFoundError:
            return _of_nobody(session)
        if fault is not None:
            # Nothing is revoked: at Google that would end every consent of whoever signed in, also one that another mailbox uses.
            return await self._failed(session, fault, origin)
        try:
            await self._keeping.keep(session, tokens, origin)
        except MailboxNotFoundError:
            return _of_nobody(session)
        await self._sessions.finish(session.id, ConsentState.STORED)
        self._roused()
        return replace(session, state=ConsentState.STORED)

    async def _fault(self, app: OAuthApp, mailbox: Mailbox, tokens: Tokens) -> str | None:
        found = unfit(app, mailbox, tokens)
        if found is not None or told_names(tokens):
            return found
        if self._proof is None:
            return f"the provider does not tell who signed in; set userinfo_url in [oauth.{app.name}]"
        words = await self._proof.refusal(mailbox, tokens.access_token)
        if words is None:
            return None
        return f"the consent does not open {mailbox.address}; sign in there as this mailbox ({clean(words, _MAX_WORDS)})"

    async def _failed(self, session: ConsentSession, words: str, origin: str) -> ConsentSession:
        act = Act(session.actor, "consent.refused", origin)
        await self._sessions.finish(session.id, ConsentState.FAILED, without_addresses(words), act=act)
        return replace(session, state=ConsentState.FAILED, error=words)


def _of_nobody(session: ConsentSession) -> ConsentSession:
    """The end of a flow whose mailbox is gone, and the flow at rest with it."""
    return replace(session, state=ConsentState.FAILED, error="the mailbox was removed meanwhile; nothing was stored")


def _given(tokens: Tokens) -> Callable[[OAuthApp], Awaitable[Tokens]]:
    async def give(_app: OAuthApp) -> Tokens:
        return tokens

    return give


def _act(by: Act, action: str) -> Act:
    return Act(by.actor, action, by.origin)
