"""Whatever the core can believe of a mailbox, or tell of a change, the database gives back unchanged."""

from datetime import UTC, datetime
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.lifecycle import Effect, State, Trigger
from mailwatch.core.mailbox import Protocol
from mailwatch.core.standing import ChannelHealth, Confidence, Diagnosis, Standing, Transition
from mailwatch.store import rows
from mailwatch.store.schema import Moment, from_micros, to_micros

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
CAUSES = st.none() | st.sampled_from(Cause)
HEALTH = st.builds(ChannelHealth, st.booleans(), MOMENTS, CAUSES)
COUNTS = st.integers(0, 2**31 - 1)
STANDINGS = st.builds(
    Standing,
    st.just("mb_1"),
    st.sampled_from(State),
    MOMENTS,
    st.none() | MOMENTS,
    version=COUNTS,
    generation=COUNTS,
    cause=CAUSES,
    channels=st.dictionaries(st.sampled_from(Protocol), HEALTH),
    failures=COUNTS,
    attempts=COUNTS,
    person_sightings=COUNTS,
    clean_probes=COUNTS,
    verifying_since_at=st.none() | MOMENTS,
    down_since_at=st.none() | MOMENTS,
    stuck_phase=st.none() | st.sampled_from(Phase),
    last_probe_at=st.none() | MOMENTS,
    last_success_at=st.none() | MOMENTS,
    proven=st.booleans(),
    rejected_at=st.lists(MOMENTS, max_size=4).map(tuple),
    lost_at=st.lists(MOMENTS, max_size=4).map(tuple),
    forced=st.booleans(),
    hold_reason=st.none() | st.text(min_size=1, max_size=20),
    hold_until_at=st.none() | MOMENTS,
    episodes_at=st.lists(MOMENTS, max_size=4).map(tuple),
    last_outage_seconds=st.floats(0, 1e9),
    returned_at=st.none() | MOMENTS,
    impairment=st.none() | st.sampled_from(["secret_unreadable", "store_failing"]),
    impaired_since_at=st.none() | MOMENTS,
    returned_after_seconds=st.floats(0, 1e9),
)
TRANSITIONS = st.builds(
    Transition,
    st.just("mb_1"),
    COUNTS,
    MOMENTS,
    st.sampled_from(State),
    st.sampled_from(State),
    st.sampled_from(Trigger),
    CAUSES,
    st.none() | st.sampled_from(Protocol),
    st.none()
    | st.builds(
        Diagnosis, st.sampled_from(Cause), st.text(), st.text(), st.sampled_from(Confidence), st.none() | st.floats(0, 1e9)
    ),
    st.none()
    | st.builds(Evidence, st.sampled_from(["imap", "smtp", "oauth", "network"]), st.none() | st.sampled_from(Phase), st.text()),
    COUNTS,
    st.text(min_size=1),
    st.frozensets(st.sampled_from(Effect)),
    st.none() | COUNTS,
)


@given(STANDINGS)
def test_every_standing_survives(standing):
    row = SimpleNamespace(**rows.standing_to_row(standing), mailbox_id="mb_1")
    assert rows.standing_from_row(row) == standing


@given(TRANSITIONS)
def test_every_transition_survives(transition):
    row = rows.transition_to_row(transition, "x")
    assert rows.transition_from_row(SimpleNamespace(**row)) == transition


@given(MOMENTS)
def test_every_moment_survives(moment):
    assert from_micros(to_micros(moment)) == moment
    assert Moment().process_result_value(Moment().process_bind_param(moment, None), None) == moment
