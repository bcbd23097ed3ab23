"""The tables of people and programs: accounts, sessions, tokens, one-time links, consents, bulk jobs; and what the page reads."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from mailwatch.store.schema import Moment, metadata, of_mailbox

users: Final = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),  # argon2id
    Column("role", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("hashed", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index("ix_sessions_user", "user"),  # ended together with a changed password
)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hashed", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    Index("ix_tokens_hashed", "hashed", unique=True),  # every request with a token
)

links: Final = Table(
    "links",
    metadata,
    Column("hashed", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

remembered: Final = Table(
    "remembered",
    metadata,
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("content_type", Text),
    Column("at", Moment, nullable=False),
    Index("ix_remembered_at", "at"),  # tidy
)

#: Of which mailboxes an answer tells: by id, and by the hash of an address.
remembered_names: Final = Table(
    "remembered_names",
    metadata,
    Column("key", Text, ForeignKey("remembered.key", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Index("ix_remembered_names_name", "name"),  # removal: the answers that tell of one mailbox
)

consents: Final = Table(
    "consents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("mailbox_id", Text, ForeignKey("mailboxes.id", ondelete="CASCADE"), nullable=False),
    Column("app", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_hash", Text, nullable=False),
    Column("browser_hash", Text, nullable=False),
    Column("kid", Text, nullable=False),
    Column("verifier", Text, nullable=False),  # sealed: whoever holds it and the code holds the grant
    Column("actor", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("error", Text),
    Column("user_code", Text),
    Column("verification_url", Text),
    Index("ix_consents_state_hash", "state_hash", unique=True),  # the way back from the provider
    Index("ix_consents_mailbox_id", "mailbox_id"),
)

jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("action", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("ended_at", Moment),
    Column("which", Text),  # JSON: the filter that named the mailboxes; null when ids did, and once the job has ended
)

job_items: Final = Table(
    "job_items",
    metadata,
    Column("job_id", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("mailbox_id", Text, primary_key=True),  # no foreign key: a job may remove it
    Column("done_at", Moment),
    Column("error", Text),
    # waiting: found at once however many are done
    Index(
        "ix_job_items_waiting",
        "job_id",
        "mailbox_id",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    # items: the failed alone
    Index(
        "ix_job_items_failed",
        "job_id",
        "mailbox_id",
        sqlite_where=text("error IS NOT NULL"),
        postgresql_where=text("error IS NOT NULL"),
    ),
    # removal: what was told of one mailbox
    Index("ix_job_items_told", "mailbox_id", sqlite_where=text("error IS NOT NULL"), postgresql_where=text("error IS NOT NULL")),
)

latencies: Final = Table(
    "latencies",
    metadata,
    of_mailbox(),
    Column("newest_at", Moment, nullable=False),
    Column("samples", Text, nullable=False),  # JSON: the last day, one an hour
)

conversations: Final = Table(
    "conversations",
    metadata,
    of_mailbox(),
    Column("at", Moment, nullable=False),
    Column("lines", Text, nullable=False),  # JSON, redacted before it came here
)
