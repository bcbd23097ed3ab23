"""Incidents: those that are open, what is away for reasons of its own, those that are over; and one incident with its course."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from markupsafe import Markup
from starlette.responses import Response

from mailwatch.core.cause_texts import remedy_for
from mailwatch.core.causes import Disposition, Owner, profile_of
from mailwatch.core.incidents.doing import looks_by_canaries, what_is_done
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import LOGIN_STATES
from mailwatch.core.providers import provider_for_host
from mailwatch.core.status_pages import status_page_of
from mailwatch.core.webhooks import EventType
from mailwatch.ports import MailboxView
from mailwatch.ports.pages import Course, Extent, PageFilter
from mailwatch.web.pages.charts import course_chart
from mailwatch.web.pages.fleet import groups_of
from mailwatch.web.pages.notices import notices_of
from mailwatch.web.pages.rendering import moment
from mailwatch.web.pages.shelf import shelved
from mailwatch.web.pages.visits import Visit
from mailwatch.web.pages.words import capital, cause_word, number_word, scope_word, what_it_is

_PAST_ROWS: Final = 25
_MAILBOX_ROWS: Final = 50
CAMPAIGNS: Final = 200


@dataclass(frozen=True, slots=True)
class Card:
    """An incident in the sentences a person at 3 a.m. needs."""

    incident: Incident
    title: str
    sentence: str
    doing: str
    next: Markup | None  #: when it tries next, where no canary does
    must: tuple[str, ...]  #: what a person must do; empty: nothing
    may_help: tuple[str, ...]
    owner: Owner | None
    status_page: str | None
    extent: Extent
    link: str
    mailboxes_link: str | None  #: the list of the mailboxes of its scope, where the list can be filtered by that

    @property
    def campaigns(self) -> str:
        """How many campaigns send through it."""
        number = len(self.extent.campaigns)
        return f"more than {CAMPAIGNS} campaigns" if number > CAMPAIGNS else number_word(number, "campaign")

    @property
    def tone(self) -> str:
        """Whose colours it has: those of a mailbox in the like state."""
        if not self.incident.is_open:
            return "connected"
        return "blocked" if self.must else "reconnecting"


@dataclass(frozen=True, slots=True)
class Turn:
    """One entry of an incident's timeline."""

    at: datetime
    tone: str
    icon: str
    word: str
    said: str


async def incidents(visit: Visit) -> Response:
    """`/incidents`."""
    told, source = await notices_of(visit), visit.surface.incidents
    before = visit.request.query_params.get("before") or None
    extents = await asyncio.gather(*(_extent(visit, each) for each in told.incidents))
    groups = groups_of(await visit.surface.pages.troubles(told.incidents))
    past = await source.listed(before, _PAST_ROWS + 1, is_open=False) if source is not None else ()
    shown = past[:_PAST_ROWS]
    return visit.page(
        "incidents.html",
        here="incidents",
        tab="incidents",
        running=len(told.windows),
        cards=[card_of(each, extent, told.canary_seconds, visit.now) for each, extent in zip(told.incidents, extents, strict=True)],
        groups=groups,
        away=sum(group.mailboxes for group in groups),
        past=[(each, title_of(each), link_of(each)) for each in shown],
        older=f"/incidents?{urlencode({'before': shown[-1].id})}#past" if len(past) > _PAST_ROWS else None,
        newest=before is None,
    )


async def incident(visit: Visit) -> Response:
    """`/incidents/{id}`."""
    source, pages = visit.surface.incidents, visit.surface.pages
    found = await source.find(visit.request.path_params["incident_id"]) if source is not None else None
    if found is None:
        return visit.problem(404, "There is no such incident", "It was tidied away, or never was here.")
    told = await notices_of(visit)
    course = await shelved(visit, ("course", found), lambda: pages.course(found, visit.now))
    after = visit.request.query_params.get("after") or None
    ids = await shelved(visit, ("seen", found, after), lambda: pages.seen_failing(found, after, _MAILBOX_ROWS + 1))
    card = card_of(found, await _extent(visit, found), told.canary_seconds, visit.now)
    mailboxes = await _views(visit, ids[:_MAILBOX_ROWS])
    if looks_by_canaries(found, told.canary_seconds) and (quiet := await _quiet(visit, mailboxes)):
        card = replace(card, doing=f"{quiet} {card.doing}")
    return visit.page(
        "incident.html",
        here="incidents",
        card=card,
        incident=found,
        lasted=((found.closed_at or visit.now) - found.opened_at).total_seconds(),
        chart=course_chart(course),
        course=course,
        turns=turns_of(found, course),
        mailboxes=mailboxes,
        next_link=_behind(card.link, ids),
        first_page=after is None,
        campaigns=card.extent.campaigns[:CAMPAIGNS],
        more_campaigns=len(card.extent.campaigns) > CAMPAIGNS,
    )


async def _quiet(visit: Visit, mailboxes: Sequence[MailboxView]) -> str:
    """What even the canaries among *mailboxes* wait for; empty: nothing, or there is none."""
    source = visit.surface.quiet_hosts
    canaries = [view for view in mailboxes if view.standing.proven and view.standing.state in LOGIN_STATES]
    found = None if source is None else await source.of_all(canaries)
    return "" if found is None else found.sentence


def _behind(link: str, ids: Sequence[str]) -> str | None:
    """The next page of its mailboxes, where there are more."""
    last = urlencode({"after": ids[_MAILBOX_ROWS - 1]}) if len(ids) > _MAILBOX_ROWS else None
    return None if last is None else f"{link}?{last}#mailboxes-seen"


async def _extent(visit: Visit, incident: Incident) -> Extent:
    return await shelved(visit, ("extent", incident), lambda: visit.surface.pages.extent(incident, CAMPAIGNS + 1))


async def _views(visit: Visit, ids: Sequence[str]) -> Sequence[MailboxView]:
    return (await visit.surface.pages.page(PageFilter(ids=frozenset(ids)), None, len(ids))).rows if ids else ()


def card_of(incident: Incident, extent: Extent, canary_seconds: float | None, now: datetime) -> Card:
    """The incident in words."""
    profile, remedy = profile_of(incident.cause), remedy_for(incident.cause, _whose_steps(incident.scope))
    # what no waiting heals, and what is broken at our own place
    needs_person = incident.is_open and (profile.disposition is Disposition.HUMAN or incident.scope == EGRESS)
    one_by_one = incident.is_open and incident.scope != EGRESS and not looks_by_canaries(incident, canary_seconds)
    due_at = extent.next_at if one_by_one else None
    return Card(
        incident,
        title_of(incident),
        what_it_is(incident.cause),
        what_is_done(incident, canary_seconds),
        None if due_at is None else Markup("now") if due_at <= now else moment(due_at, now),
        remedy if needs_person else (),
        () if needs_person or not incident.is_open else remedy,
        profile.owner if needs_person else None,
        status_page_of(incident.scope),
        extent,
        link_of(incident),
        _mailboxes_link(incident.scope),
    )


def title_of(incident: Incident) -> str:
    """What is away and why, in a few words."""
    if incident.scope == EGRESS:
        return "mailwatch's own network is down"
    return f"{capital(scope_word(incident.scope))}: {cause_word(incident.cause)}"


def link_of(incident: Incident) -> str:
    """Its page."""
    return f"/incidents/{quote(incident.id, safe='')}"


def _whose_steps(scope: Scope) -> str:
    if scope.kind is ScopeKind.PROVIDER:
        return scope.name
    return provider_for_host(scope.name) if scope.kind is ScopeKind.ENDPOINT else "other"


def _mailboxes_link(scope: Scope) -> str | None:
    if scope.kind is ScopeKind.PROVIDER:
        return f"/mailboxes?{urlencode({'provider': scope.name})}"
    return f"/mailboxes?{urlencode({'q': '@' + scope.name})}" if scope.kind is ScopeKind.DOMAIN else None


def turns_of(incident: Incident, course: Course) -> list[Turn]:
    """Its timeline, newest first: as it was told, and how it grew in between."""
    turns = [_turn(incident.opened_at, EventType.INCIDENT_OPENED, course)]
    told = [(at, kind) for at, kind in course.turns if kind != EventType.INCIDENT_OPENED and at != incident.closed_at]
    if incident.closed_at is not None:  # of the others there is no more than events, which are kept for a while only
        told.append((incident.closed_at, EventType.INCIDENT_CLOSED))
    turns += [_turn(at, kind, course) for at, kind in told]
    return sorted([*turns, *_growth(incident, course)], key=lambda turn: turn.at, reverse=True)


_TOLD: Final = {
    EventType.INCIDENT_OPENED: ("blocked", "alert", "Opened", "So many failed together that it is one incident."),
    EventType.INCIDENT_CLOSED: ("connected", "check", "Closed", "What had failed came back, and hardly anything fails any more."),
    EventType.INCIDENT_REOPENED: ("blocked", "cycle", "Came back", "It failed again soon after its end: the same incident."),
}


def _turn(at: datetime, kind: str, course: Course) -> Turn:
    if kind == EventType.INCIDENT_CLOSED and at in course.closed_by_hand:
        return Turn(at, "connected", "check", "Closed", "A person said that it is over.")
    return Turn(at, *_TOLD[EventType(kind)])


def _growth(incident: Incident, course: Course) -> list[Turn]:
    """The first failures, each time their number had doubled since it was last told, and the last ones."""
    turns, told, failed = [], 0, 0
    last = max((place for place, stretch in enumerate(course.stretches) if stretch.failed), default=-1)
    for place, stretch in enumerate(course.stretches[: last + 1]):
        failed += stretch.failed
        ends_at = stretch.at + timedelta(seconds=course.seconds)
        if not told:
            told = failed
            words = f"{number_word(failed, 'mailbox', 'mailboxes')} failed."
            turns.append(Turn(stretch.at, "suspect", "alert", "First failures", words))
        elif failed >= 2 * told or (place == last and failed > told):
            told = failed
            at = min(ends_at, max(incident.last_failure_at, stretch.at))
            words = f"{number_word(failed, 'mailbox has', 'mailboxes have')} failed by now."
            turns.append(Turn(at, "reconnecting", "incidents", "Grew", words))
    return turns
