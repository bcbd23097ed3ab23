"""/api/v1/tokens, /api/v1/users, /api/v1/me: who may use the API and the page.  Secrets are shown once, when they are made."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field, Strict
from starlette.responses import Response

from mailwatch.core.secret import Secret
from mailwatch.ports.people import Role, Token, User
from mailwatch.web.api.answers import answer
from mailwatch.web.api.fields import WHOLE, Given, Here, IdPath, Moment, Name, NamePath, SecretText, Shown
from mailwatch.web.auth import Admin, Reader, TokenMemory, act_of
from mailwatch.web.idempotency import holds_secret
from mailwatch.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["people"])


class Me(Shown):
    """Who is asking."""

    name: str
    kind: str
    role: Role


class TokenShown(Shown):
    """A token, without its text."""

    id: str
    name: str
    role: Role
    created_at: Moment
    created_by: str
    expires_at: Moment | None
    last_used_at: Moment | None
    revoked_at: Moment | None


class NewToken(TokenShown):
    """A token just made: `token` is its text, shown this once."""

    token: str


class Tokens(Shown):
    """Newest first."""

    tokens: list[TokenShown]


class TokenGiven(Given):
    """A token to make; without `days` it does not end."""

    name: Name
    role: Role
    days: Annotated[int, Strict(), Field(ge=1, le=3650), WHOLE] | None = None


class UserShown(Shown):
    """A user."""

    name: str
    role: Role
    created_at: Moment


class Users(Shown):
    """By name."""

    users: list[UserShown]


class UserGiven(Given):
    """A user to add; without a password one who signs in by a link."""

    name: Name
    role: Role
    password: SecretText | None = None


class UserChange(Given):
    """What is to change; either ends the user's sessions."""

    role: Role | None = None
    password: SecretText | None = None


def _token(token: Token) -> TokenShown:
    return TokenShown(
        id=token.id,
        name=token.name,
        role=token.role,
        created_at=token.created_at,
        created_by=token.created_by,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        revoked_at=token.revoked_at,
    )


def _user(user: User) -> UserShown:
    return UserShown(name=user.name, role=user.role, created_at=user.created_at)


@router.get("/me", response_model=Me, operation_id="get_me")
async def me(request: Request, caller: Reader) -> Response:
    """Who is asking, and with which role."""
    return answer(request, Me(name=caller.name, kind=caller.kind, role=caller.role))


@router.get("/tokens", response_model=Tokens, operation_id="list_tokens")
async def list_tokens(request: Request, _: Admin, here: Here) -> Response:
    """All tokens, those that ended too."""
    return answer(request, Tokens(tokens=[_token(token) for token in await here.people.tokens()]))


@router.post("/tokens", response_model=NewToken, status_code=201, operation_id="create_token")
async def create_token(request: Request, caller: Admin, here: Here, given: TokenGiven) -> Response:
    """Make a token; its text is in this answer, and nowhere else ever."""
    holds_secret(request)
    token, text = await here.accounts.create_token(given.name, given.role, given.days, act_of(request, caller, "token.create"))
    content = NewToken(**_token(token).model_dump(), token=text)
    return answer(request, content, status=201, headers={"cache-control": "no-store", "location": f"/api/v1/tokens/{token.id}"})


@router.delete("/tokens/{token_id}", status_code=204, operation_id="revoke_token")
async def revoke_token(request: Request, caller: Admin, here: Here, token_id: IdPath) -> Response:
    """End a token at once (within seconds on other nodes)."""
    if all(token.id != token_id for token in await here.people.tokens()):
        raise Problem("not_found", "no such token")
    await here.accounts.revoke_token(token_id, act_of(request, caller, "token.revoke"))
    memory: TokenMemory = request.app.state.tokens
    memory.forget()
    return Response(status_code=204)


@router.get("/users", response_model=Users, operation_id="list_users")
async def list_users(request: Request, _: Admin, here: Here) -> Response:
    """All users."""
    return answer(request, Users(users=[_user(user) for user in await here.people.users()]))


@router.post("/users", response_model=UserShown, status_code=201, operation_id="add_user")
async def add_user(request: Request, caller: Admin, here: Here, given: UserGiven) -> Response:
    """Add a user."""
    password = None if given.password is None else Secret(given.password)
    user = await here.accounts.add_user(given.name, password, given.role, act_of(request, caller, "user.add"))
    return answer(request, _user(user), status=201, headers={"location": f"/api/v1/users/{user.name}"})


@router.patch("/users/{name}", response_model=UserShown, operation_id="change_user")
async def change_user(request: Request, caller: Admin, here: Here, name: NamePath, given: UserChange) -> Response:
    """Give a user another role or a new password."""
    await _known(here, name)
    if given.role is not None:
        await here.accounts.set_role(name, given.role, act_of(request, caller, "user.set_role"))
    if given.password is not None:
        await here.accounts.set_password(name, Secret(given.password), act_of(request, caller, "user.set_password"))
    return answer(request, _user(await _known(here, name)))


@router.delete("/users/{name}", status_code=204, operation_id="remove_user")
async def remove_user(request: Request, caller: Admin, here: Here, name: NamePath) -> Response:
    """Remove a user, whose sessions end."""
    await _known(here, name)
    await here.accounts.remove_user(name, act_of(request, caller, "user.remove"))
    return Response(status_code=204)


async def _known(here: Here, name: str) -> User:
    user = await here.people.user(name)
    if user is None:
        raise Problem("not_found", "no such user")
    return user
