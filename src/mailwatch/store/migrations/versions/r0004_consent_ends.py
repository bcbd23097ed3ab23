"""When each consent ends, where its provider says; what a removal must find again, and what a bulk job was meant for."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


pauses: Final = sa.table(
    "pauses",
    sa.column("lifted_at", sa.BigInteger),
    sa.column("in_force", sa.Boolean(create_constraint=False)),
    sa.column("braked", sa.Boolean(create_constraint=False)),
)
remembered: Final = sa.table(
    "remembered", sa.column("status", sa.Integer), sa.column("body", sa.LargeBinary), sa.column("content_type", sa.Text)
)
_ANSWERED: Final = {
    "status": 409,
    "body": b'{"type":"/problems/answer_not_kept","title":"The first request with this key was answered before an upgrade",'
    b'"status":409,"code":"answer_not_kept"}',
    "content_type": "application/problem+json",
}


def upgrade() -> None:
    """Add the column; what it holds comes with each mailbox's next renewal."""
    op.add_column("grants", sa.Column("consent_ends_at", sa.BigInteger, nullable=True))
    op.create_index("ix_grants_consent_ends_at", "grants", ["consent_ends_at"])
    _campaigns()
    _partial("ix_job_items_told", "job_items", ["mailbox_id"], "error IS NOT NULL")
    _partial("ix_events_typed", "events", ["campaign_id"], "mailbox_id IS NULL")
    op.add_column("jobs", sa.Column("which", sa.Text, nullable=True))
    op.create_table(
        "remembered_names",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["key"], ["remembered.key"], name="fk_remembered_names_key", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", "name", name="pk_remembered_names"),
    )
    op.create_index("ix_remembered_names_name", "remembered_names", ["name"])
    op.create_table(
        "node_keys",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("kids", sa.Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node", name="pk_node_keys"),
    )
    # nobody noted whom the answers of the last day tell of: that they were given stays, so that nothing is done twice
    op.execute(remembered.update().where(remembered.c.body.is_not(None)).values(**_ANSWERED))


def _campaigns() -> None:
    """Why a pause is not in force, and which a finished campaign takes up again; what pauses a campaign, found at once."""
    for name in ("braked", "by_finish"):
        op.add_column("pauses", sa.Column(name, sa.Boolean(create_constraint=False), nullable=False, server_default=sa.false()))
    # nobody noted why these are held back: as before, a person puts them in force
    op.execute(pauses.update().where(pauses.c.lifted_at.is_(None), pauses.c.in_force == sa.false()).values(braked=sa.true()))
    whole, open_ = ["campaign_id", "origin", "actor", "mailbox_id"], "lifted_at IS NULL AND "
    _partial("ix_pauses_held_back", "pauses", ["id"], open_ + "in_force = 0", open_ + "NOT in_force")
    _partial("ix_pauses_in_force", "pauses", whole, open_ + "in_force = 1", open_ + "in_force")


def downgrade() -> None:
    """Nothing would be lost but what providers tell again; going back is by a backup all the same."""
    raise NotImplementedError("restore a backup made by `mailwatch db backup` instead of going back")


def _partial(name: str, table: str, columns: list[str], where: str, postgresql_where: str | None = None) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(postgresql_where or where))
