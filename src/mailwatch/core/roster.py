"""The rows of `mailbox import`: from CSV or JSON lines to mailboxes, or to every fault at once with its line and its cure.

Pure: secrets in files are read by whoever asked, ids and moments come from outside.  No fault ever shows a secret.
"""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final

from mailwatch.core.campaigns import campaign_id_fault
from mailwatch.core.mailbox import AuthKind, Endpoint, EndpointError, Mailbox, Protocol, TlsMode, is_address
from mailwatch.core.secret import Secret

COLUMNS: Final = ("address", "imap", "smtp", "username", "auth", "secret", "secret_file", "oauth_app", "campaigns", "labels")
#: What stands in `imap` or `smtp` when the mailbox is not to have that channel.
NONE: Final = "-"
#: What a spreadsheet may take for a formula, be it with an apostrophe before it.
_FORMULA: Final = re.compile("'*(?:[=+@\t]|-.)", re.DOTALL)
#: Columns that are never exported, and taken as they are.
_SECRETS: Final = frozenset({"secret", "secret_file"})
_UNSENDABLE: Final = re.compile("[\x00\r\n\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RosterFault:
    """One thing that is wrong with a row."""

    line: int
    column: str  #: empty when it is the whole row
    problem: str
    cure: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.problem}; {self.cure}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A mailbox to add, as its row has it."""

    line: int
    mailbox: Mailbox
    secret: Secret | None
    secret_file: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What rows are judged by, beyond their own form."""

    now: datetime
    new_id: Callable[[], str]
    #: IMAP and submission endpoint for the domain of a known provider
    endpoints_for_domain: Callable[[str], tuple[Endpoint | None, Endpoint | None] | None]
    provider_of: Callable[[str, str], str]  #: by domain and host
    oauth_apps: frozenset[str] = frozenset()  #: names of the configuration
    allow_cleartext: bool = False


@dataclass(slots=True)
class Roster:
    """What a file holds: entries, and what is wrong with it.  With a fault nothing of it may be used."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[RosterFault] = field(default_factory=list)

    def blame(self, line: int, column: str, problem: str, cure: str) -> None:
        """Add a fault."""
        self.faults.append(RosterFault(line, column, problem, cure))


def parse_csv(lines: Sequence[str], rules: Rules) -> Roster:
    """The roster of a CSV file (RFC 4180, with a header line)."""
    roster = Roster()
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if _sound_header(header, roster):
            _judge(_csv_rows(reader, header, roster), rules, roster)
    except csv.Error as error:
        roster.blame(reader.line_num, "", f"no valid CSV ({error})", "quote cells that hold a comma, a quote or a line break")
    return roster


def parse_jsonl(lines: Sequence[str], rules: Rules) -> Roster:
    """The roster of a file of JSON objects, one a line."""
    roster = Roster()
    _judge(_json_rows(lines, roster), rules, roster)
    return roster


def _sound_header(header: Sequence[str], roster: Roster) -> bool:
    if len(header) == 1 and (separator := _other_separator(header[0])):
        roster.blame(1, "", f"the columns are parted by {separator}", "save the file as CSV with commas: a spreadsheet asks for it")
        return False
    for name in header:
        if name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(COLUMNS)}"
            roster.blame(1, "", f"unknown column {name[:40]!r}", cure)
    if "address" not in header:
        roster.blame(1, "", "no column address", f"the first line names the columns: {', '.join(COLUMNS)}")
    if len(set(header)) < len(header):
        roster.blame(1, "", "a column stands there twice", "keep one")
    return not roster.faults


def _other_separator(header: str) -> str | None:
    """What parts the columns of a header that no comma parts, as spreadsheets of many countries write it."""
    separators = {";": "semicolons", "\t": "tabs", "|": "bars"}
    return next((told for each, told in separators.items() if {word.strip() for word in header.split(each)} <= {*COLUMNS}
                 and each in header), None)  # fmt: skip


def _csv_rows(reader: Any, header: Sequence[str], roster: Roster) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            roster.blame(reader.line_num, "", f"{len(cells)} cells for {len(header)} columns", "quote cells that hold a comma")
            continue
        yield reader.line_num, {name: _plain(name, cell) for name, cell in zip(header, cells, strict=False)}


def defused(cell: str) -> str:
    """A cell for a CSV file that no spreadsheet takes for a formula (OWASP, CSV Injection); `parse_csv` reads it back as it was."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _plain(name: str, cell: str) -> str:
    return cell[1:] if name not in _SECRETS and cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def _json_rows(lines: Sequence[str], roster: Roster) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            roster.blame(number, "", "no valid JSON", 'each line is one object, such as {"address": "a@example.org"}')
            continue
        if not isinstance(row, dict):
            roster.blame(number, "", "not a JSON object", 'each line is one object, such as {"address": "a@example.org"}')
            continue
        if unknown := sorted(set(row) - set(COLUMNS)):
            roster.blame(number, "", f"unknown key {unknown[0][:40]!r}", f"the keys are {', '.join(COLUMNS)}")
            continue
        yield number, row


def _judge(rows: Iterator[tuple[int, Mapping[str, Any]]], rules: Rules, roster: Roster) -> None:
    first_lines: dict[str, int] = {}
    for line, row in rows:
        entry = judge_row(line, row, rules, roster)
        given = row.get("address")
        address = given.strip() if isinstance(given, str) else ""
        if address.lower() in first_lines:
            roster.blame(line, "address", f"{address} stands in line {first_lines[address.lower()]} too", "keep one")
            continue
        if is_address(address):  # also of a row that has faults of its own: all is told at once
            first_lines[address.lower()] = line
        if entry:
            roster.entries.append(entry)


def judge_row(line: int, row: Mapping[str, Any], rules: Rules, roster: Roster) -> Entry | None:
    """The entry of one row; None, and faults in *roster*, when something is wrong with it."""
    before = len(roster.faults)
    cells = _Cells(line, row, roster)
    address = cells.text("address")
    if not is_address(address):
        shown = f"{address[:60]!r} is no e-mail address" if address else "no address"
        roster.blame(line, "address", shown, "such as sales@example.org")
        address = ""
    domain = address.rpartition("@")[2].lower()
    auth, oauth_app = _auth(cells, rules)
    imap, smtp = _endpoints(cells, domain, rules)
    username = cells.text("username") or address
    campaigns, labels = cells.campaigns(), cells.pairs("labels")
    secret, secret_file = _secret(cells, auth)
    if len(roster.faults) > before:
        return None
    endpoint = imap or smtp
    assert endpoint is not None
    mailbox = Mailbox(
        id=rules.new_id(),
        address=address,
        username=username,
        auth=auth,
        imap=imap,
        smtp=smtp,
        provider=rules.provider_of(domain, endpoint.host),
        created_at=rules.now,
        oauth_app=oauth_app,
        labels=MappingProxyType(labels),
        campaigns=campaigns,
    )
    return Entry(line, mailbox, secret, secret_file)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one row, each read with its own complaints."""

    line: int
    row: Mapping[str, Any]
    roster: Roster

    def blame(self, column: str, problem: str, cure: str) -> None:
        self.roster.blame(self.line, column, problem, cure)

    def text(self, column: str) -> str:
        cell = self.row.get(column)
        if cell is None:
            return ""
        if not isinstance(cell, str):
            self.blame(column, "not a text", "put it in quotes")
            return ""
        if not cell.strip().isprintable():
            self.blame(column, "has characters that cannot be shown (a line break, a control character)", "remove them")
            return ""
        return cell.strip()

    def secret(self) -> Secret | None:
        cell = self.row.get("secret")
        if cell is None or cell == "":
            return None
        # anything may stand in a password but what no protocol can carry
        if not isinstance(cell, str) or _UNSENDABLE.search(cell):
            self.blame("secret", "not a text of one line", "give the password or refresh token itself")
            return None
        return Secret(cell)

    def words(self, column: str) -> tuple[str, ...]:
        cell = self.row.get(column)
        if isinstance(cell, list):
            if all(isinstance(word, str) and word.isprintable() and word.strip() for word in cell):
                return tuple(dict.fromkeys(word.strip() for word in cell))
            self.blame(column, "not a list of texts", "such as spring;autumn")
            return ()
        return tuple(dict.fromkeys(word.strip() for word in self.text(column).split(";") if word.strip()))

    def campaigns(self) -> tuple[str, ...]:
        found = self.words("campaigns")
        for word in found:
            if (cure := campaign_id_fault(word)) is not None:
                self.blame("campaigns", f"{word[:40]!r} cannot be the id of a campaign", cure)
        return found

    def pairs(self, column: str) -> dict[str, str]:
        cell = self.row.get(column)
        if isinstance(cell, dict):
            if all(isinstance(value, str) and f"{key}{value}".isprintable() for key, value in cell.items()):
                return dict(cell)
            self.blame(column, "not an object of texts", "such as team=north;owner=ann")
            return {}
        found: dict[str, str] = {}
        for word in self.words(column):
            key, equals, value = (part.strip() for part in word.partition("="))
            if not equals or not key:
                self.blame(column, f"{word[:40]!r} is no label", "such as team=north;owner=ann")
            found[key] = value
        return found


def _auth(cells: _Cells, rules: Rules) -> tuple[AuthKind, str | None]:
    app = cells.text("oauth_app") or None
    named = cells.text("auth").lower() or (AuthKind.OAUTH if app else AuthKind.PASSWORD)
    if named not in frozenset(AuthKind):
        cells.blame("auth", f"{named[:40]!r} is unknown", "password or oauth")
        return AuthKind.PASSWORD, None
    auth = AuthKind(named)
    if auth is AuthKind.PASSWORD and app is not None:
        cells.blame("oauth_app", "an OAuth application beside a password", "leave it empty, or set auth to oauth")
    elif auth is AuthKind.OAUTH and app is None:
        cells.blame("oauth_app", "no OAuth application", "name one of the configuration's [oauth.NAME]")
    elif app is not None and app not in rules.oauth_apps:
        known = ", ".join(sorted(rules.oauth_apps)) or "none yet"
        cells.blame("oauth_app", f"{app[:40]!r} is not in the configuration", f"[oauth.NAME] has: {known}")
    return auth, app


def _secret(cells: _Cells, auth: AuthKind) -> tuple[Secret | None, str | None]:
    given = bool(cells.row.get("secret"))
    secret, path = cells.secret(), cells.text("secret_file") or None
    if given and path:
        cells.blame("secret", "a secret and a secret_file", "keep one")
    elif not given and not path and auth is AuthKind.PASSWORD:
        cells.blame("secret", "no secret", "give secret or secret_file; without one the mailbox cannot be watched")
    return secret, path


def _endpoints(cells: _Cells, domain: str, rules: Rules) -> tuple[Endpoint | None, Endpoint | None]:
    written = {protocol: cells.text(protocol.value) for protocol in Protocol}
    known = rules.endpoints_for_domain(domain) if domain and not all(written.values()) else None
    imap, smtp = (
        _endpoint(cells, protocol, written[protocol], rules) if written[protocol] else suggested
        for protocol, suggested in zip(Protocol, known or (None, None), strict=True)
    )
    if imap is None and smtp is None and domain and not any(url not in {"", NONE} for url in written.values()):
        cells.blame("imap", f"the servers of {domain} are not known", "fill imap and smtp, such as imaps://imap.example.org")
    return imap, smtp


def _endpoint(cells: _Cells, protocol: Protocol, url: str, rules: Rules) -> Endpoint | None:
    if url == NONE:
        return None
    try:
        endpoint = Endpoint.parse(url, protocol)
    except EndpointError as error:
        problem, _, cure = str(error).partition(": ")
        cells.blame(protocol.value, problem[:100], cure or "such as imaps://imap.example.org")
        return None
    if endpoint.tls_mode is TlsMode.NONE and not rules.allow_cleartext:
        cells.blame(
            protocol.value,
            f"{url[:80]} would send the secret in clear",
            f"use {protocol.value}s:// or {protocol.value}+starttls://, or allow it with --allow-cleartext",
        )
    return endpoint
