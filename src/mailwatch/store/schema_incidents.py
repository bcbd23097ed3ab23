"""The tables of correlation: incidents, what each scope shows by itself, duties only one node does, maintenance (see `schema`)."""

from typing import Final

from sqlalchemy import Column, Float, Index, Integer, Table, Text

from mailwatch.store.schema import Moment, metadata

incidents: Final = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # of its scope
    Column("name", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("last_failure_at", Moment, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("peak_share", Float, nullable=False),
    Column("closed_at", Moment),
    Column("reopened", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Index("ix_incidents_closed_at", "closed_at"),  # known
    Index("ix_incidents_opened_at", "opened_at", "id"),  # listed
)

baselines: Final = Table(
    "baselines",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("events", Float, nullable=False),
    Column("exposure_seconds", Float, nullable=False),
)

duties: Final = Table(
    "duties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("until_at", Moment, nullable=False),
)

maintenance: Final = Table(
    "maintenance",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("kind", Text),  # of the scope it covers; NULL: everything
    Column("name", Text),
    Column("starts_at", Moment, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("every", Text, nullable=False),  # once, daily, weekly
    Column("zone", Text, nullable=False),  # whose clock a recurring window keeps to
    Column("until_at", Moment),  # a recurring one's end
    Column("created_by", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment),
)
