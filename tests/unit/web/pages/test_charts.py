"""Drawings: well-formed, told in words, and free of what a policy without inline style would refuse."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from builders import NOW
from mailwatch.core.evidence import Phase
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Protocol
from mailwatch.ports.findings import Day
from mailwatch.ports.pages import Course, Sample, Stretch
from mailwatch.web.pages.charts import course_chart, daily, heartbeat, latency, phases_of

SAMPLES = [
    Sample(NOW - timedelta(hours=hour), {Protocol.IMAP: {Phase.CONNECT: 0.02, Phase.TLS: 0.05, Phase.AUTH: 0.4}})
    for hour in range(3, 0, -1)
]


def title(drawing):
    return ET.fromstring(drawing).findtext("title")


def test_a_heartbeat_tells_its_hours_and_draws_equal_neighbours_as_one():
    drawing = heartbeat((None, None, *(State.CONNECTED,) * 20, State.BLOCKED, State.CONNECTED))
    assert title(drawing) == "Last 24 hours: 1 h needs action, 21 h connected"
    assert [(path.get("class"), path.get("d")) for path in ET.fromstring(drawing).findall("path")] == [
        ("b-none", "M0 9h10"),
        ("b-connected", "M12 9h118"),
        ("b-blocked", "M132 9h4"),
        ("b-connected", "M138 9h4"),
    ]


def test_trouble_is_taller_than_health_so_that_colour_alone_tells_nothing():
    heights = {path.get("class"): int(path.get("stroke-width")) for path in ET.fromstring(heartbeat(tuple(State))).findall("path")}
    assert heights["b-blocked"] > heights["b-reconnecting"] > heights["b-suspect"] > heights["b-connected"] > heights["b-inactive"]


def test_nothing_known_is_told_so():
    assert title(heartbeat((None,) * 24)) == "Last 24 hours: nothing is known yet"
    assert latency([], Protocol.IMAP) == ""
    assert latency(SAMPLES, Protocol.SMTP) == ""


def test_latencies_are_stacked_by_phase_and_told():
    drawing = latency(SAMPLES, Protocol.IMAP)
    assert title(drawing) == "IMAP: 3 samples of the last day, the slowest took 0.47 seconds"
    assert drawing.count('class="p-auth"') == 3
    assert "2026-03-01 11:00 UTC: 470 ms (connect 20 ms, TLS 50 ms, login 400 ms)" in drawing
    assert phases_of(SAMPLES, Protocol.IMAP) == [Phase.CONNECT, Phase.TLS, Phase.AUTH]


def test_a_bar_never_leaves_the_drawing():
    slow = [Sample(NOW, {Protocol.IMAP: {Phase.CONNECT: 500.0}})]
    rect = ET.fromstring(latency(slow, Protocol.IMAP)).find("g/rect")
    assert 0 <= float(rect.get("y")) <= 180
    assert float(rect.get("height")) <= 180


@pytest.mark.parametrize("days", [[], [Day(NOW, 0, 0)], [Day(NOW, 3, 1), Day(NOW, 7, 2)]])
def test_days_are_drawn_also_when_there_is_nothing(days):
    drawing = daily(days)
    assert ET.fromstring(drawing).tag == "svg"
    assert "style=" not in drawing
    assert drawing.count("d-lost") == sum(day.disconnections > 0 for day in days)


def test_a_course_draws_what_failed_above_the_line_and_what_came_back_below_it():
    stretches = [Stretch(NOW, 30, 0), Stretch(NOW + timedelta(minutes=1), 0, 0), Stretch(NOW + timedelta(minutes=2), 6, 12)]
    drawing = ET.fromstring(course_chart(Course(60.0, stretches, ())))
    assert drawing.findtext("title") == "36 mailboxes failed and 12 worked again, 1 min a bar"
    groups = drawing.findall("g")
    assert [group.findtext("title") for group in groups] == [
        "2026-03-01 12:00 UTC, 1 min: 30 failed, 0 worked again",
        "2026-03-01 12:01 UTC, 1 min: 0 failed, 0 worked again",
        "2026-03-01 12:02 UTC, 1 min: 6 failed, 12 worked again",
    ]
    bars = [[(bar.get("class"), float(bar.get("height"))) for bar in group.findall("rect")[1:]] for group in groups]
    assert [[name for name, _ in each] for each in bars] == [["d-lost"], [], ["d-lost", "d-back"]]
    assert bars[0][0][1] == pytest.approx(5 * bars[2][0][1], abs=0.5)  # one scale on both sides
    assert bars[2][1][1] == pytest.approx(2 * bars[2][0][1], abs=0.2)


def test_a_course_without_failures_draws_nothing():
    assert course_chart(Course(60.0, [], ())) == ""
