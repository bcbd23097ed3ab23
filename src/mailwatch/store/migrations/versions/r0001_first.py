"""The first schema.

Spelt out instead of made from `store.schema`: a revision must build the same tables for ever, whatever becomes of the program.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None

_INTEGER = sa.Integer
_MOMENT = sa.BigInteger


def upgrade() -> None:
    """Build all tables."""
    _mailboxes()
    _standings()
    _secrets()
    _transitions()
    _logs()


def downgrade() -> None:
    """There is nothing before the first schema: restore a backup instead."""
    raise NotImplementedError("restore a backup made by `mailwatch db backup` instead of going back")


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _moment(name: str, *, null: bool = True) -> sa.Column[int]:
    return sa.Column(name, _MOMENT, nullable=null)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, _INTEGER, nullable=False)


def _row_number() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False)


def _of_mailbox(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name=f"fk_{table}_mailbox_id", ondelete="CASCADE")


def _mailboxes() -> None:
    op.create_table(
        "mailboxes",
        _text("id"),
        _text("address"),
        _text("address_key"),
        _text("username"),
        _text("auth"),
        _text("imap", null=True),
        _text("smtp", null=True),
        _text("host"),
        _text("provider"),
        _text("oauth_app", null=True),
        _text("labels"),
        _text("campaigns"),
        _moment("created_at", null=False),
        sa.PrimaryKeyConstraint("id", name="pk_mailboxes"),
        sa.UniqueConstraint("address_key", name="uq_mailboxes_address_key"),
    )


def _standings() -> None:
    op.create_table(
        "standings",
        _text("mailbox_id"),
        _text("provider"),
        _text("gate"),
        _text("state"),
        _text("cause", null=True),
        _number("version"),
        _number("generation"),
        _number("changes"),
        _moment("due_at"),
        _moment("since_at", null=False),
        _moment("last_probe_at"),
        _moment("last_success_at"),
        _moment("down_since_at"),
        _text("rest"),
        _text("lease", null=True),
        _text("lease_node", null=True),
        _moment("lease_until_at"),
        sa.PrimaryKeyConstraint("mailbox_id", name="pk_standings"),
        _of_mailbox("standings"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("ix_standings_due_at", "standings", ["due_at", "gate", "lease_until_at"])
    op.create_index("ix_standings_provider", "standings", ["provider", "state"])


def _secrets() -> None:
    op.create_table(
        "secrets",
        _text("mailbox_id"),
        _text("field"),
        _text("kid"),
        _text("sealed"),
        _number("generation"),
        _moment("born_at", null=False),
        sa.PrimaryKeyConstraint("mailbox_id", "field", name="pk_secrets"),
        _of_mailbox("secrets"),
    )
    op.create_index("ix_secrets_kid", "secrets", ["kid"])
    op.create_table(
        "grants",
        _text("mailbox_id"),
        _number("generation"),
        _number("epoch"),
        _moment("expires_at"),
        _text("lease", null=True),
        _moment("lease_until_at"),
        sa.PrimaryKeyConstraint("mailbox_id", name="pk_grants"),
        _of_mailbox("grants"),
    )
    op.create_table("keys", _text("kid"), _text("canary"), sa.PrimaryKeyConstraint("kid", name="pk_keys"))
    op.create_table("meta", _text("name"), _text("content"), sa.PrimaryKeyConstraint("name", name="pk_meta"))


def _transitions() -> None:
    op.create_table(
        "transitions",
        _row_number(),
        _text("mailbox_id"),
        _number("version"),
        _moment("at", null=False),
        _text("from_state"),
        _text("to_state"),
        _text("trigger"),
        _text("cause", null=True),
        _text("protocol", null=True),
        _text("diagnosis", null=True),
        _text("evidence", null=True),
        _number("generation"),
        _text("actor"),
        _text("effects"),
        sa.Column("credential_age_seconds", sa.BigInteger, nullable=True),
        _text("operation"),
        sa.PrimaryKeyConstraint("id", name="pk_transitions"),
        sa.UniqueConstraint("mailbox_id", "version", name="uq_transitions_mailbox_id"),
        _of_mailbox("transitions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_transitions_at", "transitions", ["at"])


def _logs() -> None:
    op.create_table(
        "refusals",
        _row_number(),
        _text("host"),
        _text("mailbox_id", null=True),
        _number("generation"),
        _moment("at", null=False),
        _text("kind"),
        _text("operation"),
        sa.PrimaryKeyConstraint("id", name="pk_refusals"),
    )
    op.create_index("ix_refusals_at", "refusals", ["at"])
    op.create_index("ix_refusals_mailbox_id", "refusals", ["mailbox_id"])
    op.create_table(
        "audit",
        _row_number(),
        _moment("at", null=False),
        _text("actor"),
        _text("action"),
        _text("origin"),
        _text("mailbox_id", null=True),
        _text("state_before", null=True),
        _text("state_after", null=True),
        _text("operation"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_operation", "audit", ["operation"])
