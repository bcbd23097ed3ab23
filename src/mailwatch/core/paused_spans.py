"""When a campaign was paused, out of the entries of its pause ledger: what its metrics may leave out."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from mailwatch.core.campaigns import CampaignPolicy, Pause, is_paused


@dataclass(frozen=True, slots=True)
class PausedSpan:
    """One span in which a campaign did not run."""

    since_at: datetime
    until_at: datetime | None  #: None: it was still paused at the end of the time asked for
    reasons: tuple[str, ...]  #: of the pauses in it, in the order they began
    mailboxes: tuple[str, ...]  #: ids of the mailboxes they were for


def paused_spans(
    pauses: Iterable[Pause], mailboxes: Collection[str], policy: CampaignPolicy, since: datetime, until: datetime
) -> Sequence[PausedSpan]:
    """The spans between *since* and *until* in which *pauses* kept the campaign from running, oldest first.

    Pauses that overlap or touch are one span.  With `pause_on = all` the mailboxes of today are those it is measured by.
    """
    spans: list[PausedSpan] = []
    running: dict[int, Pause] = {}
    inside: dict[int, Pause] = {}
    began: datetime | None = None
    for moment, turns in groupby(_turns(pauses, since, until), key=lambda turn: turn[0]):
        for _, begins, pause in turns:
            if begins:
                running[pause.id] = pause
            else:
                running.pop(pause.id, None)
        if is_paused(tuple(running.values()), mailboxes, policy):
            began = began or moment
            inside |= running
        elif began is not None:
            spans.append(_span(began, moment, inside.values()))
            began, inside = None, {}
    if began is not None:
        spans.append(_span(began, None, inside.values()))
    return spans


def _turns(pauses: Iterable[Pause], since: datetime, until: datetime) -> Iterator[tuple[datetime, bool, Pause]]:
    """Each beginning and end inside the time asked for, in order; at one moment ends come first, so that what touches is joined."""
    turns = []
    for pause in pauses:
        ends = pause.lifted_at
        if not pause.in_force or pause.since_at >= until or (ends is not None and ends <= max(pause.since_at, since)):
            continue
        turns.append((max(pause.since_at, since), True, pause))
        if ends is not None and ends < until:
            turns.append((ends, False, pause))
    yield from sorted(turns, key=lambda turn: (turn[0], turn[1], turn[2].id))


def _span(since_at: datetime, until_at: datetime | None, pauses: Iterable[Pause]) -> PausedSpan:
    ordered = sorted(pauses, key=lambda pause: (pause.since_at, pause.id))
    reasons = tuple(dict.fromkeys(pause.reason for pause in ordered))
    mailboxes = tuple(dict.fromkeys(pause.mailbox_id for pause in ordered if pause.mailbox_id is not None))
    return PausedSpan(since_at, until_at, reasons, mailboxes)
