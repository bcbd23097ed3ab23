"""The demo without a terminal."""

from datetime import UTC, datetime, timedelta

from mailwatch.cli.live_board import Board, Stage
from mailwatch.cli.plain_view import PlainLines, closing, summary
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import AuthKind, Mailbox
from mailwatch.core.standing import Transition

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Fixture:
    def __init__(self):
        self.now, self.lines = NOW, []
        self.boxes = [Mailbox(f"mb_{n}", f"user{n}@a.example", "u", AuthKind.OAUTH, None, None, "google", NOW) for n in range(3)]
        self.board, self.stage = Board(self.boxes, NOW), Stage()
        self.plain = PlainLines(self.board, self.stage, lambda: self.now, self.lines.append)

    def fail(self, box):
        self.board.learn(
            box, Transition(box.id, 1, self.now, State.CONNECTED, State.SUSPECT, Trigger.PROBE_FAILED, Cause.CONNECTION_REFUSED)
        )


def test_changes_are_gathered_for_a_moment_and_written_once():
    f = Fixture()
    f.fail(f.boxes[0])
    f.fail(f.boxes[1])
    f.plain.beat()
    assert not f.lines
    f.now = NOW + timedelta(seconds=3)
    f.plain.beat()
    f.plain.beat()
    (line,) = f.lines
    assert "2 at google connected → suspect: " in line


def test_what_begins_after_a_line_was_written_is_a_new_line():
    f = Fixture()
    f.fail(f.boxes[0])
    f.now = NOW + timedelta(seconds=3)
    f.plain.beat()
    f.fail(f.boxes[1])
    f.plain.finish()
    assert [line.split()[1] for line in f.lines] == ["user0@a.example", "user1@a.example"]


def test_troubles_on_stage_are_announced_when_they_begin_and_end():
    f = Fixture()
    f.stage.troubles = {"google": ("outage",)}
    f.plain.beat()
    f.plain.beat()
    f.stage.troubles = {"google": ()}
    f.plain.beat()
    assert [line.split(" ", 1)[1] for line in f.lines] == [
        "(simulated) google: outage begins",
        "(simulated) google: outage is over",
    ]


def test_a_summary_comes_every_ten_seconds():
    f = Fixture()
    for f.stage.seconds in (9.0, 10.5, 11.0, 20.1):
        f.plain.beat()
    assert f.lines == ["-- 00:10 3 pending; sending allowed for 0 of 3", "-- 00:20 3 pending; sending allowed for 0 of 3"]


def test_the_closing_tells_how_it_ended():
    f = Fixture()
    f.fail(f.boxes[0])
    assert summary(f.board, f.stage).endswith("sending allowed for 1 of 3")
    assert "Watched 3 mailboxes" in closing(f.board, f.stage)


def test_what_becomes_of_campaigns_is_told_as_it_happens():
    f = Fixture()
    f.stage.campaigns = f.stage.pauses = 3
    f.stage.campaigns_paused = 1
    f.stage.resumptions = 2
    f.plain.beat()
    assert [line.split(" ", 1)[1] for line in f.lines[-2:]] == [
        "3 campaigns paused",
        "2 campaigns resumed from where they left off",
    ]
    assert summary(f.board, f.stage).endswith("2 of 3 campaigns run")


def test_the_link_to_the_page_is_told_once_for_each_link():
    f = Fixture()
    for url in ("http://a/1", "http://a/1", "http://a/2"):
        f.stage.url = url
        f.plain.beat()
    assert [line.rpartition(" ")[2] for line in f.lines] == ["http://a/1", "http://a/2"]
