"""A page's filter as conditions of SQL."""

import json
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, exists, false, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import PageFilter
from mailwatch.store.schema import mailboxes, standings
from mailwatch.store.schema_campaigns import campaign_links

_dump: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_SETS: Final = ("states", "providers", "causes")


class Position(FunctionElement[int]):
    """Where a text begins in another, counted from 1; 0: nowhere.  Unlike LIKE it takes every character as it is."""

    name = "position"
    type = Integer()
    inherit_cache = True


@compiles(Position)
def _sqlite_position(element: Position, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(Position, "postgresql")
def _postgresql_position(element: Position, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


def kept(which: PageFilter) -> str | None:
    """The filter as it is stored; without its ids, and None when nothing is left of it then."""
    fields = {name: sorted(getattr(which, name)) for name in _SETS if getattr(which, name)}
    fields |= {name: getattr(which, name) for name in ("labels", "campaign", "text") if getattr(which, name)}
    return _dump(fields) if fields else None


def unkept(text: str | None) -> PageFilter | None:
    """What `kept` stored."""
    if text is None:
        return None
    fields: dict[str, Any] = json.loads(text)
    sets = {name: frozenset(fields.pop(name, ())) for name in _SETS}
    return PageFilter(**(fields | sets | {"states": frozenset(map(State, sets["states"]))}))


def storable(text: str) -> bool:
    """Whether a database can hold *text*: what it cannot, nothing in it is like, and to ask would be an error."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def of_standing(which: PageFilter, *, states: bool = True) -> list[ColumnElement[bool]]:
    """What the filter asks of the row of `standings`; without its states when *states* is False."""
    if not all(map(storable, (which.text, which.campaign, *which.providers, *which.causes))):
        return [false()]
    asked = list[ColumnElement[bool]]()
    if states and which.states:
        asked.append(standings.c.state.in_(sorted(which.states)))
    if which.providers:
        asked.append(standings.c.provider.in_(sorted(which.providers)))
    if which.causes:
        asked += (standings.c.cause.is_not(None), standings.c.cause.in_(sorted(which.causes)))
    return asked


def of_mailbox(which: PageFilter) -> list[ColumnElement[bool]]:
    """What the filter asks of the row of `mailboxes`, which no probe changes."""
    asked = list[ColumnElement[bool]]()
    if which.ids:
        asked.append(mailboxes.c.id.in_(sorted(filter(storable, which.ids))))
    if which.text and storable(which.text):
        asked.append(Position(mailboxes.c.address_key, which.text.lower()) > 0)
    return asked + [_labelled(key, value) for key, value in sorted((which.labels or {}).items())]


def named(statement: Select[Any], which: PageFilter, *, states: bool = True) -> Select[Any]:
    """*statement* over the standings that the filter names; without its states when *states* is False."""
    asked = of_mailbox(which)
    joined = statement.join_from(mailboxes, standings, standings.c.mailbox_id == mailboxes.c.id).where(*asked)
    of = joined if asked else statement.select_from(standings)
    if which.campaign and storable(which.campaign):
        linked = (campaign_links.c.campaign_id == which.campaign, campaign_links.c.mailbox_id == standings.c.mailbox_id)
        of = of.where(exists().where(*linked))
    return of.where(*of_standing(which, states=states))


def candidates(which: PageFilter) -> Select[Any] | None:
    """The ids of what the filter names by campaign, address and labels, of any standing; None when it asks for none of these."""
    asked = of_mailbox(which)
    if which.campaign and storable(which.campaign):
        linked = select(campaign_links.c.mailbox_id.label("id")).where(campaign_links.c.campaign_id == which.campaign)
        of = linked.join_from(campaign_links, mailboxes, mailboxes.c.id == campaign_links.c.mailbox_id) if asked else linked
        return of.where(*asked)
    return select(mailboxes.c.id).where(*asked) if asked else None


def _labelled(key: str, value: str) -> ColumnElement[bool]:
    # Labels are one JSON text without blanks.  A quote inside a key or value has a backslash before it, so this text can only be
    # a pair of its own when a brace or comma that is no part of a string comes before it.
    pair = f"{_dump(key)}:{_dump(value)}"
    return (Position(mailboxes.c.labels, "{" + pair) > 0) | (Position(mailboxes.c.labels, "," + pair) > 0)
