"""What is read of campaigns: one of them, pages, what is held back, spans of the ledger, counts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Row, Select, Text, and_, bindparam, func, or_, select

from mailwatch.core.campaigns import Campaign, CampaignState, Pause, PauseOrigin
from mailwatch.ports.campaigns import CampaignFilter, CampaignNotFoundError, CampaignView
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.ledger import campaign_from_row, pause_from_row
from mailwatch.store.linking import linked_to
from mailwatch.store.schema import mailboxes
from mailwatch.store.schema_campaigns import campaign_links, campaigns, pauses

_ONE: Final = select(campaigns).where(campaigns.c.id == bindparam("of"))
_OPEN: Final = (
    select(pauses)
    .where(pauses.c.campaign_id.in_(bindparam("ids", expanding=True)), pauses.c.lifted_at.is_(None))
    .order_by(pauses.c.since_at, pauses.c.id)
)
#: Of each campaign in a list, so many of its open pauses: first those in force, the oldest first.
LISTED_PAUSES: Final = 20
_open = pauses.c.lifted_at.is_(None), pauses.c.campaign_id.in_(bindparam("ids", expanding=True))
_place = func.row_number().over(
    partition_by=pauses.c.campaign_id, order_by=(pauses.c.in_force.desc(), pauses.c.since_at, pauses.c.id)
)
_ranked = (
    select(pauses, _place.label("place"), func.count().over(partition_by=pauses.c.campaign_id).label("number"))
    .where(*_open)
    .subquery()
)
_LISTED: Final = (
    select(_ranked)
    .where(or_(_ranked.c.place <= LISTED_PAUSES, _ranked.c.mailbox_id == bindparam("of", type_=Text)))
    .order_by(_ranked.c.place)
)
_RESUMABLE: Final = (
    select(campaigns)
    .join(pauses, pauses.c.campaign_id == campaigns.c.id)
    .where(
        pauses.c.mailbox_id == bindparam("of"),
        pauses.c.lifted_at.is_(None),
        pauses.c.origin == PauseOrigin.OPERATOR.value,
        pauses.c.ready_at.is_not(None),
    )
    .order_by(campaigns.c.id)
)
_NOT_IN_FORCE: Final = (pauses.c.lifted_at.is_(None), ~pauses.c.in_force)
_HELD_BACK: Final = (
    select(pauses).where(*_NOT_IN_FORCE, pauses.c.id > bindparam("after")).order_by(pauses.c.id).limit(bindparam("most"))
)
_HELD_BACK_COUNTS: Final = (
    select(func.count(pauses.c.campaign_id.distinct()).label("campaigns"), func.count().label("pauses"))
    .select_from(pauses)
    .where(*_NOT_IN_FORCE)
)
_SPANS: Final = (
    select(pauses)
    .where(
        pauses.c.campaign_id == bindparam("of"),
        pauses.c.since_at < bindparam("until"),
        or_(pauses.c.lifted_at.is_(None), pauses.c.lifted_at > bindparam("since")),
    )
    .order_by(pauses.c.since_at, pauses.c.id)
)
_inner = pauses.alias("inner_pauses")
_OLDEST: Final = (
    select(_inner.c.id)
    .where(_inner.c.campaign_id == campaigns.c.id, _inner.c.lifted_at.is_(None), _inner.c.in_force)
    .order_by(_inner.c.since_at, _inner.c.id)
    .limit(1)
    .correlate(campaigns)
    .scalar_subquery()
)
_COUNTS: Final = (
    select(campaigns.c.state, pauses.c.origin, func.count().label("number"))
    .select_from(campaigns)
    .outerjoin(pauses, and_(campaigns.c.state == CampaignState.PAUSED.value, pauses.c.id == _OLDEST))
    .group_by(campaigns.c.state, pauses.c.origin)
)
_ADDRESSES: Final = select(mailboxes.c.id, mailboxes.c.address).where(mailboxes.c.id.in_(bindparam("ids", expanding=True)))
_IDS_AT_ONCE: Final = 5000  # SQLite takes 32,766 parameters
#: What `counts` says where nothing pauses a campaign.
NO_ORIGIN: Final = "none"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def not_found(campaign_id: str) -> CampaignNotFoundError:
    """The error that names the cure."""
    return CampaignNotFoundError(f"no campaign {campaign_id!r}; `mailwatch campaign list` shows those there are")


async def view_of(attempt: Attempt, campaign_id: str) -> CampaignView:
    """One campaign with its mailboxes and open pauses; raises CampaignNotFoundError."""
    row = (await attempt.connection.execute(_ONE, {"of": campaign_id})).first()
    if row is None:
        raise not_found(campaign_id)
    campaign = replace(campaign_from_row(row), mailboxes=tuple(await linked_to(attempt, campaign_id)))
    return CampaignView(campaign, tuple((await _open_pauses(attempt, [campaign_id]))[campaign_id]))


class CampaignReads:
    """The reading half of ports.campaigns.Campaigns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, campaign_id: str) -> CampaignView:
        """One campaign with all its mailboxes; raises CampaignNotFoundError."""

        async def work(attempt: Attempt) -> CampaignView:
            return await view_of(attempt, campaign_id)

        return await self._database.read(work)

    async def list(self, which: CampaignFilter) -> Sequence[CampaignView]:
        """A page of campaigns, by id; their mailboxes are left out, and so are more pauses than `LISTED_PAUSES` of each.

        The pause for the mailbox that is asked for is always there.
        """
        statement = _narrowed(which).order_by(campaigns.c.id).limit(which.limit)

        async def work(attempt: Attempt) -> Sequence[CampaignView]:
            found = [campaign_from_row(row) for row in (await attempt.connection.execute(statement)).all()]
            listed = await _listed(attempt, [campaign.id for campaign in found], which.mailbox_id)
            return [CampaignView(campaign, *listed.get(campaign.id, ((), 0))) for campaign in found]

        return await self._database.read(work)

    async def resumable(self, mailbox_id: str) -> Sequence[Campaign]:
        """The campaigns that an operator's disconnect of this mailbox paused and that wait for a person since it is verified."""
        return [campaign_from_row(row) for row in await self._rows(_RESUMABLE, {"of": mailbox_id})]

    async def held_back(self, after: int = 0, limit: int = 1000) -> Sequence[Pause]:
        """Open pauses not in force: suggested, observed, or held back by the brake; in order of their numbers, above *after*."""
        return [pause_from_row(row) for row in await self._rows(_HELD_BACK, {"after": after, "most": limit})]

    async def held_back_counts(self) -> tuple[int, int]:
        """How many campaigns have such pauses, and how many pauses that are."""

        async def work(attempt: Attempt) -> tuple[int, int]:
            row = (await attempt.connection.execute(_HELD_BACK_COUNTS)).one()
            return row.campaigns, row.pauses

        return await self._database.read(work)

    async def spans(self, campaign_id: str, since: datetime, until: datetime) -> Sequence[Pause]:
        """The ledger's entries that touch the span, oldest first."""
        rows = await self._rows(_SPANS, {"of": campaign_id, "since": since, "until": until})
        return [pause_from_row(row) for row in rows]

    async def addresses(self, mailbox_ids: Iterable[str]) -> Mapping[str, str]:
        """The addresses of these mailboxes by their ids; one that was removed is left out."""
        ids = sorted(set(mailbox_ids))
        found: dict[str, str] = {}
        for start in range(0, len(ids), _IDS_AT_ONCE):
            rows = await self._rows(_ADDRESSES, {"ids": ids[start : start + _IDS_AT_ONCE]})
            found |= {row.id: row.address for row in rows}
        return found

    async def counts(self) -> Mapping[tuple[CampaignState, str], int]:
        """Campaigns by state and, where paused, by the origin of the oldest open pause in force (`none` where they are not)."""
        rows = await self._rows(_COUNTS)
        return {(CampaignState(row.state), row.origin or NO_ORIGIN): row.number for row in rows}

    async def _rows(self, statement: Select[Any], values: Mapping[str, Any] = _NOTHING) -> Sequence[Row[Any]]:
        async def work(attempt: Attempt) -> Sequence[Row[Any]]:
            found: Sequence[Row[Any]] = (await attempt.connection.execute(statement, values)).all()
            return found

        return await self._database.read(work)


def _narrowed(which: CampaignFilter) -> Select[Any]:
    statement = select(campaigns)
    if which.states:
        statement = statement.where(campaigns.c.state.in_(sorted(which.states)))
    if which.mailbox_id is not None:
        linked = select(campaign_links.c.campaign_id).where(campaign_links.c.mailbox_id == which.mailbox_id)
        statement = statement.where(campaigns.c.id.in_(linked))
    if which.text:
        wanted = which.text.lower()
        words = (campaigns.c.id, campaigns.c.name, campaigns.c.sender)
        statement = statement.where(or_(*(func.lower(column).contains(wanted, autoescape=True) for column in words)))
    if which.after is not None:
        statement = statement.where(campaigns.c.id > which.after)
    return statement


async def _open_pauses(attempt: Attempt, campaign_ids: Sequence[str]) -> Mapping[str, list[Pause]]:
    found: defaultdict[str, list[Pause]] = defaultdict(list)
    if campaign_ids:
        for row in (await attempt.connection.execute(_OPEN, {"ids": list(campaign_ids)})).all():
            found[row.campaign_id].append(pause_from_row(row))
    return found


async def _listed(
    attempt: Attempt, campaign_ids: Sequence[str], mailbox_id: str | None
) -> Mapping[str, tuple[tuple[Pause, ...], int]]:
    """Some open pauses of each campaign, and how many there are beside them."""
    found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    if campaign_ids:
        values = {"ids": list(campaign_ids), "of": mailbox_id}
        for row in (await attempt.connection.execute(_LISTED, values)).all():
            found[row.campaign_id].append(row)
    return {
        campaign_id: (tuple(pause_from_row(row) for row in rows), rows[0].number - len(rows)) for campaign_id, rows in found.items()
    }
