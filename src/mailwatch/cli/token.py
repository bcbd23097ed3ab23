"""`mailwatch token create|list|revoke`: the keys with which programs use the API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from mailwatch.cli.moments import shown, stamp
from mailwatch.cli.opening import ConfigOption, JsonOption, Opened, with_store
from mailwatch.cli.output import emit_json, ends_cleanly, say
from mailwatch.desk.accounts import Accounts
from mailwatch.ports.people import Role, Token

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


def accounts_of(opened: Opened) -> Accounts:
    """The accounts of the opened database."""
    return Accounts(opened.store.people, opened.clock, session_seconds=opened.settings.web.session_seconds)


@app.command("create")
@ends_cleanly
def create(
    name: Annotated[str, typer.Argument(help="What it is for; the audit log names it.")],
    role: Annotated[Role, typer.Option(help="What it may do: read, act (and campaigns), admin.")] = Role.READ,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Its life in days (default: no end).", show_default=False)
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """Make a token and print it on standard output: this once, for only its hash is kept."""

    async def work(opened: Opened) -> tuple[Token, str]:
        return await accounts_of(opened).create_token(name, role, days, opened.act("token.create"))

    token, text = with_store(config, work, keys=False)
    if as_json:
        emit_json({**_as_json(token), "token": text})
        return
    typer.echo(text)
    say(f"{token.id} ({token.name}) may {token.role}" + (f" until {shown(token.expires_at)}" if token.expires_at else ""))


@app.command("list")
@ends_cleanly
def list_tokens(config: ConfigOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002  # a flag is a bool
    """List the tokens, newest first; none can be shown again."""

    async def work(opened: Opened) -> tuple[Sequence[Token], datetime]:
        return await opened.store.people.tokens(), opened.clock.now()

    tokens, now = with_store(config, work, keys=False)
    if as_json:
        emit_json({"tokens": [_as_json(token) for token in tokens]})
        return
    if not tokens:
        say("none; `mailwatch token create NAME` makes one")
    for token in tokens:
        used = f"used {shown(token.last_used_at)}" if token.last_used_at else "never used"
        typer.echo(f"{token.id}  {token.role:<5}  {token.name}  {_standing(token, now)}, {used}, by {token.created_by}")


@app.command("revoke")
@ends_cleanly
def revoke(
    token: Annotated[str, typer.Argument(help="Its id, or the name of one that is good.")], config: ConfigOption = None
) -> None:
    """End a token; a running daemon stops believing it within seconds."""

    async def work(opened: Opened) -> None:
        await accounts_of(opened).revoke_token(token, opened.act("token.revoke"))

    with_store(config, work, keys=False)
    say(f"{token} is revoked")


def _standing(token: Token, now: datetime) -> str:
    if token.revoked_at is not None:
        return f"revoked {shown(token.revoked_at)}"
    if token.expires_at is None:
        return "good"
    return f"{'ended' if token.expires_at <= now else 'good until'} {shown(token.expires_at)}"


def _as_json(token: Token) -> dict[str, str | None]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "created_at": stamp(token.created_at),
        "created_by": token.created_by,
        "expires_at": stamp(token.expires_at),
        "last_used_at": stamp(token.last_used_at),
        "revoked_at": stamp(token.revoked_at),
    }
