"""The tables of campaigns, their pause ledger, and the outbox: events and their deliveries (see `schema`)."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from mailwatch.store.schema import Moment, metadata, row_number

campaigns: Final = Table(
    "campaigns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sender", Text, nullable=False),  # the sender's own reference
    Column("position", Text, nullable=False),  # opaque
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("paused_since_at", Moment),
    Index("ix_campaigns_state", "state", "paused_since_at"),  # counts, the brake
)

campaign_links: Final = Table(
    "campaign_links",
    metadata,
    Column("campaign_id", Text, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True),
    Column("mailbox_id", Text, ForeignKey("mailboxes.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_campaign_links_mailbox_id", "mailbox_id"),  # the campaigns of a mailbox
)

pauses: Final = Table(
    "pauses",
    metadata,
    row_number(),
    Column("campaign_id", Text, ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    Column("mailbox_id", Text, ForeignKey("mailboxes.id", ondelete="SET NULL")),
    Column("origin", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("since_at", Moment, nullable=False),
    Column("in_force", Boolean(create_constraint=False), nullable=False),
    Column("ready_at", Moment),
    Column("lifted_at", Moment),
    Column("lifted_by", Text),
    Column("braked", Boolean(create_constraint=False), nullable=False),  # not in force because the brake held it back
    Column("by_finish", Boolean(create_constraint=False), nullable=False),  # lifted because the campaign was finished
    Index("ix_pauses_campaign_id", "campaign_id", "since_at"),  # the ledger of a campaign
    Index("ix_pauses_mailbox_id", "mailbox_id"),
    Index("ix_pauses_since_at", "since_at"),  # the brake's window
    Index(
        "ix_pauses_held_back",
        "id",
        sqlite_where=text("lifted_at IS NULL AND in_force = 0"),
        postgresql_where=text("lifted_at IS NULL AND NOT in_force"),
    ),
    # what else pauses a campaign, and whether mailwatch did: however many mailboxes it has, a few entries tell
    Index(
        "ix_pauses_in_force",
        "campaign_id",
        "origin",
        "actor",
        "mailbox_id",
        sqlite_where=text("lifted_at IS NULL AND in_force = 1"),
        postgresql_where=text("lifted_at IS NULL AND in_force"),
    ),
    # one open pause for a mailbox of a campaign: a replay of the same move finds it there
    Index(
        "uq_pauses_open",
        "campaign_id",
        "mailbox_id",
        unique=True,
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

events: Final = Table(
    "events",
    metadata,
    row_number(),
    Column("at", Moment, nullable=False),
    Column("type", Text, nullable=False),
    Column("mailbox_id", Text),  # no foreign key: that a mailbox was removed is told after it is gone
    Column("campaign_id", Text),
    Column("content", Text, nullable=False),  # JSON; never an address once the mailbox is removed
    Column("fanned", Boolean(create_constraint=False), nullable=False),
    Index("ix_events_at", "at"),  # prune
    Index("ix_events_mailbox_id", "mailbox_id"),  # remove
    # remove: what people did to a campaign, and said of it
    Index(
        "ix_events_typed",
        "campaign_id",
        sqlite_where=text("mailbox_id IS NULL"),
        postgresql_where=text("mailbox_id IS NULL"),
    ),
    Index("ix_events_new", "id", sqlite_where=text("fanned = 0"), postgresql_where=text("NOT fanned")),  # fan_out
    sqlite_autoincrement=True,  # row numbers are cursors
)

deliveries: Final = Table(
    "deliveries",
    metadata,
    row_number(),
    Column("event_id", BigInteger, ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("lease", Text),
    Column("lease_until_at", Moment),
    Column("last_status", Integer),
    Column("last_error", Text),
    Column("delivered_at", Moment),
    UniqueConstraint("event_id", "endpoint"),
    # claim: the oldest of each endpoint, however many wait for another; what has ended is due never, and not in it
    Index(
        "ix_deliveries_due",
        "endpoint",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index("ix_deliveries_endpoint", "endpoint", "id"),  # the delivery log of one endpoint
    sqlite_autoincrement=True,
)

disabled_endpoints: Final = Table(
    "disabled_endpoints",
    metadata,
    Column("name", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since_at", Moment, nullable=False),
)
