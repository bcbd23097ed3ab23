"""Samples: about one an hour, spread over the hour, and small at rest."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from contract.fleet import NOON
from mailwatch.core.evidence import Line, Phase
from mailwatch.core.mailbox import Protocol
from mailwatch.ports.pages import Sample
from mailwatch.store.samples import MOST, _lines_to_text, lines_from_text, sample_due, samples_from_text, samples_to_text


def sampled(mailbox_id, every, hours=48):
    """When a mailbox probed *every* so often would be sampled."""
    last, found = None, []
    for number in range(int(timedelta(hours=hours) / every)):
        now = NOON + number * every
        if sample_due(last, now, mailbox_id):
            found.append(now)
        last = now
    return found


@pytest.mark.parametrize("minutes", [1, 5, 13, 59])
def test_a_mailbox_is_sampled_once_an_hour(minutes):
    found = sampled("mb_1", timedelta(minutes=minutes))
    assert 47 <= len(found) <= 49
    gaps = [later - earlier for earlier, later in pairwise(found[1:])]
    assert all(abs(gap - timedelta(hours=1)) < timedelta(minutes=minutes) for gap in gaps)


def test_one_that_is_looked_at_more_rarely_is_sampled_each_time():
    assert len(sampled("mb_1", timedelta(hours=3))) == 16


def test_the_first_look_is_always_sampled():
    assert sample_due(None, NOON, "mb_1")


def test_samples_of_many_mailboxes_are_spread_over_the_hour():
    minutes = Counter(
        minute
        for number in range(600)
        for minute in range(60)
        if sample_due(NOON + timedelta(minutes=minute), NOON + timedelta(minutes=minute + 1), f"mb_{number:x}")
    )
    assert sum(minutes.values()) == 600
    assert max(minutes.values()) < 30


FULL = [
    Sample(
        NOON + timedelta(hours=hour),
        {protocol: dict.fromkeys(list(Phase)[:7], 0.0123 * (hour + 1)) for protocol in Protocol},
    )
    for hour in range(MOST)
]


def test_samples_survive_the_database_to_a_tenth_of_a_millisecond():
    again = samples_from_text(samples_to_text(FULL))
    assert [sample.at for sample in again] == [sample.at for sample in FULL]
    for sample, stored in zip(FULL, again, strict=True):
        for channel, timings in sample.timings_seconds.items():
            assert stored.timings_seconds[channel] == pytest.approx(timings, abs=0.000_05)


def test_what_a_probe_did_not_come_to_stays_out():
    ragged = [
        Sample(NOON, {Protocol.IMAP: {Phase.CONNECT: 0.5}}),
        Sample(NOON + timedelta(hours=1), {}),
        Sample(NOON + timedelta(hours=2), {Protocol.SMTP: {Phase.CONNECT: 1.0, Phase.TLS: 0.0}}),
    ]
    assert samples_from_text(samples_to_text(ragged)) == ragged
    assert list(samples_from_text("")) == []


def test_a_whole_day_costs_two_kilobytes():
    assert len(samples_to_text(FULL)) < 2048


def test_a_conversation_survives_the_database():
    lines = {Protocol.SMTP: (Line(sent=False, text="220 \u00fc"), Line(sent=True, text='EHLO "x"')), Protocol.IMAP: ()}
    assert lines_from_text(_lines_to_text(lines)) == lines
