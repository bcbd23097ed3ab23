"""How long the phases of a probe took, an hour apart, and the last failed conversation: kept beside a mailbox for its page.

A day of samples of one mailbox is one small JSON text, phase by phase: `{"at": [seconds], "imap": {"auth": [tenths of a
millisecond, …], …}, …}`, with null where a probe did not come to that phase.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Table, bindparam, insert, select, update

from mailwatch.core.evidence import Line, Phase
from mailwatch.core.mailbox import Protocol
from mailwatch.ports.pages import Conversation, Sample
from mailwatch.store.engine import Attempt
from mailwatch.store.schema import standings
from mailwatch.store.schema_people import conversations, latencies

#: Samples kept of a mailbox, and for how long.
MOST: Final = 24
KEPT: Final = timedelta(hours=24)
_HOUR_SECONDS: Final = 3600
_TENTHS_OF_MILLISECONDS: Final = 10_000

_dump: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
# locked in one order: a mailbox cannot be removed, nor another sample of it be written, before this is committed
_PRESENT: Final = (
    select(standings.c.mailbox_id)
    .where(standings.c.mailbox_id.in_(bindparam("ids", expanding=True)))
    .order_by(standings.c.mailbox_id)
    .with_for_update()
)


def sample_due(last_probe_at: datetime | None, now: datetime, mailbox_id: str) -> bool:
    """Whether a probe at *now* is the first of its hour; each mailbox has an hour of its own, so that writes are spread."""
    if last_probe_at is None:
        return True
    offset = zlib.crc32(mailbox_id.encode()) % _HOUR_SECONDS

    def hour(moment: datetime) -> int:
        return (int(moment.timestamp()) + offset) // _HOUR_SECONDS

    return hour(now) != hour(last_probe_at)


async def write_samples(attempt: Attempt, samples: Mapping[str, Sample]) -> None:
    """Add a sample to each of these mailboxes that is there; what is older than a day goes."""
    present = await _locked(attempt, samples)
    stored = await _stored(attempt, latencies, latencies.c.samples, present)
    rows = {of: _kept((*samples_from_text(stored.get(of, "")), samples[of])) for of in present}
    values = {of: {"newest_at": kept[-1].at, "samples": samples_to_text(kept)} for of, kept in rows.items()}
    await _write(attempt, latencies, values, stored)


async def write_conversations(attempt: Attempt, failed: Mapping[str, Conversation]) -> None:
    """Keep the last failed conversation of each of these mailboxes that is there."""
    present = await _locked(attempt, failed)
    stored = await _stored(attempt, conversations, conversations.c.mailbox_id, present)
    values = {of: {"at": failed[of].at, "lines": _lines_to_text(failed[of].lines)} for of in present}
    await _write(attempt, conversations, values, stored)


def _kept(samples: Sequence[Sample]) -> Sequence[Sample]:
    ordered = sorted(samples, key=lambda sample: sample.at)
    return [sample for sample in ordered if ordered[-1].at - sample.at < KEPT][-MOST:]


async def _locked(attempt: Attempt, wanted: Mapping[str, Any]) -> Sequence[str]:
    if not wanted:
        return ()
    return list((await attempt.connection.execute(_PRESENT, {"ids": sorted(wanted)})).scalars())


async def _stored(attempt: Attempt, table: Table, column: Any, present: Sequence[str]) -> Mapping[str, str]:
    if not present:
        return {}
    rows = await attempt.connection.execute(select(table.c.mailbox_id, column.label("text")).where(table.c.mailbox_id.in_(present)))
    return {row.mailbox_id: row.text for row in rows.all()}


async def _write(attempt: Attempt, table: Table, values: Mapping[str, Mapping[str, Any]], stored: Mapping[str, str]) -> None:
    known = [{"of": of, **row} for of, row in values.items() if of in stored]
    fresh = [{"mailbox_id": of, **row} for of, row in values.items() if of not in stored]
    if known:
        await attempt.connection.execute(update(table).where(table.c.mailbox_id == bindparam("of")), known)
    if fresh:
        await attempt.connection.execute(insert(table), fresh)


# --- as text -------------------------------------------------------------------------------------------------------------------


def samples_to_text(samples: Sequence[Sample]) -> str:
    """The stored text; moments to the second, durations to a tenth of a millisecond."""
    stored: dict[str, Any] = {"at": [int(sample.at.timestamp()) for sample in samples]}
    for channel in Protocol:
        timings = [sample.timings_seconds.get(channel, {}) for sample in samples]
        phases = [phase for phase in Phase if any(phase in each for each in timings)]
        if phases:
            stored[channel.value] = {phase.value: [_tenths(each.get(phase)) for each in timings] for phase in phases}
    return _dump(stored)


def _tenths(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * _TENTHS_OF_MILLISECONDS)


def samples_from_text(text: str) -> Sequence[Sample]:
    """The samples of a stored text, oldest first; none of an empty one."""
    if not text:
        return ()
    stored: dict[str, Any] = json.loads(text)
    moments = [datetime.fromtimestamp(seconds, UTC) for seconds in stored.pop("at")]
    return [Sample(at, _timings(stored, place)) for place, at in enumerate(moments)]


def _timings(stored: Mapping[str, Mapping[str, Sequence[int | None]]], place: int) -> Mapping[Protocol, Mapping[Phase, float]]:
    channels = {
        Protocol(channel): {
            Phase(phase): tenths / _TENTHS_OF_MILLISECONDS
            for phase, column in phases.items()
            if (tenths := column[place]) is not None
        }
        for channel, phases in stored.items()
    }
    return MappingProxyType({channel: timings for channel, timings in channels.items() if timings})


def _lines_to_text(lines: Mapping[Protocol, tuple[Line, ...]]) -> str:
    return _dump({channel.value: [[int(line.sent), line.text] for line in said] for channel, said in lines.items()})


def lines_from_text(text: str) -> Mapping[Protocol, tuple[Line, ...]]:
    """The conversation of a stored text, by channel."""
    stored: dict[str, list[tuple[int, str]]] = json.loads(text)
    return {Protocol(channel): tuple(Line(bool(sent), said) for sent, said in lines) for channel, lines in stored.items()}
