"""A mailbox as a row of the list: its words, its heartbeat, and what its menu offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup

from mailwatch.core.budget import within
from mailwatch.core.cause_texts import told_in
from mailwatch.core.causes import Category, profile_of
from mailwatch.core.flapping import is_flapping
from mailwatch.core.impairments import impairment_of
from mailwatch.core.incidents.doing import looks_by_canaries
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.policy import FlapPolicy
from mailwatch.core.standing import Standing
from mailwatch.ports import MailboxView
from mailwatch.ports.people import Role
from mailwatch.web.pages.charts import heartbeat
from mailwatch.web.pages.moments import span
from mailwatch.web.pages.notices import Notices, Part
from mailwatch.web.pages.rendering import moment
from mailwatch.web.pages.visits import Visit
from mailwatch.web.pages.words import STATES, cause_word, scope_word

#: *Disconnect mailbox* is only for mailboxes that are active.
_ACTIVE: Final = frozenset({State.PENDING, State.CONNECTED, State.SUSPECT})
#: States whose next look is put off while a place is down.
_WAITING: Final = frozenset({State.PENDING, State.CONNECTED, State.SUSPECT, State.RECONNECTING, State.VERIFYING})
_FLAP: Final = FlapPolicy()


@dataclass(frozen=True, slots=True)
class Row:
    """One row, ready to be shown."""

    view: MailboxView
    sentence: str
    beat: Markup
    campaigns: tuple[str, ...]
    acts: str  #: what the menu offers, besides *Details*
    wants_secret: bool  #: reconnecting begins with asking for the new password
    etag: str
    next: Markup
    part: Part | None  #: of an open incident
    flapping: str  #: empty: it does not come and go


def acts_of(state: State, visit: Visit) -> tuple[str, ...]:
    """What the visitor may do to a mailbox in *state*, in the order of the menu."""
    first = "disconnect" if state in _ACTIVE else "release" if state is State.HELD else "reconnect"
    return (*((first,) if visit.may(Role.ACT) else ()), *(("remove",) if visit.may(Role.ADMIN) else ()))


def wants_secret(view: MailboxView) -> bool:
    """Whether the stored password is what stands in the way: trying it again would only be refused again."""
    cause = view.standing.cause
    return (
        view.mailbox.auth is AuthKind.PASSWORD
        and view.standing.state is State.BLOCKED
        and cause is not None
        and profile_of(cause).category is Category.AUTHENTICATION
    )


def sentence_of(view: MailboxView) -> str:
    """What happened and what follows, in one or two sentences; empty where all is well."""
    impaired = impairment_of(view.standing)
    return _state_sentence(view) if impaired is None else f"{_state_sentence(view)} {impaired.sentence}".lstrip()


def _state_sentence(view: MailboxView) -> str:
    state, cause = view.standing.state, view.standing.cause
    if state is State.CONNECTED:
        return ""
    if state in (State.SUSPECT, State.VERIFYING, State.PENDING) or cause is None:
        seen = f"{cause_word(cause)}. " if cause is not None and state is not State.PENDING else ""
        return seen + STATES[state].meaning
    return told_in(cause, state)


def etag_of(view: MailboxView) -> str:
    """What the API's If-Match takes: the version of the standing that is shown."""
    return f'"{view.standing.version}"'


def next_of(view: MailboxView, now: datetime) -> Markup:
    """When it is looked at next, in the words of its state."""
    standing = view.standing
    if standing.state is State.HELD:
        return (
            Markup("hold ends {}").format(moment(standing.hold_until_at, now))
            if standing.hold_until_at
            else Markup("when released")
        )
    if standing.state is State.INACTIVE:
        return Markup("none")
    if standing.state is State.BLOCKED:
        return Markup('<span title="mailwatch looks without a login meanwhile">after you act</span>')
    if standing.due_at is not None and standing.due_at <= now:
        return Markup("due now")
    return moment(standing.due_at, now)


def flapping_of(standing: Standing, now: datetime) -> str:
    """That it comes and goes, in a sentence; empty where it does not."""
    if not is_flapping(standing, _FLAP, now):
        return ""
    times = len(within(standing.episodes_at, now, _FLAP.window_seconds + _FLAP.calm_seconds))
    waits = standing.state in (State.RECONNECTING, State.VERIFYING)
    then = f" Its campaigns go on once it was calm for {span(_FLAP.calm_seconds)}." if waits else ""
    return f"It comes and goes: {times} disconnections lately, told as one episode.{then}"


def sentence_in(view: MailboxView, part: Part | None) -> str:
    """The row's sentence: where only an incident stops the mailbox, its own state tells the lesser half."""
    if part is not None and part.closed is not None:
        return f"sending is closed while {scope_word(part.incident.scope)} is down; the mailbox worked when last looked at."
    if part is not None and view.standing.cause is part.incident.cause:
        return f"{cause_word(part.incident.cause)}, with others of {scope_word(part.incident.scope)}."
    return sentence_of(view)


def next_in(view: MailboxView, part: Part | None, notices: Notices, now: datetime) -> Markup:
    """When it is looked at next; those of a place that is down wait for its canaries."""
    gently = part is not None and looks_by_canaries(part.incident, notices.canary_seconds)
    if gently and view.standing.state in _WAITING:
        return Markup(
            '<span title="one mailbox looks every {:g} s; the others return when it gets through">after a canary</span>'
        ).format(notices.canary_seconds)
    return next_of(view, now)


async def rows_of(visit: Visit, views: Sequence[MailboxView], notices: Notices) -> list[Row]:
    """The rows of a page: two more reads for all of them together."""
    parts = {view.mailbox.id: notices.part_of(visit, view) for view in views}
    ids = [view.mailbox.id for view in views]
    beats = await visit.surface.pages.heartbeats(ids, visit.now) if ids else {}
    campaigns = await visit.surface.pages.campaigns_of(ids) if ids else {}
    return [
        Row(
            view,
            sentence_in(view, parts[view.mailbox.id]),
            heartbeat(beats.get(view.mailbox.id, (None,) * 24)),
            campaigns.get(view.mailbox.id, ()),
            " ".join(acts_of(view.standing.state, visit)),
            wants_secret(view),
            etag_of(view),
            next_in(view, parts[view.mailbox.id], notices, visit.now),
            parts[view.mailbox.id],
            flapping_of(view.standing, visit.now),
        )
        for view in views
    ]
