"""One receiver's lane: how much it takes, and when it rests."""

from mailwatch.delivery.lane import CONCURRENT, Lane


def test_a_lane_takes_no_more_than_it_has_places():
    lane = Lane()
    lane.waiting = CONCURRENT - 1
    assert lane.takes_more(0)
    lane.waiting = CONCURRENT
    assert not lane.takes_more(0)


def test_a_lane_that_keeps_failing_rests_and_goes_on_after_one_success():
    lane = Lane()
    news = [lane.failed(100.0) for _ in range(6)]
    assert news == [True, False, False, False, False, False]
    assert not lane.takes_more(101.9)
    assert lane.takes_more(102.0)
    assert lane.succeeded()
    assert lane.takes_more(0)
    assert not lane.succeeded()


def test_a_lane_that_a_person_wakes_takes_more_at_once_and_rests_again_when_it_fails_again():
    lane = Lane()
    for _ in range(6):
        lane.failed(100.0)
    lane.wake()
    assert lane.takes_more(100.0)
    lane.failed(100.0)
    assert not lane.takes_more(103.9)
    assert lane.takes_more(104.0)


def test_one_that_fails_now_and_then_is_told_of_once_a_minute():
    lane, told = Lane(), 0
    for second in range(180):
        told += lane.failed(second)
        lane.succeeded()
    assert told == 3


def test_a_receiver_may_ask_for_a_rest_of_a_minute_at_the_most():
    lane = Lane()
    lane.failed(0.0, 30)
    assert not lane.takes_more(29)
    lane.failed(0.0, 86_400)
    assert lane.takes_more(60)
