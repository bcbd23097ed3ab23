"""`mailwatch db migrate|check|backup`: the database as a whole."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from mailwatch.cli.opening import ConfigOption, JsonOption, Opened, database_password, settings_of, with_store
from mailwatch.cli.output import CliError, ExitCode, emit_json, ends_cleanly, say

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.command("migrate")
@ends_cleanly
def migrate(config: ConfigOption = None) -> None:
    """Create the database, or bring it to this program's schema; killed in the middle, it can be run again."""
    from mailwatch.store import migrate as bring_up_to_date  # noqa: PLC0415  # SQLAlchemy is slow to import
    from mailwatch.store.schema import HEAD  # noqa: PLC0415  # as above

    settings = settings_of(config)
    before = asyncio.run(bring_up_to_date(settings.store.url, database_password(settings)))
    if before == HEAD:
        say(f"the database has schema {HEAD} already")
    else:
        say(f"the database was {'created' if before is None else f'brought from schema {before}'} with schema {HEAD}")


@app.command("check")
@ends_cleanly
def check(
    config: ConfigOption = None,
    without_keys: Annotated[  # noqa: FBT002  # a flag is a bool
        bool, typer.Option("--without-keys", help="Do not try whether each secret can be read; needs no key ring.")
    ] = False,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """Look for damage, broken history, mailboxes that are never due and secrets that cannot be read; exit 1 with findings."""

    async def work(opened: Opened) -> list[str]:
        return list(await opened.store.check())

    found = with_store(config, work, keys=not without_keys)
    if as_json:
        emit_json({"sound": not found, "findings": found})
    elif found:
        for finding in found:
            typer.echo(finding)
    else:
        typer.echo("the database is sound")
    if found:
        raise typer.Exit(ExitCode.UNHEALTHY)


@app.command("backup")
@ends_cleanly
def backup(file: Annotated[Path, typer.Argument(help="The copy to make; it must not exist.")], config: ConfigOption = None) -> None:
    """Copy the database while the daemon works (SQLite; for PostgreSQL use pg_dump).  The key ring is not in it: keep it apart."""
    if not file.absolute().parent.is_dir():
        raise CliError(f"{file.absolute().parent} is no folder")
    if file.exists():
        raise CliError(f"{file} is there already; name another file")

    async def work(opened: Opened) -> None:
        await opened.store.backup(file.absolute())

    with_store(config, work, keys=False)
    say(f"{file} written: {file.stat().st_size:,} bytes; secrets in it are sealed, the key ring is not in it")
