"""One mailbox: what happened, what mailwatch does about it, what a person must do; then everything that is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from markupsafe import Markup, escape
from starlette.responses import Response

from mailwatch.core.cause_texts import remedy_for, told_in
from mailwatch.core.causes import Disposition, Owner, profile_of
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.impairments import impairment_of
from mailwatch.core.incidents.doing import looks_by_canaries, what_is_done
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import AuthKind, Protocol
from mailwatch.core.standing import Transition
from mailwatch.ports import MailboxView
from mailwatch.ports.campaigns import CampaignFilter
from mailwatch.ports.pages import Sample
from mailwatch.ports.people import Role
from mailwatch.web.pages.charts import heartbeat, latency, phases_of
from mailwatch.web.pages.notices import Part, notices_of
from mailwatch.web.pages.rendering import moment
from mailwatch.web.pages.rows import acts_of, etag_of, flapping_of, next_in, wants_secret
from mailwatch.web.pages.visits import Visit
from mailwatch.web.pages.words import STATES, TRIGGERS, cause_word, scope_word, what_it_is

_STEPS_SHOWN: Final = 25
_DOING: Final[Mapping[State, str]] = {
    State.PENDING: "It is looked at for the first time {due}.",
    State.CONNECTED: "It watches on schedule; the next look is {due}.",
    State.SUSPECT: "It looks again {due} before it believes the failure. Campaigns still run.",
    State.RECONNECTING: "It tries again {due} (attempt {attempt}). Campaigns stay paused until the mailbox is verified.",
    State.VERIFYING: "{clean} clean so far; the next probe is {due}. Campaigns resume once it has proved itself.",
    State.BLOCKED: "It has stopped logging in, so that the account is not locked; it looks without a login {due}.",
    State.HELD: "Nothing, until the hold ends {until}; then it verifies the mailbox.",
    State.INACTIVE: "Nothing is probed. Record, history and campaign links are kept.",
}
_TRIED: Final = frozenset({State.SUSPECT, State.RECONNECTING, State.VERIFYING})
_UNSEEN_AS_IT_WAS: Final = frozenset({State.PENDING, State.CONNECTED, State.SUSPECT})
_UNSEEN: Final = (
    "It tries to look again {due}. Its own fault is no mailbox's failure: the state stays as it was, and campaigns with it."
)
_UNTIL_RELEASED: Final = "Nothing, until somebody releases the hold."


@dataclass(frozen=True, slots=True)
class Story:
    """The three sentences a person at 3 a.m. needs."""

    happened: str
    doing: Markup
    steps: tuple[str, ...]  #: what a person must do; empty: nothing
    may_help: tuple[str, ...]  #: what would help if it does not pass by itself
    owner: Owner | None
    quote: str  #: the server's own words


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the timeline."""

    number: int
    at: datetime
    from_word: str
    to: State
    said: str
    cause: str
    quote: str
    actor: str


async def mailbox(visit: Visit) -> Response:
    """`/mailboxes/{id}`."""
    view = await visit.surface.store.find(visit.request.path_params["mailbox_id"])
    found, pages = view.mailbox.id, visit.surface.pages
    steps = await pages.timeline(found, visit.number("before"), _STEPS_SHOWN + 1)
    latest = steps[0][1] if steps else None
    campaigns = await visit.surface.campaigns.list(CampaignFilter(mailbox_id=found, limit=200))
    resumable = await visit.surface.campaigns.resumable(found)
    beats = await pages.heartbeats([found], visit.now)
    samples = await pages.samples(found)
    notices = await notices_of(visit)
    part = notices.part_of(visit, view)
    quiet = None if visit.surface.quiet_hosts is None else await visit.surface.quiet_hosts.of(view)
    story = story_in(story_of(view, latest, visit.now), view, part, notices.canary_seconds)
    return visit.page(
        "mailbox.html",
        here="mailboxes",
        view=view,
        story=story if quiet is None else replace(story, doing=Markup("{} {}").format(quiet.sentence, story.doing)),
        quiet=quiet,
        part=part,
        next=next_in(view, part, notices, visit.now),
        windows=notices.windows_of(view.mailbox),
        flapping=flapping_of(view.standing, visit.now),
        beat=heartbeat(beats.get(found, (None,) * 24)),
        steps=[step_of(number, step) for number, step in steps[:_STEPS_SHOWN]],
        older=steps[_STEPS_SHOWN - 1][0] if len(steps) > _STEPS_SHOWN else None,
        charts=_charts(samples),
        dates=await pages.credential(found),
        certificates=_certificates(visit, view),
        conversation=await pages.conversation(found),
        campaigns=campaigns,
        resumable=resumable,
        audit=await pages.audit(None, 10, mailbox_id=found) if visit.may(Role.ADMIN) else None,
        acts=acts_of(view.standing.state, visit),
        wants_secret=wants_secret(view),
        etag=etag_of(view),
        by_oauth=view.mailbox.auth is AuthKind.OAUTH,
        consents=visit.surface.consents is not None,
    )


def story_of(view: MailboxView, latest: Transition | None, now: datetime) -> Story:
    """What to tell of a mailbox whose latest change of state is *latest*."""
    standing, cause = view.standing, view.standing.cause
    steps: tuple[str, ...] = ()
    may_help: tuple[str, ...] = ()
    if cause is not None and standing.state not in (State.CONNECTED, State.INACTIVE):
        remedy = remedy_for(cause, view.mailbox.provider)
        needs_person = standing.state is State.BLOCKED or (
            standing.state is State.HELD and profile_of(cause).disposition is Disposition.HUMAN
        )
        steps, may_help = (remedy, ()) if needs_person else ((), remedy)
    owner = profile_of(cause).owner if cause is not None and (steps or may_help) else None
    impaired = impairment_of(standing)
    if impaired is not None and not steps:
        steps, may_help, owner = impaired.remedy, (), Owner.US
    shows_words = latest is not None and standing.state not in (State.CONNECTED, State.INACTIVE, State.HELD)
    return Story(
        _happened(view, latest),
        _doing(view, now),
        steps,
        may_help,
        owner,
        said_by(latest.evidence) if latest is not None and shows_words else "",
    )


def story_in(story: Story, view: MailboxView, part: Part | None, canary_seconds: float | None) -> Story:
    """The story of a mailbox inside an open incident: what is done is done about the place, and not about this mailbox."""
    if part is None:
        return story
    if part.closed is not None:
        place = scope_word(part.incident.scope)
        happened = (
            f"Sending through it is closed while {place} has an incident; the mailbox itself worked when last looked at. "
            f"{what_it_is(part.incident.cause)}"
        )
        return replace(story, happened=happened, doing=escape(what_is_done(part.incident, canary_seconds)))
    if looks_by_canaries(part.incident, canary_seconds) and view.standing.state in _TRIED:
        happened = what_it_is(view.standing.cause) if view.standing.cause is not None else story.happened
        return replace(story, happened=happened, doing=escape(what_is_done(part.incident, canary_seconds)))
    return story


def _happened(view: MailboxView, latest: Transition | None) -> str:
    impaired = impairment_of(view.standing)
    believed = _believed(view, latest)
    return believed if impaired is None else f"{impaired.sentence} What was known before: {believed}"


def _believed(view: MailboxView, latest: Transition | None) -> str:
    standing = view.standing
    if standing.cause is not None and standing.state is not State.CONNECTED:
        return told_in(standing.cause, standing.state)
    if standing.state is State.CONNECTED and latest is not None:
        return f"{STATES[State.CONNECTED].meaning} {TRIGGERS[latest.trigger]}"
    return STATES[standing.state].meaning


def _doing(view: MailboxView, now: datetime) -> Markup:
    standing = view.standing
    due_at, until_at, clean = standing.due_at, standing.hold_until_at, standing.clean_probes
    text = _UNTIL_RELEASED if standing.state is State.HELD and until_at is None else _DOING[standing.state]
    if standing.state in _UNSEEN_AS_IT_WAS and impairment_of(standing) is not None:
        text = _UNSEEN
    return Markup(text).format(  # noqa: S704  # one of the sentences above
        due="now" if due_at is not None and due_at <= now else moment(due_at, now),
        until=moment(until_at, now),
        attempt=standing.attempts + 1,
        clean=f"{clean} probe{'' if clean == 1 else 's'}",
    )


def step_of(number: int, step: Transition) -> Step:
    """One entry of the timeline, in words."""
    return Step(
        number,
        step.at,
        STATES[step.from_state].word,
        step.to_state,
        TRIGGERS[step.trigger],
        _cause_and_place(step),
        said_by(step.evidence),
        "" if step.actor == "mailwatch" else step.actor,
    )


def _cause_and_place(step: Transition) -> str:
    if step.cause is None:
        return ""
    phase = step.evidence.phase if step.evidence is not None else None
    place = " ".join(part for part in (step.protocol.upper() if step.protocol else "", _phase(phase)) if part)
    return f"{cause_word(step.cause)} ({place})" if place else cause_word(step.cause)


def _phase(phase: Phase | None) -> str:
    return "" if phase is None else str(phase)


def said_by(evidence: Evidence | None) -> str:
    """The peer's own words; of a connection that failed without any, what the network stack called it."""
    if evidence is None:
        return ""
    oauth = " ".join(part for part in (evidence.oauth_error, evidence.oauth_description) if part)
    return evidence.response or oauth or (evidence.exception or "").rpartition(".")[2]


def _charts(samples: Sequence[Sample]) -> list[tuple[Protocol, Markup, list[Phase], Sequence[Sample]]]:
    return [(channel, chart, phases_of(samples, channel), samples) for channel in Protocol if (chart := latency(samples, channel))]


def _certificates(visit: Visit, view: MailboxView) -> dict[str, datetime]:
    known = visit.surface.certificates()
    return {endpoint.authority: known[endpoint.authority] for endpoint in view.mailbox.endpoints if endpoint.authority in known}
