"""Paused spans, whatever the ledger: they lie in the time asked for, apart from each other, and say of each moment what is true."""

import itertools
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders import later
from mailwatch.core.campaigns import CampaignPolicy, Pause, PauseOn, PauseOrigin, is_paused
from mailwatch.core.paused_spans import paused_spans

MAILBOXES = ("mb_1", "mb_2")


@st.composite
def ledgers(draw):
    pauses = []
    for number in range(draw(st.integers(0, 6))):
        since = draw(st.integers(0, 50))
        lasted = draw(st.none() | st.integers(0, 50))
        pauses.append(
            Pause(
                number,
                "c1",
                draw(st.sampled_from([*MAILBOXES, None])),
                PauseOrigin.AUTOMATIC,
                f"reason {number}",
                "mailwatch",
                later(since),
                draw(st.booleans()),
                lifted_at=None if lasted is None else later(since + lasted),
            )
        )
    return pauses


@given(ledgers(), st.sampled_from(PauseOn), st.integers(-5, 60), st.integers(1, 60))
def test_a_moment_is_in_a_span_when_the_campaign_was_paused_then(pauses, pause_on, start, length):
    policy = CampaignPolicy(pause_on=pause_on)
    since, until = later(start), later(start + length)
    spans = paused_spans(pauses, MAILBOXES, policy, since, until)
    ends = [(span.since_at, span.until_at or until) for span in spans]
    assert all(since <= begin < end <= until for begin, end in ends)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(ends))
    for second in range(start, start + length):
        moment = later(second) + timedelta(milliseconds=500)
        open_then = [p for p in pauses if p.since_at <= moment and (p.lifted_at is None or p.lifted_at > moment)]
        inside = any(begin <= moment < end for begin, end in ends)
        assert inside is is_paused(open_then, MAILBOXES, policy)
