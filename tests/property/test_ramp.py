"""The ramp after an outage, whatever the numbers: between 0 and 1, never falling, and none where there was no long outage."""

from hypothesis import assume, given
from hypothesis import strategies as st

from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.ramp import allowance_ratio, ramp_points, ramp_seconds

SECONDS = st.floats(0, 1e8, allow_nan=False)
POLICIES = st.builds(
    CampaignPolicy,
    ramp_after_seconds=st.floats(0, 1e6),
    ramp_start_ratio=st.floats(0.001, 1),
    ramp_share=st.floats(0, 10),
    ramp_max_seconds=st.floats(0, 1e7),
)


@given(POLICIES, SECONDS, st.floats(-1e8, 1e8))
def test_the_allowance_lies_between_its_start_and_one(policy, outage, passed):
    assert min(policy.ramp_start_ratio, 1.0) <= allowance_ratio(outage, passed, policy) <= 1.0


@given(POLICIES, SECONDS, SECONDS, SECONDS)
def test_the_allowance_never_falls_with_time(policy, outage, one, other):
    early, late = sorted((one, other))
    assert allowance_ratio(outage, early, policy) <= allowance_ratio(outage, late, policy)


@given(POLICIES, SECONDS, SECONDS)
def test_a_short_outage_needs_no_ramp(policy, outage, passed):
    assume(outage < policy.ramp_after_seconds)
    assert allowance_ratio(outage, passed, policy) == 1.0
    assert [point.ratio for point in ramp_points(outage, policy)] == [1.0]


@given(POLICIES, SECONDS)
def test_the_ramp_ends_with_the_whole_volume_within_its_bounds(policy, outage):
    length = ramp_seconds(outage, policy)
    assert 0.0 <= length <= policy.ramp_max_seconds
    assert allowance_ratio(outage, length, policy) == 1.0


@given(POLICIES, SECONDS, SECONDS, SECONDS)
def test_a_longer_outage_allows_no_more_at_the_same_moment(policy, one, other, passed):
    short, long = sorted((one, other))
    assert allowance_ratio(long, passed, policy) <= allowance_ratio(short, passed, policy) + 1e-12


@given(POLICIES, SECONDS, st.floats(0, 1))
def test_the_points_a_sender_is_given_describe_the_same_line(policy, outage, share):
    points = ramp_points(outage, policy)
    first, last = points[0], points[-1]
    passed = share * last.after_seconds
    drawn = last.ratio if last.after_seconds == 0 else first.ratio + (last.ratio - first.ratio) * (passed / last.after_seconds)
    assert abs(drawn - allowance_ratio(outage, passed, policy)) < 1e-6
