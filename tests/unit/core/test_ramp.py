"""The ramp's figures, as the defaults give them."""

from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.ramp import RampPoint, allowance_ratio, ramp_points, ramp_seconds

POLICY = CampaignPolicy()
DAY = 86_400.0


def test_half_an_hour_away_needs_no_ramp():
    assert ramp_seconds(1800, POLICY) == 0
    assert ramp_points(1800, POLICY) == (RampPoint(0.0, 1.0),)


def test_two_days_away_take_half_a_day_to_come_back():
    assert ramp_points(2 * DAY, POLICY) == (RampPoint(0.0, 0.25), RampPoint(DAY / 2, 1.0))
    assert allowance_ratio(2 * DAY, 0, POLICY) == 0.25
    assert allowance_ratio(2 * DAY, DAY / 4, POLICY) == 0.625
    assert allowance_ratio(2 * DAY, DAY / 2, POLICY) == 1.0


def test_a_month_away_takes_a_day_and_no_more():
    assert ramp_seconds(30 * DAY, POLICY) == DAY
