"""The tables, as SQLAlchemy Core sees them: the same on SQLite and PostgreSQL.

`migrations/versions` builds them; a test compares the two.  Moments are whole microseconds since 1970-01-01 UTC, because SQLite
has no type for a moment and both databases compare integers fastest.  Each index names its reader.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

#: The revisions of `migrations/versions`, oldest first: a database at any other is newer than this program.
REVISIONS: Final = ("0001", "0002", "0003", "0004")
HEAD: Final = REVISIONS[-1]

#: What a confirmed disconnection is among the transitions; queries must spell it so to use the index over it.
LOST: Final = "from_state = 'suspect' AND to_state IN ('reconnecting', 'blocked')"

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Whole microseconds since the epoch of an aware *moment*."""
    return (moment - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC moment of *micros*."""
    return EPOCH + timedelta(microseconds=micros)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, stored as integer microseconds; a naive one is refused by the subtraction itself."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  # the base class's signature
        """The stored integer."""
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the base class's signature
        """The moment read back."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def row_number() -> Column[int]:
    """The key of a table whose rows are numbered as they come."""
    # SQLite hands out row numbers only to a column whose type is spelt INTEGER
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def of_mailbox() -> Column[str]:
    """The key of what a mailbox has once, and loses when it is removed."""
    return Column("mailbox_id", Text, ForeignKey("mailboxes.id", ondelete="CASCADE"), primary_key=True)


mailboxes = Table(
    "mailboxes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False),  # lower case: one login, however it is spelt
    Column("username", Text, nullable=False),
    Column("auth", Text, nullable=False),
    Column("imap", Text),
    Column("smtp", Text),
    Column("host", Text, nullable=False),  # whose login budget a lost lease counts on
    Column("provider", Text, nullable=False),
    Column("oauth_app", Text),
    Column("labels", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("address_key"),  # find by address; no login twice
)

standings = Table(
    "standings",
    metadata,
    of_mailbox(),
    Column("provider", Text, nullable=False),
    Column("gate", Text, nullable=False),  # core.gates: what is paced together
    Column("state", Text, nullable=False),
    Column("cause", Text),
    Column("version", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("changes", Integer, nullable=False),  # acts of people: a probe that ran across one is dropped
    Column("due_at", Moment),
    Column("since_at", Moment, nullable=False),
    Column("last_probe_at", Moment),
    Column("last_success_at", Moment),
    Column("down_since_at", Moment),
    Column("rest", Text, nullable=False),  # the rest of core.standing.Standing, see rows
    Column("lease", Text),
    Column("lease_node", Text),
    Column("lease_until_at", Moment),
    # claim_due and due_count walk it, oldest first; gate and lease are in it so that what cannot be claimed is passed over
    # without a look into the table
    Index("ix_standings_due_at", "due_at", "gate", "lease_until_at"),
    # counts: the gauge of mailboxes by provider and state, from the index alone; a page of one provider
    Index("ix_standings_provider", "provider", "state", "since_at", "mailbox_id"),
    # a page of mailboxes: those that need action first, and within a state the newest first
    Index("ix_standings_state", "state", "since_at", "mailbox_id"),
    # a page of one cause, facets, troubles; the well, who are nearly all, are not in it
    Index(
        "ix_standings_cause",
        "cause",
        "state",
        "since_at",
        "mailbox_id",
        "provider",
        sqlite_where=text("cause IS NOT NULL"),
        postgresql_where=text("cause IS NOT NULL"),
    ),
    # room in each page for the next version of its rows: a standing is rewritten at every probe
    postgresql_with={"fillfactor": 70},
)

secrets = Table(
    "secrets",
    metadata,
    of_mailbox(),
    Column("field", Text, primary_key=True),  # password, refresh_token, access_token
    Column("kid", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("born_at", Moment, nullable=False),
    Index("ix_secrets_kid", "kid"),  # key rotation: what is still under an old key
)

grants = Table(
    "grants",
    metadata,
    of_mailbox(),
    Column("generation", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("expires_at", Moment),
    Column("lease", Text),
    Column("lease_until_at", Moment),
    Column("consent_ends_at", Moment),  # null: the provider names no end
    Index("ix_grants_consent_ends_at", "consent_ends_at"),  # what ends soon
)

transitions = Table(
    "transitions",
    metadata,
    row_number(),
    Column("mailbox_id", Text, ForeignKey("mailboxes.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("cause", Text),
    Column("protocol", Text),
    Column("diagnosis", Text),
    Column("evidence", Text),
    Column("generation", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("effects", Text, nullable=False),
    Column("credential_age_seconds", BigInteger),
    Column("operation", Text, nullable=False),  # which write made it: tells whether a commit without an answer went through
    UniqueConstraint("mailbox_id", "version"),  # the chain; history of one mailbox
    Index("ix_transitions_at", "at"),  # history export by time; prune
    # findings: confirmed disconnections, few among all transitions
    Index(
        "ix_transitions_lost",
        "at",
        "mailbox_id",
        "version",
        "cause",
        sqlite_where=text(LOST),
        postgresql_where=text(LOST),
    ),
    sqlite_autoincrement=True,  # row numbers are cursors: none is given out twice
)

refusals = Table(
    "refusals",
    metadata,
    row_number(),
    Column("host", Text, nullable=False),
    Column("mailbox_id", Text),  # NULL once the mailbox is removed: the host's budget does not forget
    Column("generation", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),  # refused, lost
    Column("operation", Text, nullable=False),
    Index("ix_refusals_at", "at"),  # refusals_since; prune
    Index("ix_refusals_mailbox_id", "mailbox_id"),  # a late result takes the place of its lost lease; remove
)

audit = Table(
    "audit",
    metadata,
    row_number(),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("mailbox_id", Text),  # outlives the mailbox: only its id is kept, never its address
    Column("subject", Text),  # a campaign, a user, a token, a webhook
    Column("state_before", Text),
    Column("state_after", Text),
    Column("detail", Text),
    Column("operation", Text, nullable=False),
    Index("ix_audit_at", "at"),  # prune, the page
    Index("ix_audit_operation", "operation"),  # did a commit without an answer go through
    Index("ix_audit_mailbox_id", "mailbox_id"),  # what was done to one mailbox
    sqlite_autoincrement=True,
)

keys = Table(
    "keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("canary", Text, nullable=False),  # a known text under this key: tells a wrong key from a damaged row
)

node_keys = Table(
    "node_keys",
    metadata,
    Column("node", Text, primary_key=True),
    Column("kids", Text, nullable=False),  # the keys it holds, parted by spaces: nothing is sealed with one that a node lacks
    Column("seen_at", Moment, nullable=False),
)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("content", Text, nullable=False),  # instance: which database this is
)
