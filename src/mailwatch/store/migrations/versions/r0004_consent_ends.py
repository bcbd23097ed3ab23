"""When each consent ends, where its provider says; indexes for what is held back and for what jobs told of a mailbox."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column; what it holds comes with each mailbox's next renewal."""
    op.add_column("grants", sa.Column("consent_ends_at", sa.BigInteger, nullable=True))
    op.create_index("ix_grants_consent_ends_at", "grants", ["consent_ends_at"])
    _partial("ix_pauses_held_back", "pauses", ["id"], "lifted_at IS NULL AND NOT in_force")
    _partial("ix_job_items_told", "job_items", ["mailbox_id"], "error IS NOT NULL")


def downgrade() -> None:
    """Nothing would be lost but what providers tell again; going back is by a backup all the same."""
    raise NotImplementedError("restore a backup made by `mailwatch db backup` instead of going back")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
