"""`mailwatch config check|show|schema`: is the configuration right, what is in force, what can be said in it."""

import json
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from mailwatch.cli.output import CliError, ExitCode, emit_json, ends_cleanly

if TYPE_CHECKING:
    from mailwatch.cli.opening import Opened
    from mailwatch.config import ConfigError, Loaded
    from mailwatch.config.listing import Entry

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

FileArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE]",
        help="The configuration file (default: $MAILWATCH_CONFIG, ./mailwatch.toml, /etc/mailwatch/mailwatch.toml).",
        show_default=False,
        readable=False,  # looked at when it is opened: an unreadable file is no wrong usage, and ends with the code of permissions
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="As one JSON document.")]


@unique
class SchemaForm(StrEnum):
    """How `config schema` writes the model down."""

    JSON = "json"  #: JSON Schema, for editors
    TOML = "toml"  #: config.example.toml
    MARKDOWN = "markdown"  #: the table of keys in the documentation


@app.command("check")
@ends_cleanly
def check(
    file: FileArgument = None,
    secrets: Annotated[  # noqa: FBT002  # a flag is a bool
        bool, typer.Option("--secrets", help="Also read every secret the file points to, and tell which cannot be read.")
    ] = False,
    fleet: Annotated[  # noqa: FBT002  # a flag is a bool
        bool,
        typer.Option("--fleet", help="Also count the mailboxes in the database, and tell where they are too many for the pace."),
    ] = False,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """Tell every fault of the configuration with its line and its cure; exit 0, or 78 (77 when it may not be read)."""
    from mailwatch.config import ConfigError, locate, read  # noqa: PLC0415  # pydantic is slow to import
    from mailwatch.config.listing import summary  # noqa: PLC0415  # as above
    from mailwatch.config.pointing import check_files, secret_faults  # noqa: PLC0415  # as above

    path = locate(file)
    name = "defaults and environment" if path is None else str(path)
    try:
        loaded = read(path)
        check_files(loaded)
    except ConfigError as error:
        _end_with_faults(name, error, as_json=as_json)
    if secrets and (unread := secret_faults(loaded)):
        _end_with_faults(name, unread, as_json=as_json)
    too_slow = _too_slow(path) if fleet else None
    if as_json:
        emit_json({"file": name, "valid": True, "faults": []} | ({} if too_slow is None else {"too_slow": too_slow}))
        return
    typer.echo(f"SUCCESS: {name}")
    for line in summary(loaded.settings):
        typer.echo(f"  {line}")
    for line in too_slow or ():
        typer.echo(f"  too slow for the interval: {line}")
    if too_slow == []:
        typer.echo("  every pace is fast enough for the mailboxes there are")


def _too_slow(path: Path | None) -> list[str]:
    """Where one node cannot look at all mailboxes within the interval, a sentence each; raises CliError without a database."""
    from mailwatch.cli.opening import with_store  # noqa: PLC0415  # as the verbs that touch the database
    from mailwatch.config import to_pace, to_paces  # noqa: PLC0415  # pydantic is slow to import
    from mailwatch.core.crowding import crowds, least_crowd  # noqa: PLC0415  # only this needs it
    from mailwatch.core.pacing import Pace  # noqa: PLC0415  # as above
    from mailwatch.core.providers import OTHER, PACES  # noqa: PLC0415  # as above

    async def work(opened: "Opened") -> list[str]:
        settings, interval_seconds = opened.settings, opened.settings.probing.interval_seconds
        paces, named = to_paces(settings, PACES), settings.providers.get(OTHER)
        other = Pace() if named is None else to_pace(named)
        watched = await opened.store.watched_by_gate(least_crowd(paces, other, interval_seconds))
        return [str(crowd) for crowd in crowds(watched, lambda gate: paces.get(gate, other), interval_seconds)]

    return with_store(path, work, keys=False)


def _end_with_faults(name: str, error: "ConfigError", *, as_json: bool) -> NoReturn:
    if as_json:
        emit_json({"file": name, "valid": False, "faults": [fault.as_json() for fault in error.faults]})
    else:
        for fault in error.faults:
            typer.echo(str(fault))
        count = len(error.faults)
        typer.echo(f"FAILED: {name}: {count} fault{'' if count == 1 else 's'}")
    raise typer.Exit(error.exit_code)


@app.command("show")
@ends_cleanly
def show(
    file: FileArgument = None,
    origin: Annotated[  # noqa: FBT002  # a flag is a bool
        bool, typer.Option("--origin", help="Tell which layer set each value: default, file and line, or variable.")
    ] = False,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """Show every value in force; secrets only as the place they are read from."""
    from mailwatch.config.listing import entries, nested  # noqa: PLC0415  # pydantic is slow to import

    loaded = _loaded(file)
    listed = list(entries(loaded))
    if as_json and origin:
        emit_json([entry.as_json() for entry in listed])
    elif as_json:
        emit_json(nested(listed))
    else:
        for line in _aligned(listed, origin=origin):
            typer.echo(line)


def _aligned(listed: "list[Entry]", *, origin: bool) -> list[str]:
    texts = [str(entry) for entry in listed]
    if not origin:
        return texts
    width = max(len(text) for text in texts)
    return [f"{text:<{width}}  # {entry.origin}" for text, entry in zip(texts, listed, strict=True)]


def _loaded(file: Path | None) -> "Loaded":
    from mailwatch.config import ConfigError, locate, read  # noqa: PLC0415  # pydantic is slow to import

    try:
        return read(locate(file))
    except ConfigError as error:
        raise CliError(f"the configuration cannot be used:\n{error}", ExitCode(error.exit_code)) from None


@app.command("schema")
@ends_cleanly
def schema(
    form: Annotated[
        SchemaForm, typer.Option("--as", help="json: JSON Schema; toml: the commented example; markdown: the table of keys.")
    ] = SchemaForm.JSON,
) -> None:
    """Print what can be said in the file: a JSON Schema for editors, or the commented example file."""
    from mailwatch.config import pages  # noqa: PLC0415  # pydantic is slow to import

    match form:
        case SchemaForm.JSON:
            typer.echo(json.dumps(pages.schema(), indent=2, ensure_ascii=False))
        case SchemaForm.TOML:
            typer.echo(pages.example(), nl=False)
        case SchemaForm.MARKDOWN:
            typer.echo(pages.reference(), nl=False)
