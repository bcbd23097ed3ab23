"""`mailwatch user add|list|remove|set-password|setup-link|sign-in-link`: the people who use the page."""

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from mailwatch.cli.mailbox_add import ask_secret
from mailwatch.cli.moments import shown, stamp
from mailwatch.cli.opening import ConfigOption, JsonOption, Opened, with_store
from mailwatch.cli.output import emit_json, ends_cleanly, say
from mailwatch.cli.token import accounts_of
from mailwatch.core.secret import Secret
from mailwatch.ports.people import Role, User

T = TypeVar("T")

SETUP: Final = "/setup"
SIGN_IN: Final = "/sign-in"

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
PasswordFile = Annotated[Path | None, typer.Option("--password-file", help="Read it from this file.", show_default=False)]


@app.command("add")
@ends_cleanly
def add(
    name: NameArgument,
    role: Annotated[Role, typer.Option(help="What they may do: read, act (and campaigns), admin.")] = Role.ACT,
    password_stdin: PasswordStdin = False,  # noqa: FBT002  # a flag is a bool
    password_file: PasswordFile = None,
    link: Annotated[bool, typer.Option("--link", help="No password: print a link to sign in with.")] = False,  # noqa: FBT002  # as above
    config: ConfigOption = None,
) -> None:
    """Add a user with a password, or with a link to sign in once."""
    password: Secret | None = None if link else ask_secret(f"Password of {name}", stdin=password_stdin, file=password_file)

    async def work(opened: Opened) -> str | None:
        accounts = accounts_of(opened)
        await accounts.add_user(name, password, role, opened.act("user.add"))
        return await accounts.sign_in_link(name, opened.act("user.sign_in_link")) if link else None

    secret, url = with_store(config, lambda opened: _with_url(opened, work(opened), SIGN_IN), keys=False)
    say(f"{name} may {role}")
    if secret is not None:
        typer.echo(f"{url}?key={secret}")


@app.command("list")
@ends_cleanly
def list_users(config: ConfigOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002  # a flag is a bool
    """List the users."""

    async def work(opened: Opened) -> Sequence[User]:
        return await opened.store.people.users()

    users = with_store(config, work, keys=False)
    if as_json:
        emit_json({"users": [{"name": user.name, "role": user.role.value, "created_at": stamp(user.created_at)} for user in users]})
        return
    if not users:
        say("none; `mailwatch user add NAME` adds one")
    for user in users:
        typer.echo(f"{user.name}  {user.role}  since {shown(user.created_at)}")


@app.command("remove")
@ends_cleanly
def remove(name: NameArgument, config: ConfigOption = None) -> None:
    """Remove a user, whose sessions end; the last admin stays."""

    async def work(opened: Opened) -> None:
        await accounts_of(opened).remove_user(name, opened.act("user.remove"))

    with_store(config, work, keys=False)
    say(f"{name} is removed")


@app.command("set-password")
@ends_cleanly
def set_password(
    name: NameArgument,
    password_stdin: PasswordStdin = False,  # noqa: FBT002  # a flag is a bool
    password_file: PasswordFile = None,
    config: ConfigOption = None,
) -> None:
    """Give a user a new password, which ends the user's sessions."""
    password = ask_secret(f"New password of {name}", stdin=password_stdin, file=password_file)

    async def work(opened: Opened) -> None:
        await accounts_of(opened).set_password(name, password, opened.act("user.set_password"))

    with_store(config, work, keys=False)
    say(f"{name} has a new password")


@app.command("setup-link")
@ends_cleanly
def setup_link(config: ConfigOption = None) -> None:
    """Print the one-time link with which the first user is made; it ends the older ones, and itself after a day."""

    async def work(opened: Opened) -> str:
        return await accounts_of(opened).setup_link()

    secret, url = with_store(config, lambda opened: _with_url(opened, work(opened), SETUP), keys=False)
    typer.echo(f"{url}?key={secret}")


@app.command("sign-in-link")
@ends_cleanly
def sign_in_link(name: NameArgument, config: ConfigOption = None) -> None:
    """Print a link that signs the user in once, without the password; good for half an hour."""

    async def work(opened: Opened) -> str:
        return await accounts_of(opened).sign_in_link(name, opened.act("user.sign_in_link"))

    secret, url = with_store(config, lambda opened: _with_url(opened, work(opened), SIGN_IN), keys=False)
    typer.echo(f"{url}?key={secret}")


async def _with_url(opened: Opened, work: Awaitable[T], page: str) -> tuple[T, str]:
    """What *work* brings, and where browsers find the page."""
    from mailwatch.desk.whereabouts import page_url  # noqa: PLC0415  # pydantic is slow to import

    return await work, page_url(opened.settings, page)
