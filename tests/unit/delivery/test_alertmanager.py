"""Alertmanagers are kept told: at once what is new, again and again what fires, once what is over; and none holds up another."""

import asyncio
import contextlib
import json
from collections import Counter
from datetime import datetime, timedelta

import pytest

from builders import NOW, later
from fakes.outbox import FakePoster, never
from fakes.ports import FakeClock, FakeLog
from mailwatch.delivery import alertmanager as module
from mailwatch.delivery.alertmanager import AlertPusher
from mailwatch.delivery.alerts import Alert
from mailwatch.ports.delivery import HttpError

A, B = "http://am-a.example:9093", "http://am-b.example:9093/prefix/"
URL_A, URL_B = f"{A}/api/v2/alerts", "http://am-b.example:9093/prefix/api/v2/alerts"


def an_alert(name="inc_1", count=300):
    return Alert(
        {"alertname": "MailwatchIncident", "incident": name}, {"count": str(count)}, NOW, "https://mw.example.org/incidents/1"
    )


class Counts:
    def __init__(self):
        self.results = Counter()

    def delivery(self, kind, result):
        self.results[kind, result] += 1


class Desk:
    """A pusher with all it works with; `rounds` lets its tasks go on until they wait."""

    def __init__(self, *urls, **more):
        self.clock, self.log, self.counts, self.poster = FakeClock(), FakeLog(), Counts(), FakePoster()
        self.pusher = AlertPusher(self.poster, urls or (A,), self.clock, self.log, self.counts, **more)

    async def rounds(self):
        for _ in range(50):
            await asyncio.sleep(0)

    def update(self, *alerts):
        self.pusher.update(alerts)
        return self.rounds()

    def posted(self, url=URL_A):
        """What was posted to *url*: a list of (incident, count, ends at) for each request."""
        return [
            [
                (row["labels"]["incident"], row["annotations"]["count"], datetime.fromisoformat(row["endsAt"]))
                for row in json.loads(body)
            ]
            for to, _, body in self.poster.posted
            if to == url
        ]


@contextlib.asynccontextmanager
async def running(desk):
    task = asyncio.create_task(desk.pusher.run())
    await desk.rounds()
    try:
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def quick(monkeypatch):
    """Retries come at once."""
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.001)


@pytest.fixture
async def desk(no_task_left_behind):
    async with running(Desk()) as desk:
        yield desk


async def settled(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


async def test_while_nothing_fires_nothing_is_sent(desk):
    await desk.update()
    assert desk.poster.posted == []


async def test_a_new_alert_is_sent_at_once_as_the_api_wants_it(desk):
    await desk.update(an_alert())
    ((url, headers, body),) = desk.poster.posted
    assert (url, headers) == (URL_A, {"content-type": "application/json"})
    assert json.loads(body) == [
        {
            "labels": {"alertname": "MailwatchIncident", "incident": "inc_1"},
            "annotations": {"count": "300"},
            "startsAt": "2026-03-01T12:00:00.000Z",
            "endsAt": "2026-03-01T12:04:00.000Z",
            "generatorURL": "https://mw.example.org/incidents/1",
        }
    ]
    assert desk.counts.results == {("alertmanager", "delivered"): 1}


async def test_what_has_not_changed_is_not_sent_at_each_update(desk):
    for _ in range(5):
        await desk.update(an_alert())
    assert len(desk.posted()) == 1


async def test_new_words_are_sent_at_once(desk):
    await desk.update(an_alert(count=300))
    await desk.update(an_alert(count=400))
    assert [[count for _, count, _ in rows] for rows in desk.posted()] == [["300"], ["400"]]


async def test_what_is_over_is_told_once_with_its_end(desk):
    await desk.update(an_alert(), an_alert("inc_2"))
    desk.clock.advance(10)
    await desk.update(an_alert("inc_2"))
    await desk.update(an_alert("inc_2"))
    assert desk.posted()[1:] == [[("inc_1", "300", later(10))]]


async def test_a_node_that_gets_to_judging_no_more_does_not_tell_its_last_word_on(desk):
    await desk.update(an_alert())
    for seconds in (30, 30.5):  # the database is away: nobody updates
        desk.clock.advance(seconds)
        desk.pusher._peers[0].due = 0.0
        desk.pusher._peers[0].wake.set()
        await desk.rounds()
    assert len(desk.posted()) == 2
    assert desk.log.events == [("warning", "alertmanager.not_told_on", {"count": 1})]
    desk.clock.advance(600)
    desk.pusher._peers[0].wake.set()
    await desk.rounds()
    assert len(desk.posted()) == 2  # not its end either: another node judges that
    await desk.update(an_alert())
    assert len(desk.posted()) == 3


async def test_what_fires_is_sent_again_until_it_is_over(no_task_left_behind):
    desk = Desk(resend_seconds=0.02)
    async with running(desk):
        await desk.update(an_alert())
        desk.clock.advance(0.02)
        desk.pusher._peers[0].wake.set()
        await settled(lambda: len(desk.posted()) == 2)
        assert desk.posted()[1] == [("inc_1", "300", NOW + timedelta(seconds=0.1))]
        await desk.update()
        sent = len(desk.posted())
        desk.clock.advance(10)
        desk.pusher._peers[0].wake.set()
        await desk.rounds()
    assert len(desk.posted()) == sent == 3


async def test_an_alert_that_comes_back_fires_again(desk):
    await desk.update(an_alert())
    desk.clock.advance(10)
    await desk.update()
    desk.clock.advance(10)
    await desk.update(an_alert())
    assert [rows[0][2] for rows in desk.posted()] == [later(240), later(10), later(20 + 240)]


async def test_an_alert_that_comes_back_while_its_end_is_on_the_way_fires_again(desk):
    await desk.update(an_alert())
    gate = asyncio.Event()

    async def slow():
        await gate.wait()
        return 200

    desk.poster.script[URL_A] = [slow, 200]
    await desk.update()
    await desk.update(an_alert())
    gate.set()
    await desk.rounds()
    assert [rows[0][2] > later(100) for rows in desk.posted()] == [True, False, True]


async def test_an_alert_that_ends_while_it_is_first_on_the_way_is_ended(desk):
    gate = asyncio.Event()

    async def slow():
        await gate.wait()
        return 200

    desk.poster.script[URL_A] = [slow, 200]
    await desk.update(an_alert())
    desk.clock.advance(5)
    await desk.update()
    gate.set()
    await desk.rounds()
    assert [rows[0][2] for rows in desk.posted()] == [later(240), later(5)]


async def test_every_peer_gets_everything_and_one_that_hangs_delays_nobody(no_task_left_behind):
    desk = Desk(A, B)
    desk.poster.script[URL_A] = never
    async with running(desk):
        await desk.update(an_alert())
        await desk.update(an_alert(count=2))
        await desk.update()
        assert [rows[0][1] for rows in desk.posted(URL_B)] == ["300", "2", "2"]
        assert len(desk.posted(URL_A)) == 1


@pytest.mark.parametrize("fault", [HttpError("connection refused"), 500, 404, 302])
async def test_a_peer_that_fails_is_told_again_and_its_failing_is_logged_once(quick, no_task_left_behind, fault):
    desk = Desk()
    desk.poster.script[URL_A] = [fault, fault, fault, 200]
    async with running(desk):
        desk.pusher.update([an_alert()])
        await settled(lambda: len(desk.posted()) == 4)
        await desk.rounds()
    assert desk.log.levels() == [("warning", "alertmanager.failing"), ("info", "alertmanager.recovered")]
    assert desk.counts.results == {("alertmanager", "retried"): 3, ("alertmanager", "delivered"): 1}
    assert desk.log.named("alertmanager.failing")[0]["url"] == "am-a.example:9093"


async def test_a_request_without_an_answer_may_have_arrived_so_its_end_is_told(quick, no_task_left_behind):
    desk = Desk()
    desk.poster.script[URL_A] = [HttpError("no answer within 10 s"), 200]
    async with running(desk):
        desk.pusher.update([an_alert()])
        await settled(lambda: len(desk.posted()) == 1)
        desk.clock.advance(10)
        desk.pusher.update([])
        await settled(lambda: len(desk.posted()) == 2)
    assert desk.posted()[1] == [("inc_1", "300", later(10))]


async def test_an_end_that_came_by_itself_meanwhile_is_not_told_any_more(no_task_left_behind, quick):
    desk = Desk()
    async with running(desk):
        await desk.update(an_alert())
        desk.poster.script[URL_A] = HttpError("connection refused")
        desk.pusher.update([])
        await settled(lambda: len(desk.posted()) >= 2)
        desk.clock.advance(301)
        await settled(lambda: not desk.pusher._peers[0].ends)
        assert not desk.pusher._peers[0].told


async def test_a_bug_in_the_poster_ends_no_loop(quick, no_task_left_behind):
    desk = Desk()
    desk.poster.script[URL_A] = [RuntimeError("oops"), 200]
    async with running(desk):
        desk.pusher.update([an_alert()])
        await settled(lambda: len(desk.posted()) == 2)
    assert desk.log.named("alertmanager.crashed")[0]["exception"] == "RuntimeError"


async def test_many_alerts_go_in_several_requests(desk):
    await desk.update(*(an_alert(f"inc_{number}") for number in range(1100)))
    assert [len(rows) for rows in desk.posted()] == [500, 500, 100]


async def test_a_clock_set_back_makes_no_end_before_the_start(desk):
    desk.clock.advance(-86_400)
    await desk.update(an_alert())
    assert desk.posted()[0][0][2] == NOW + timedelta(milliseconds=1)


async def test_at_a_stop_ends_are_told_and_what_fires_is_left_to_fire(no_task_left_behind):
    desk = Desk(A, B)
    async with running(desk):
        await desk.update(an_alert(), an_alert("inc_2"))
    desk.poster.script[URL_A] = never
    desk.clock.advance(10)
    desk.pusher.update([an_alert("inc_2")])
    await desk.pusher.finish(0.05)
    assert desk.posted(URL_B)[1:] == [[("inc_1", "300", later(10))]]


async def test_an_authorization_goes_with_every_request(no_task_left_behind):
    desk = Desk(headers={"authorization": "Bearer x"})
    async with running(desk):
        await desk.update(an_alert())
    assert desk.poster.posted[0][1]["authorization"] == "Bearer x"


async def test_a_node_that_tells_no_more_tells_no_end_either():
    desk = Desk()
    async with running(desk):
        await desk.update(an_alert())
        desk.pusher.forget()
        await desk.update()
        desk.clock.advance(600)
        await desk.rounds()
    assert len(desk.posted()) == 1
