"""Who is asking: a token, or a signed-in browser; and what they may do.

Bearer tokens come first, then the session's cookie.  Tokens are looked up at most once in a few seconds each, so that asking the
sending gate before every message costs no database.
"""

import ipaddress
import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeVar

from fastapi import Depends, Request
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from mailwatch.desk.attempts import Rate
from mailwatch.desk.passwords import hashed
from mailwatch.ports import Act, Clock, StoreUnavailableError
from mailwatch.ports.people import Role, Session, Token
from mailwatch.web.problems import Problem
from mailwatch.web.surface import Surface

T = TypeVar("T")

#: How long a token that was good is believed (one revoked elsewhere ends within this), and a secret that was none is none.
TOKEN_SECONDS: Final = 5.0
_MOST_TOKENS: Final = 10_000
_GOOD_SECONDS: Final = 3600.0
_LONGEST_SECRET: Final = 200
#: By any of these a proxy shows itself, however little it was set up to tell.
_BY_PROXY: Final = re.compile(r"x-forwarded-.*|forwarded|via|x-real-ip|x-client-ip|cf-connecting-ip|true-client-ip")
_RANK: Final = {Role.READ: 0, Role.ACT: 1, Role.ADMIN: 2}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and how it is known."""

    name: str
    role: Role
    kind: Literal["user", "token", "local"]
    session_hash: str | None = None

    @property
    def actor(self) -> str:
        """As the audit log writes it."""
        return f"{self.kind}:{self.name}"

    def may(self, role: Role) -> bool:
        """Whether *role* is included in the caller's."""
        return _RANK[self.role] >= _RANK[role]


class TokenMemory:
    """Tokens found good lately, by hash."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, tuple[Token, float]] = {}

    def get(self, key: str) -> Token | None:
        """A token that was good a moment ago and has not reached its end."""
        found = self._known.get(key)
        if found is None or found[1] <= self._clock.monotonic():
            return None
        token = found[0]
        return None if token.expires_at is not None and token.expires_at <= self._clock.now() else token

    def put(self, key: str, token: Token) -> None:
        """Believe it for a while."""
        if len(self._known) >= _MOST_TOKENS:
            self._known.clear()
        self._known[key] = (token, self._clock.monotonic() + TOKEN_SECONDS)

    def forget(self) -> None:
        """Look all up anew: one was revoked."""
        self._known.clear()


class Strangers:
    """Look-ups of secrets that nobody here has: the first costs whoever asks, and the next few no database.

    Without it each made-up token would be read for before any limit counts it.  A secret found good within the last hour is looked
    up whatever its address has done: a flood from behind the same proxy ends no session.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._rate = Rate(per_minute, burst=burst_of(per_minute), clock=clock)
        self._clock = clock
        self._good: dict[str, float] = {}
        self._unknown: dict[str, float] = {}

    async def found(self, key: str, who: str, look_up: Callable[[], Awaitable[T | None]]) -> T | None:
        """What *look_up* finds for the hash *key*; raises Problem when *who* has asked in vain too often."""
        now = self._clock.monotonic()
        if self._unknown.get(key, now) > now:
            return None
        charged = self._good.get(key, now) <= now
        if charged and (wait := self._rate.take(who)) > 0:
            raise too_many(wait)
        try:
            found = await look_up()
        except StoreUnavailableError:
            if charged:
                self._rate.give_back(who)
            raise
        if found is None:
            _keep(self._unknown, key, now + TOKEN_SECONDS)
            return None
        if charged:
            self._rate.give_back(who)
        _keep(self._good, key, now + _GOOD_SECONDS)
        return found


def _keep(memory: dict[str, float], key: str, until: float) -> None:
    if len(memory) >= _MOST_TOKENS:
        memory.clear()
    memory[key] = until


def burst_of(per_minute: int) -> int:
    """A page loads a dozen things at once: a quarter of a minute's worth may come together."""
    return max(1, per_minute // 4)


def too_many(wait: float) -> Problem:
    """Refused for *wait* seconds."""
    seconds = max(1, math.ceil(wait))
    return Problem("too_many", f"try again in {seconds} s", headers={"retry-after": str(seconds)})


def path_of(scope: Scope) -> str:
    """Without the prefix a proxy may have put before it."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def purse_of(scope: Scope, who: str) -> str:
    """On whose account a request is: whoever floods from Prometheus' own address shall not blind it."""
    return f"scrape:{who}" if path_of(scope) == "/metrics" else who


def surface_of(request: HTTPConnection) -> Surface:
    """What this application works with."""
    surface = request.app.state.surface
    assert isinstance(surface, Surface)
    return surface


async def caller_of(request: HTTPConnection) -> Caller | None:
    """Who is asking, or None; looked up once a request.

    Raises StoreUnavailableError, and Problem for an address that has made up too many secrets.
    """
    if not hasattr(request.state, "caller"):
        request.state.caller = await _identify(request)
    caller: Caller | None = request.state.caller
    return caller


async def is_still_known(request: HTTPConnection) -> bool:
    """Whether who asked once is known yet, for answers that last: token not revoked, session not ended, role not smaller.

    While nobody can be looked up, whoever was known stays so.
    """
    before = await caller_of(request)
    try:
        now = await _identify(request)
    except (StoreUnavailableError, Problem):
        return True
    return now is not None and (before is None or now.may(before.role))


async def _identify(request: HTTPConnection) -> Caller | None:
    if not hasattr(request.app.state, "surface"):
        return None  # a node that only probes knows nobody
    authorization = request.headers.get("authorization")
    if authorization is not None:  # whoever sends one wants to be known by it, and by nothing else
        scheme, _, text = authorization.partition(" ")
        return await _by_token(request, text.strip()) if scheme.lower() == "bearer" else None
    cookie = request.cookies.get(cookie_name(request), "")
    if not cookie or len(cookie) > _LONGEST_SECRET:
        return None
    key = hashed(cookie)
    session = await _looked_up(request, key, lambda: surface_of(request).accounts.session_of(cookie))
    return None if session is None else Caller(session.user, session.role, "user", key)


async def _looked_up(request: HTTPConnection, key: str, look_up: Callable[[], Awaitable[T | None]]) -> T | None:
    strangers: Strangers = request.app.state.strangers
    return await strangers.found(key, purse_of(request.scope, f"address:{origin_of(request)}"), look_up)


async def _by_token(request: HTTPConnection, text: str) -> Caller | None:
    if not text or len(text) > _LONGEST_SECRET:
        return None
    key = hashed(text)
    memory: TokenMemory = request.app.state.tokens
    token = memory.get(key)
    if token is None:
        token = await _looked_up(request, key, lambda: surface_of(request).accounts.token_of(text))
        if token is None:
            return None
        memory.put(key, token)
    return Caller(token.name, token.role, "token")


def act_of(request: HTTPConnection, caller: Caller, action: str) -> Act:
    """What the audit log is told: who, what, from where."""
    return Act(caller.actor, action, origin_of(request))


def origin_of(request: HTTPConnection) -> str:
    """The peer's address, behind trusted proxies the one they name."""
    return request.client.host if request.client is not None else "local"


# --- the cookie ------------------------------------------------------------------------------------------------------------------


def cookie_name(request: HTTPConnection) -> str:
    """`__Host-mailwatch` over TLS: then no other host and no plain page can have set it."""
    return "__Host-mailwatch" if request.url.scheme == "https" else "mailwatch"


def give_cookie(request: HTTPConnection, response: Response, secret: str, session: Session) -> None:
    """Let the browser keep the session's secret as long as the session lasts."""
    lifetime = (session.expires_at - session.created_at).total_seconds()
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(lifetime),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def take_cookie(request: HTTPConnection, response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax")


# --- what a route asks for -------------------------------------------------------------------------------------------------------


def is_local(request: HTTPConnection) -> bool:
    """Whether a program of this very machine asks, over loopback and not through a proxy.

    What only tells how the daemon is needs no sign-in then.  A proxy on this machine forwards for others, and says so.
    """
    if request.scope.get("mailwatch.forwarded") or any(_BY_PROXY.fullmatch(name) for name in request.headers):
        return False
    ends = [request.client.host if request.client else "", (request.scope.get("server") or ("",))[0], request.url.hostname or ""]
    return all(_is_loopback(host) for host in ends)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Needs:
    """The dependency of a route: the caller, if signed in and of at least *role*; the role is declared nowhere else.

    With *or_local*, a program of this machine needs no sign-in (see `is_local`).
    """

    def __init__(self, role: Role, *, or_local: bool = False) -> None:
        self.role, self.or_local = role, or_local

    async def __call__(self, request: Request) -> Caller:
        """Raises Problem: 401 without a caller, 403 when the role is too small."""
        if self.or_local and is_local(request):
            return Caller("", self.role, "local")
        caller = await caller_of(request)
        if caller is None:
            raise Problem("not_signed_in", headers={"www-authenticate": 'Bearer realm="mailwatch"'})
        if not caller.may(self.role):
            raise Problem("role_too_small", f"{caller.actor} has the role {caller.role}; this needs {self.role}")
        return caller


def needs(role: Role, *, or_local: bool = False) -> Callable[[Request], Awaitable[Caller]]:
    """`Depends(needs(Role.ACT))`: the caller, of at least this role."""
    return Needs(role, or_local=or_local)


Reader = Annotated[Caller, Depends(Needs(Role.READ))]
Actor = Annotated[Caller, Depends(Needs(Role.ACT))]
Admin = Annotated[Caller, Depends(Needs(Role.ADMIN))]
