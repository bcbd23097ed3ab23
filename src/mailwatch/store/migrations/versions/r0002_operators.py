"""Operators' hands: campaigns with their pause ledger, the outbox, accounts, consents, bulk jobs, and what the page reads.

A mailbox's campaigns move from a text beside its address into links; each becomes a campaign of its own.
"""

import json
import time
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Build the tables, and move the campaigns."""
    _registry()
    _outbox()
    _people()
    _flows()
    _views()
    _widen()
    _move_campaigns()


def downgrade() -> None:
    """What the new tables hold would be lost: restore a backup instead."""
    raise NotImplementedError("restore a backup made by `mailwatch db backup` instead of going back")


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _moment(name: str, *, null: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=null)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(create_constraint=False), nullable=False)


def _row_number() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _refers(table: str, column: str, target: str, *, gone: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete=gone)


def _partial(name: str, table: str, columns: list[str], only: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(only), postgresql_where=sa.text(only))


def _registry() -> None:
    op.create_table(
        "campaigns",
        _text("id"),
        _text("name"),
        _text("sender"),
        _text("position"),
        _text("state"),
        _number("version"),
        _moment("created_at", null=False),
        _moment("updated_at", null=False),
        _moment("paused_since_at"),
        _key("campaigns", "id"),
    )
    op.create_index("ix_campaigns_state", "campaigns", ["state", "paused_since_at"])
    op.create_table(
        "campaign_links",
        _text("campaign_id"),
        _text("mailbox_id"),
        _key("campaign_links", "campaign_id", "mailbox_id"),
        _refers("campaign_links", "campaign_id", "campaigns.id"),
        _refers("campaign_links", "mailbox_id", "mailboxes.id"),
    )
    op.create_index("ix_campaign_links_mailbox_id", "campaign_links", ["mailbox_id"])
    op.create_table(
        "pauses",
        _row_number(),
        _text("campaign_id"),
        _text("mailbox_id", null=True),
        _text("origin"),
        _text("reason"),
        _text("actor"),
        _moment("since_at", null=False),
        _flag("in_force"),
        _moment("ready_at"),
        _moment("lifted_at"),
        _text("lifted_by", null=True),
        _key("pauses", "id"),
        _refers("pauses", "campaign_id", "campaigns.id"),
        _refers("pauses", "mailbox_id", "mailboxes.id", gone="SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pauses_campaign_id", "pauses", ["campaign_id", "since_at"])
    op.create_index("ix_pauses_mailbox_id", "pauses", ["mailbox_id"])
    op.create_index("ix_pauses_since_at", "pauses", ["since_at"])
    open_only = sa.text("lifted_at IS NULL")
    op.create_index(
        "uq_pauses_open",
        "pauses",
        ["campaign_id", "mailbox_id"],
        unique=True,
        sqlite_where=open_only,
        postgresql_where=open_only,
    )


def _outbox() -> None:
    op.create_table(
        "events",
        _row_number(),
        _moment("at", null=False),
        _text("type"),
        _text("mailbox_id", null=True),
        _text("campaign_id", null=True),
        _text("content"),
        _flag("fanned"),
        _key("events", "id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_mailbox_id", "events", ["mailbox_id"])
    op.create_index("ix_events_new", "events", ["id"], sqlite_where=sa.text("fanned = 0"), postgresql_where=sa.text("NOT fanned"))
    op.create_table(
        "deliveries",
        _row_number(),
        sa.Column("event_id", sa.BigInteger, nullable=False),
        _text("endpoint"),
        _text("state"),
        _number("attempts"),
        _moment("due_at"),
        _text("lease", null=True),
        _moment("lease_until_at"),
        _number("last_status", null=True),
        _text("last_error", null=True),
        _moment("delivered_at"),
        _key("deliveries", "id"),
        sa.UniqueConstraint("event_id", "endpoint", name="uq_deliveries_event_id"),
        _refers("deliveries", "event_id", "events.id"),
        sqlite_autoincrement=True,
    )
    waiting = sa.text("due_at IS NOT NULL")
    op.create_index("ix_deliveries_due", "deliveries", ["endpoint", "due_at"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_index("ix_deliveries_endpoint", "deliveries", ["endpoint", "id"])
    op.create_table(
        "disabled_endpoints", _text("name"), _text("reason"), _moment("since_at", null=False), _key("disabled_endpoints", "name")
    )


def _people() -> None:
    op.create_table(
        "users", _text("name"), _text("password_hash"), _text("role"), _moment("created_at", null=False), _key("users", "name")
    )
    op.create_table(
        "sessions",
        _text("hashed"),
        _text("user"),
        _moment("created_at", null=False),
        _moment("expires_at", null=False),
        _key("sessions", "hashed"),
        _refers("sessions", "user", "users.name"),
    )
    op.create_index("ix_sessions_user", "sessions", ["user"])
    op.create_table(
        "tokens",
        _text("id"),
        _text("name"),
        _text("hashed"),
        _text("role"),
        _moment("created_at", null=False),
        _text("created_by"),
        _moment("expires_at"),
        _moment("last_used_at"),
        _moment("revoked_at"),
        _key("tokens", "id"),
    )
    op.create_index("ix_tokens_hashed", "tokens", ["hashed"], unique=True)
    op.create_table(
        "links",
        _text("hashed"),
        _text("kind"),
        _text("subject"),
        _moment("expires_at", null=False),
        _moment("used_at"),
        _key("links", "hashed"),
    )
    op.create_table(
        "remembered",
        _text("key"),
        _text("request_hash"),
        _number("status", null=True),
        sa.Column("body", sa.LargeBinary, nullable=True),
        _text("content_type", null=True),
        _moment("at", null=False),
        _key("remembered", "key"),
    )
    op.create_index("ix_remembered_at", "remembered", ["at"])


def _flows() -> None:
    op.create_table(
        "consents",
        *(_text(name) for name in ("id", "mailbox_id", "app", "state", "state_hash", "browser_hash", "kid", "verifier", "actor")),
        _moment("created_at", null=False),
        _moment("expires_at", null=False),
        *(_text(name, null=True) for name in ("error", "user_code", "verification_url")),
        _key("consents", "id"),
        _refers("consents", "mailbox_id", "mailboxes.id"),
    )
    op.create_index("ix_consents_state_hash", "consents", ["state_hash"], unique=True)
    op.create_index("ix_consents_mailbox_id", "consents", ["mailbox_id"])
    op.create_table(
        "jobs",
        *(_text(name) for name in ("id", "action", "arguments", "actor", "origin")),
        _moment("created_at", null=False),
        *(_number(name) for name in ("total", "done", "failed")),
        _moment("ended_at"),
        _key("jobs", "id"),
    )
    op.create_table(
        "job_items",
        _text("job_id"),
        _text("mailbox_id"),
        _moment("done_at"),
        _text("error", null=True),
        _key("job_items", "job_id", "mailbox_id"),
        _refers("job_items", "job_id", "jobs.id"),
    )
    _partial("ix_job_items_waiting", "job_items", ["job_id", "mailbox_id"], "done_at IS NULL")
    _partial("ix_job_items_failed", "job_items", ["job_id", "mailbox_id"], "error IS NOT NULL")


def _views() -> None:
    for table, moment, text in (("latencies", "newest_at", "samples"), ("conversations", "at", "lines")):
        op.create_table(
            table,
            _text("mailbox_id"),
            _moment(moment, null=False),
            _text(text),
            _key(table, "mailbox_id"),
            _refers(table, "mailbox_id", "mailboxes.id"),
        )
    op.create_index("ix_standings_state", "standings", ["state", "since_at", "mailbox_id"])
    op.drop_index("ix_standings_provider", "standings")
    op.create_index("ix_standings_provider", "standings", ["provider", "state", "since_at", "mailbox_id"])
    _partial(
        "ix_transitions_lost",
        "transitions",
        ["at", "mailbox_id", "version", "cause"],
        "from_state = 'suspect' AND to_state IN ('reconnecting', 'blocked')",
    )
    _partial("ix_standings_cause", "standings", ["cause", "state", "since_at", "mailbox_id", "provider"], "cause IS NOT NULL")


def _widen() -> None:
    op.add_column("audit", _text("subject", null=True))
    op.add_column("audit", _text("detail", null=True))
    op.create_index("ix_audit_mailbox_id", "audit", ["mailbox_id"])


def _move_campaigns() -> None:
    connection = op.get_bind()
    now = time.time_ns() // 1000
    known: set[str] = set()
    rows = connection.execute(sa.text("SELECT id, campaigns FROM mailboxes WHERE campaigns <> ''")).all()
    for mailbox_id, stored in rows:
        for name in dict.fromkeys(json.loads(stored)):
            if name not in known:
                known.add(name)
                connection.execute(
                    sa.text("INSERT INTO campaigns VALUES (:id, :id, '', '', 'active', 1, :now, :now, NULL)"),
                    {"id": name, "now": now},
                )
            connection.execute(sa.text("INSERT INTO campaign_links VALUES (:id, :of)"), {"id": name, "of": mailbox_id})
    op.drop_column("mailboxes", "campaigns")
