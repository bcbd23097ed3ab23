"""Which mailboxes an incident's scope holds, and which of them were seen failing in it, as SQL."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from mailwatch.core.incidents.belonging import LEAD
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.store.engine import Database
from mailwatch.store.schema import mailboxes, transitions

#: The mailbox of a transition.  An expression, and no column: for the sake of its order, or of a join, SQLite would walk the whole
#: history by mailbox instead of the little that happened since the incident began.
WHO: Final = func.coalesce(transitions.c.mailbox_id, "").label("mailbox_id")


def domain_of(database: Database) -> ColumnElement[Any]:
    """What follows the @; on each database in its own words."""
    key = mailboxes.c.address_key
    return func.substr(key, func.instr(key, "@") + 1) if database.is_sqlite else func.split_part(key, "@", 2)


def in_scope(scope: Scope, domain: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a row of `mailboxes` is in *scope*; *domain* is `domain_of` its database."""
    columns, name = mailboxes.c, scope.name
    if scope == EGRESS:
        return columns.id.is_not(None)
    if scope.kind is ScopeKind.PROVIDER:
        return columns.provider == name
    if scope.kind is ScopeKind.OAUTH_APP:
        return columns.oauth_app == name
    if scope.kind is ScopeKind.DOMAIN:
        return domain == name
    host = f"://{name}:"
    return or_(columns.imap.contains(host, autoescape=True), columns.smtp.contains(host, autoescape=True))


def changed_in(scope: Scope, domain: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a row of `transitions` is of a mailbox in *scope*."""
    return exists(select(mailboxes.c.id).where(mailboxes.c.id == WHO, in_scope(scope, domain)))


def seen_in(incident: Incident, domain: ColumnElement[Any]) -> Select[Any]:
    """The ids of the mailboxes that were seen failing in *incident*, each once."""
    during = [
        transitions.c.at >= incident.opened_at - LEAD,
        transitions.c.to_state == State.SUSPECT.value,
        changed_in(incident.scope, domain),
    ]
    if incident.closed_at is not None:
        during.append(transitions.c.at <= incident.closed_at)
    return select(WHO).distinct().where(*during)
