"""What a consent needs around it, in memory: sessions, owners' links, a provider that answers as it is told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mailwatch.core.mailbox import Mailbox
from mailwatch.core.oauth import OAuthApp
from mailwatch.core.secret import Secret
from mailwatch.ports import Act
from mailwatch.ports.consents import ConsentSession, ConsentState, DeviceStart, Tokens
from mailwatch.ports.people import OneTimeLink


class MemorySessions:
    """`ports.consents.ConsentSessions`."""

    def __init__(self) -> None:
        self.sessions: dict[str, ConsentSession] = {}
        self.acts: list[Act] = []
        self._ways: dict[str, tuple[str, str, Secret]] = {}  # state hash -> session, browser hash, verifier

    async def begin(
        self, session: ConsentSession, *, state_hash: str, browser_hash: str, verifier: Secret, act: Act | None = None
    ) -> None:
        for other in self.sessions.values():
            if other.mailbox_id == session.mailbox_id and other.state is ConsentState.WAITING:
                self.sessions[other.id] = replace(other, state=ConsentState.EXPIRED)
        self.sessions[session.id] = session
        self._ways[state_hash] = (session.id, browser_hash, verifier)
        self.acts += [act] if act else []

    async def take(self, state_hash: str, browser_hash: str, now: datetime) -> tuple[ConsentSession, Secret] | None:
        session_id, browser, verifier = self._ways.get(state_hash, ("", "", Secret("")))
        session = self.sessions.get(session_id)
        if session is None or browser != browser_hash or session.state is not ConsentState.WAITING or now >= session.expires_at:
            return None
        self.sessions[session_id] = replace(session, state=ConsentState.EXCHANGING)
        return self.sessions[session_id], verifier

    async def finish(self, session_id: str, state: ConsentState, error: str | None = None, *, act: Act | None = None) -> None:
        self.sessions[session_id] = replace(self.sessions[session_id], state=state, error=error)
        self.acts += [act] if act else []

    async def find(self, session_id: str, now: datetime) -> ConsentSession | None:
        session = self.sessions.get(session_id)
        if session is not None and session.state is ConsentState.WAITING and now >= session.expires_at:
            return replace(session, state=ConsentState.EXPIRED)
        return session

    async def of_mailbox(self, mailbox_id: str) -> Sequence[ConsentSession]:
        return [session for session in reversed(self.sessions.values()) if session.mailbox_id == mailbox_id]


class MemoryLinks:
    """The links of `ports.people.People`."""

    def __init__(self) -> None:
        self.links: dict[str, OneTimeLink] = {}
        self.acts: list[Act | None] = []

    async def add_link(self, hashed: str, link: OneTimeLink, act: Act | None) -> None:
        self.links[hashed] = link
        self.acts.append(act)

    async def link(self, hashed: str, now: datetime) -> OneTimeLink | None:
        found = self.links.get(hashed)
        return found if found is not None and now < found.expires_at else None

    async def use_link(self, hashed: str, now: datetime) -> OneTimeLink | None:
        found = await self.link(hashed, now)
        return None if found is None else self.links.pop(hashed)


class ScriptedProvider:
    """`ports.consents.ConsentEndpoints`: answers with what was put into `answers`, in turn; an exception is raised."""

    def __init__(self, *answers: Tokens | float | Exception) -> None:
        self.answers = list(answers)
        self.exchanged: list[dict[str, str]] = []
        self.asked: list[dict[str, object]] = []
        self.polled: list[float] = []  # the interval at each question
        self.revoked: list[str] = []
        self.start: DeviceStart | Exception = DeviceStart(
            Secret("device-c4n4ry"), "WDJB-MJHT", "https://login.example.org/device", 5.0, 900.0
        )

    def authorize_url(
        self, app: OAuthApp, *, state: str, challenge: str, redirect_uri: str, address: str, choose: bool = False
    ) -> str:
        asked = {"state": state, "challenge": challenge, "redirect_uri": redirect_uri, "address": address, "choose": choose}
        self.asked.append(asked)
        return f"https://login.example.org/authorize?state={state}"

    async def exchange(self, app: OAuthApp, *, code: Secret, verifier: Secret, redirect_uri: str) -> Tokens:
        self.exchanged.append({"code": code.reveal(), "verifier": verifier.reveal(), "redirect_uri": redirect_uri})
        answer = self._next()
        assert isinstance(answer, Tokens)
        return answer

    async def start_device(self, app: OAuthApp) -> DeviceStart:
        if isinstance(self.start, Exception):
            raise self.start
        return self.start

    async def poll_device(self, app: OAuthApp, start: DeviceStart) -> Tokens | float:
        self.polled.append(start.interval_seconds)
        return self._next()

    async def revoke(self, app: OAuthApp, refresh_token: Secret) -> bool:
        self.revoked.append(refresh_token.reveal())
        return True

    def _next(self) -> Tokens | float:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class ToldProof:
    """`ports.consents.LoginProof`: says what it was told."""

    def __init__(self, words: str | None = None) -> None:
        self.words = words
        self.shown: list[str] = []

    async def refusal(self, mailbox: Mailbox, access_token: Secret) -> str | None:
        self.shown.append(mailbox.address)
        return self.words
