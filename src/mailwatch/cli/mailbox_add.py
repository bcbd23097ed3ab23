"""`mailwatch mailbox add|import|export|set-secret`: mailboxes in and out; secrets by standard input, file or prompt alone."""

import csv
import json
import sys
from collections.abc import Sequence
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mailwatch.cli.mailbox_show import AddressArgument, all_views
from mailwatch.cli.opening import ConfigOption, JsonOption, Opened, WallClock, settings_of, with_store
from mailwatch.cli.output import CliError, ExitCode, emit_json, ends_cleanly, say
from mailwatch.cli.waiting import but_later
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import AuthKind, Mailbox
from mailwatch.core.oauth import GrantKind
from mailwatch.core.roster import NONE, Entry, Roster, RosterFault, Rules, defused, judge_row, parse_csv, parse_jsonl
from mailwatch.core.secret import Secret
from mailwatch.desk.acts import Desk
from mailwatch.ports import MailboxFilter, NewMailbox

if TYPE_CHECKING:
    from mailwatch.config import Settings

MAX_SECRET_BYTES: Final = 65_536
_EXPORTED: Final = ("address", "imap", "smtp", "username", "auth", "oauth_app", "campaigns", "labels")


@unique
class FileForm(StrEnum):
    """How a file of mailboxes is written."""

    CSV = "csv"
    JSONL = "jsonl"


SecretStdin = Annotated[bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")]
SecretFile = Annotated[
    Path | None, typer.Option("--secret-file", help="Read the secret from this file.", show_default=False, readable=False)
]
AllowCleartext = Annotated[bool, typer.Option("--allow-cleartext", help="Accept imap:// and smtp://, which send secrets in clear.")]


@ends_cleanly
def add(
    address: Annotated[str, typer.Argument(help="The mailbox's e-mail address.")],
    imap: Annotated[
        str, typer.Option(help="Such as imaps://imap.example.org; - for none (default: the provider's).", show_default=False)
    ] = "",
    smtp: Annotated[
        str, typer.Option(help="Such as smtps://smtp.example.org; - for none (default: the provider's).", show_default=False)
    ] = "",
    username: Annotated[str, typer.Option(help="The login's name (default: the address).", show_default=False)] = "",
    oauth_app: Annotated[
        str, typer.Option(help="Log in by OAuth, with this application of the configuration.", show_default=False)
    ] = "",
    campaign: Annotated[
        list[str] | None, typer.Option(help="A campaign it sends for; may be given again.", show_default=False)
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="key=value; may be given again.", show_default=False)] = None,
    secret_stdin: SecretStdin = False,  # noqa: FBT002  # a flag is a bool
    secret_file: SecretFile = None,
    allow_cleartext: AllowCleartext = False,  # noqa: FBT002  # as above
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # as above
) -> None:
    """Add one mailbox.  Its password is asked for, or read by --secret-stdin or --secret-file.

    With --oauth-app it needs none: its owner consents by `mailwatch oauth login`; a refresh token at hand may be given instead.
    """
    row = {
        "address": address,
        "imap": imap,
        "smtp": smtp,
        "username": username,
        "oauth_app": oauth_app,
        "campaigns": list(campaign or ()),
        "labels": ";".join(label or ()),
        "secret_file": "asked for below",
    }
    roster = Roster()
    entry = judge_row(0, row, rules_of(settings_of(config), allow_cleartext=allow_cleartext), roster)
    if entry is None:
        raise CliError("\n".join(f"{fault.column}: {fault.problem}; {fault.cure}" for fault in roster.faults))
    secret = None
    if entry.mailbox.auth is AuthKind.PASSWORD or secret_stdin or secret_file is not None:
        secret = ask_secret(f"Secret of {entry.mailbox.address}", stdin=secret_stdin, file=secret_file)
    ids = with_store(config, lambda opened: _add(opened, [NewMailbox(entry.mailbox, secret)]))
    if as_json:
        emit_json({"id": ids[0], "address": entry.mailbox.address})
    else:
        typer.echo(ids[0])
    if secret is None and settings_of(config).oauth[oauth_app].grant is GrantKind.CODE:
        say(f"nobody has signed in as {entry.mailbox.address} yet: mailwatch oauth login {entry.mailbox.address}")


async def _add(opened: Opened, wanted: Sequence[NewMailbox]) -> Sequence[str]:
    from mailwatch.desk.newcomers import Newcomers  # noqa: PLC0415  # pydantic is slow to import: verbs that need it pay

    newcomers = Newcomers(opened.store, opened.clock, lambda: opened.settings)
    return await newcomers.add(wanted, opened.act("mailbox.add"))


@ends_cleanly
def import_mailboxes(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or JSON lines; - for standard input.")],
    form: Annotated[
        FileForm | None, typer.Option("--format", help="How it is written (default: by the file's name).", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what is wrong.")] = False,  # noqa: FBT002  # a flag is a bool
    allow_cleartext: AllowCleartext = False,  # noqa: FBT002  # as above
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # as above
) -> None:
    """Add all mailboxes of a file, or none: every row that is wrong is told with its line and its cure, and exit code 2.

    Columns: address, imap, smtp, username, auth (password or oauth), secret or secret_file, oauth_app, campaigns (a;b),
    labels (k=v;…).
    """
    roster = _read_roster(file, form, rules_of(settings_of(config), allow_cleartext=allow_cleartext))
    wanted = _with_secrets(roster, Path(file).parent if file != "-" else Path())

    async def work(opened: Opened) -> int:
        taken = await opened.store.taken([entry.mailbox.address for entry in roster.entries])
        for entry in roster.entries:
            if entry.mailbox.address.lower() in taken:
                roster.blame(entry.line, "address", f"{entry.mailbox.address} is there already", "leave the row out")
        if not roster.faults and not dry_run and wanted:
            await _add(opened, wanted)
        return len(wanted)

    count = with_store(config, work, keys=not dry_run)
    _tell_import(roster, count, dry_run=dry_run, as_json=as_json)


def _tell_import(roster: Roster, count: int, *, dry_run: bool, as_json: bool) -> None:
    faults = sorted(roster.faults, key=lambda fault: fault.line)
    added = 0 if faults or dry_run else count
    if as_json:
        listed = [{"line": each.line, "column": each.column, "problem": each.problem, "cure": each.cure} for each in faults]
        emit_json({"added": added, "rows": count, "faults": listed})
    else:
        for fault in faults:
            typer.echo(str(fault), err=True)
        if not faults:
            did = "could be" if dry_run else "was" if count == 1 else "were"
            say(f"{count} mailbox{'' if count == 1 else 'es'} {did} added")
    if faults:
        say(f"mailwatch: {len(faults)} fault{'s' if len(faults) > 1 else ''}; nothing was added")
        raise typer.Exit(ExitCode.USAGE)


def _read_roster(file: str, form: FileForm | None, rules: Rules) -> Roster:
    if form is None:
        suffix = Path(file).suffix.lower()
        if suffix not in {".csv", ".jsonl", ".ndjson"}:
            raise CliError(f"{file}: is it CSV or JSON lines? say --format csv or --format jsonl")
        form = FileForm.CSV if suffix == ".csv" else FileForm.JSONL
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CliError(f"{file}: not UTF-8 (byte {error.start}); save the file as UTF-8") from None
    except (FileNotFoundError, IsADirectoryError) as error:
        raise CliError(f"{file}: {error.strerror}") from None
    # only \n ends a line: splitlines would also split at characters that may stand inside a JSON text
    lines = text.replace("\r\n", "\n").split("\n")
    return parse_csv([f"{line}\n" for line in lines], rules) if form is FileForm.CSV else parse_jsonl(lines, rules)


def _with_secrets(roster: Roster, folder: Path) -> Sequence[NewMailbox]:
    """The entries with the secrets of their files; a path that is not absolute is meant beside the roster."""
    found = []
    for entry in roster.entries:
        secret = entry.secret
        if entry.secret_file:
            secret = _file_secret(entry, folder / entry.secret_file, roster)
        found.append(NewMailbox(entry.mailbox, secret))
    return found


def _file_secret(entry: Entry, path: Path, roster: Roster) -> Secret | None:
    try:
        return read_secret_file(path)
    except CliError as error:
        roster.faults.append(RosterFault(entry.line, "secret_file", str(error), "name a file that holds the secret alone"))
        return None


@ends_cleanly
def export(
    form: Annotated[FileForm, typer.Option("--format", help="How to write it.")] = FileForm.CSV,
    config: ConfigOption = None,
) -> None:
    """Print all mailboxes in the form that import reads; secrets are never in it."""

    async def work(opened: Opened) -> None:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        if form is FileForm.CSV:
            writer.writerow(_EXPORTED)
        async for view in all_views(opened, MailboxFilter()):
            row = _exported(view.mailbox)
            if form is FileForm.CSV:
                writer.writerow([defused(row[name]) for name in _EXPORTED])
            else:
                sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")

    with_store(config, work, keys=False)


def _exported(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "address": mailbox.address,
        "imap": mailbox.imap.url if mailbox.imap else NONE,
        "smtp": mailbox.smtp.url if mailbox.smtp else NONE,
        "username": mailbox.username,
        "auth": mailbox.auth.value,
        "oauth_app": mailbox.oauth_app or "",
        "campaigns": ";".join(mailbox.campaigns),
        "labels": ";".join(f"{key}={value}" for key, value in mailbox.labels.items()),
    }


@ends_cleanly
def set_secret(
    address: AddressArgument,
    secret_stdin: SecretStdin = False,  # noqa: FBT002  # a flag is a bool
    secret_file: SecretFile = None,
    config: ConfigOption = None,
) -> None:
    """Store a new password (or refresh token): it is due at once, and the login budget starts anew.

    Where its host has refused too many logins lately it waits, and the answer says until when.
    A password that is stored already and was refused is not tried again.
    """
    with_store(config, lambda opened: opened.store.find(address), keys=False)  # before anybody types a secret for it
    secret = ask_secret(f"New secret of {address}", stdin=secret_stdin, file=secret_file)

    async def work(opened: Opened) -> str:
        view = await opened.store.find(address)
        after = await Desk(opened.store, opened.clock).set_secret(view.mailbox.id, secret, opened.act("mailbox.set_secret"))
        if after.standing.state is State.BLOCKED:
            known = "this secret is stored already and was refused, so nothing was tried"
            return f"{view.mailbox.address}: {known}; to try it once more: mailwatch mailbox reconnect {view.mailbox.address}"
        return f"{view.mailbox.address}: secret stored, {after.standing.state}{await but_later(opened, after)}"

    say(with_store(config, work))


def ask_secret(prompt: str, *, stdin: bool, file: Path | None) -> Secret:
    """The secret from where the person wants it read: never from an argument, which every user of the machine can see."""
    if stdin and file is not None:
        raise CliError("--secret-stdin and --secret-file: choose one")
    if file is not None:
        return read_secret_file(file)
    if stdin:
        return _one_line(sys.stdin.buffer.read(MAX_SECRET_BYTES + 1), "standard input")
    if not sys.stdin.isatty():
        raise CliError("no terminal to ask for the secret; use --secret-stdin or --secret-file")
    return _one_line(typer.prompt(prompt, hide_input=True, confirmation_prompt=True).encode(), "what was typed")


def read_secret_file(path: Path) -> Secret:
    """The secret a file holds; raises CliError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
    except PermissionError as error:
        raise CliError(f"{path}: {error.strerror}", ExitCode.PERMISSION) from None
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}") from None
    return _one_line(content, str(path))


def _one_line(content: bytes, where: str) -> Secret:
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CliError(f"{where}: the secret is not UTF-8") from None
    if not text or len(content) > MAX_SECRET_BYTES or any(letter in text for letter in "\r\n\0"):
        raise CliError(f"{where}: a secret is one line, not empty")
    return Secret(text)


def rules_of(settings: "Settings", *, allow_cleartext: bool) -> Rules:
    """What rows are judged by, as the configuration has it."""
    from mailwatch.desk import newcomers  # noqa: PLC0415  # pydantic is slow to import: verbs that need it pay

    return newcomers.rules_of(settings, WallClock().now(), allow_cleartext=allow_cleartext)
