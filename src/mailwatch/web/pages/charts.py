"""Drawings in SVG, made on the server: they need no script, print well, and say in words what they show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from markupsafe import Markup

from mailwatch.core.evidence import Phase
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Protocol
from mailwatch.ports.findings import Day
from mailwatch.ports.pages import Course, Sample, Stretch
from mailwatch.web.pages.moments import shown, span
from mailwatch.web.pages.words import PHASES, STATES

#: Height of a heartbeat's cell: trouble stands out by its height, not by its colour alone.
_HEIGHTS: Final[Mapping[State | None, int]] = {
    State.BLOCKED: 18,
    State.RECONNECTING: 15,
    State.VERIFYING: 12,
    State.SUSPECT: 12,
    State.HELD: 12,
    State.CONNECTED: 8,
    State.PENDING: 4,
    State.INACTIVE: 4,
    None: 2,
}
_CELL: Final = 6  # a cell is 4 wide, with a gap of 2: one dashed stroke draws a run of them
_CHANNEL_NAMES: Final = {Protocol.IMAP: "IMAP", Protocol.SMTP: "SMTP"}


def heartbeat(cells: Sequence[State | None]) -> Markup:
    """24 hours as a row of cells, oldest first; equal neighbours are one stroke, so a page of rows stays small."""
    strokes, place = [], 0
    for state, run in groupby(cells):
        length = sum(1 for _ in run)
        strokes.append(
            Markup('<path class="b-{}" stroke-width="{}" d="M{} 9h{}"/>').format(
                state or "none", _HEIGHTS[state], place * _CELL, length * _CELL - 2
            )
        )
        place += length
    words = _hours(cells)
    return Markup(
        '<svg class="beat" role="img" viewBox="0 0 {} 18" width="{}" height="18" stroke-dasharray="4 2"><title>{}</title>{}</svg>'
    ).format(len(cells) * _CELL, len(cells) * _CELL, words, Markup("").join(strokes))


def _hours(cells: Sequence[State | None]) -> str:
    known = Counter(cell for cell in cells if cell is not None)
    if not known:
        return "Last 24 hours: nothing is known yet"
    told = ", ".join(f"{known[state]} h {STATES[state].word.lower()}" for state in STATES if known[state])
    return f"Last {len(cells)} hours: {told}"


_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 180, 44, 22, 8
_STEPS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)


def phases_of(samples: Sequence[Sample], channel: Protocol) -> list[Phase]:
    """The phases that appear, in the order of a session."""
    seen = {phase for sample in samples for phase in sample.timings_seconds.get(channel, {})}
    return [phase for phase in Phase if phase in seen]


def latency(samples: Sequence[Sample], channel: Protocol) -> Markup:
    """How long each phase of *channel* took, a stacked bar for each sample of the day; empty when there is none."""
    kept = [(sample.at, sample.timings_seconds[channel]) for sample in samples if sample.timings_seconds.get(channel)][-24:]
    if not kept:
        return Markup("")
    top = _ceiling(max(sum(timings.values()) for _, timings in kept))
    wide = (_WIDTH - _LEFT) / 24
    bars = Markup("").join(
        _bar(_LEFT + place * wide, wide, timings, top, shown(at)) for place, (at, timings) in enumerate(kept, 24 - len(kept))
    )
    longest = max(sum(timings.values()) for _, timings in kept)
    words = f"{_CHANNEL_NAMES[channel]}: {len(kept)} samples of the last day, the slowest took {longest:.2f} seconds"
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {} {}" preserveAspectRatio="xMidYMid meet"><title>{}</title>{}{}'
        '<text x="{}" y="{}">{}</text><text x="{}" y="{}" text-anchor="end">{}</text></svg>'
    ).format(
        _WIDTH,
        _HEIGHT,
        words,
        _grid(top),
        bars,
        _LEFT,
        _HEIGHT - 6,
        shown(kept[0][0]) if len(kept) > 1 else "",
        _WIDTH,
        _HEIGHT - 6,
        shown(kept[-1][0]),
    )


def _ceiling(seconds: float) -> float:
    return next((step for step in _STEPS if seconds <= step), seconds)


def _y(seconds: float, top: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - seconds / top)


def _grid(top: float) -> Markup:
    return Markup("").join(
        Markup('<path class="grid" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{:g} s</text>').format(
            _LEFT, _y(part * top, top), _WIDTH, _LEFT - 6, _y(part * top, top) + 4, round(part * top, 3)
        )
        for part in (0.0, 0.5, 1.0)
    )


def _bar(left: float, wide: float, timings: Mapping[Phase, float], top: float, at: str) -> Markup:
    parts, below = [], 0.0
    for phase in (phase for phase in Phase if timings.get(phase)):
        upper = _y(below + timings[phase], top)
        parts.append(
            Markup('<rect class="p-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                phase, left + 2, upper, wide - 4, max(0.4, _y(below, top) - upper)
            )
        )
        below += timings[phase]
    told = ", ".join(f"{PHASES[phase]} {timings[phase] * 1000:.0f} ms" for phase in Phase if timings.get(phase))
    return Markup("<g><title>{}: {:.0f} ms ({})</title>{}</g>").format(at, below * 1000, told, Markup("").join(parts))


def daily(days: Sequence[Day]) -> Markup:
    """Disconnections a day as bars, oldest first."""
    most = max((day.disconnections for day in days), default=0)
    top = max(1, most)
    wide = (_WIDTH - _LEFT) / max(1, len(days))
    bars = Markup("").join(_day(day, _LEFT + place * wide, wide, top) for place, day in enumerate(days))
    words = f"{len(days)} days; the most disconnections on one day were {most}"
    marks = Markup("").join(
        Markup('<path class="grid" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            _LEFT, _y(number, top), _WIDTH, _LEFT - 6, _y(number, top) + 4, number
        )
        for number in sorted({0, most})
    )
    ends = Markup('<text x="{}" y="{}">{}</text><text x="{}" y="{}" text-anchor="end">{}</text>').format(
        _LEFT, _HEIGHT - 6, f"{days[0].at:%d %b}" if days else "", _WIDTH, _HEIGHT - 6, "today" if days else ""
    )
    return Markup('<svg class="chart" role="img" viewBox="0 0 {} {}"><title>{}</title>{}{}{}</svg>').format(
        _WIDTH, _HEIGHT, words, marks, bars, ends
    )


def _day(day: Day, left: float, wide: float, top: int) -> Markup:
    """One day: a hit area that tells its numbers, and the bar."""
    height = _HEIGHT - _TOP - _BOTTOM
    words = f"{day.at:%Y-%m-%d}: {day.disconnections} disconnections, {day.reconnections} reconnections"
    hit = Markup('<rect class="d-hit" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(left, _TOP, wide, height)
    upper = _y(day.disconnections, top)
    bar = Markup('<rect class="d-lost" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2"/>').format(
        left + 2, upper, max(1.0, wide - 4), _HEIGHT - _BOTTOM - upper
    )
    return Markup("<g><title>{}</title>{}{}</g>").format(words, hit, bar if day.disconnections else "")


def course_chart(course: Course) -> Markup:
    """Mailboxes that failed, above the line, and those that worked again, below it, in each stretch of an incident's course."""
    stretches = course.stretches
    most, least = max((each.failed for each in stretches), default=0), max((each.back for each in stretches), default=0)
    if not most:
        return Markup("")
    wide = min(40.0, (_WIDTH - _LEFT) / len(stretches))
    height = _HEIGHT - _TOP - _BOTTOM
    zero = _TOP + height * most / (most + least)  # one scale on both sides of it
    bars = Markup("").join(
        _stretch(each, course.seconds, _LEFT + place * wide, wide, zero, height / (most + least))
        for place, each in enumerate(stretches)
    )
    marks = Markup("").join(
        Markup('<path class="grid" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{:,}</text>').format(
            _LEFT, y, _WIDTH, _LEFT - 6, y + 4, number
        )
        for y, number in ((_TOP, most), (zero, 0), *(((_TOP + height), least),) * bool(least))
    )
    words = (
        f"{sum(each.failed for each in stretches):,} mailboxes failed and {sum(each.back for each in stretches):,} worked again, "
        f"{span(course.seconds)} a bar"
    )
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {} {}"><title>{}</title>{}{}<text x="{}" y="{}">{}</text>'
        '<text x="{}" y="{}" text-anchor="end">{}</text></svg>'
    ).format(
        _WIDTH,
        _HEIGHT,
        words,
        marks,
        bars,
        _LEFT,
        _HEIGHT - 6,
        shown(stretches[0].at),
        min(_WIDTH, max(_LEFT + wide * len(stretches), 380.0)),
        _HEIGHT - 6,
        shown(stretches[-1].at) if len(stretches) > 1 else "",
    )


def _stretch(each: Stretch, seconds: float, left: float, wide: float, zero: float, unit: float) -> Markup:
    """A hit area that tells the numbers of one stretch, and its two bars."""
    words = f"{shown(each.at)}, {span(seconds)}: {each.failed:,} failed, {each.back:,} worked again"
    hit = Markup('<rect class="d-hit" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(
        left, _TOP, wide, _HEIGHT - _TOP - _BOTTOM
    )
    inset = min(2.0, wide / 6)
    bars = [
        Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1.5"/>').format(
            name, left + inset, top, wide - 2 * inset, high
        )
        for name, top, high in (
            ("d-lost", zero - each.failed * unit, each.failed * unit),
            ("d-back", zero, each.back * unit),
        )
        if high
    ]
    return Markup("<g><title>{}</title>{}{}</g>").format(words, hit, Markup("").join(bars))
