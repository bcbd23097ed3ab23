"""Correlation: incidents, what each scope shows by itself, duties only one node does, and maintenance windows."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Build the tables."""
    op.create_table(
        "incidents",
        *(_text(name) for name in ("id", "kind", "name", "cause")),
        _moment("opened_at"),
        _moment("last_failure_at"),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("peak_share", sa.Float, nullable=False),
        _moment("closed_at", null=True),
        sa.Column("reopened", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index("ix_incidents_closed_at", "incidents", ["closed_at"])
    op.create_index("ix_incidents_opened_at", "incidents", ["opened_at", "id"])
    op.create_table(
        "baselines",
        _text("kind"),
        _text("name"),
        sa.Column("events", sa.Float, nullable=False),
        sa.Column("exposure_seconds", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_baselines"),
    )
    op.create_table("duties", _text("name"), _text("node"), _moment("until_at"), sa.PrimaryKeyConstraint("name", name="pk_duties"))
    op.create_table(
        "maintenance",
        _text("id"),
        _text("title"),
        _text("kind", null=True),
        _text("name", null=True),
        _moment("starts_at"),
        sa.Column("seconds", sa.Integer, nullable=False),
        _text("every"),
        _text("zone"),
        _moment("until_at", null=True),
        _text("created_by"),
        _moment("created_at"),
        _moment("ended_at", null=True),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance"),
    )


def downgrade() -> None:
    """What the new tables hold would be lost: restore a backup instead."""
    raise NotImplementedError("restore a backup made by `mailwatch db backup` instead of going back")


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _moment(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null)
