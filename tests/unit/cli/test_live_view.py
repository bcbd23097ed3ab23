"""The picture fits the terminal and tells everything without colour."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from mailwatch.cli.live_board import Board, Stage
from mailwatch.cli.live_view import Screen
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import AuthKind, Mailbox
from mailwatch.core.standing import Transition

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def picture(width, height, *, ill=30, ascii_only=False):
    boxes = [
        Mailbox(f"mb_{n}", f"somebody.with.a.long.name{n}@nordwind-travel.example", "u", AuthKind.OAUTH, None, None, provider, NOW)
        for n in range(40)
        for provider in ("google", "yahoo")
    ]
    board = Board(boxes, NOW)
    for number, box in enumerate(boxes):
        board.learn(box, Transition(box.id, 1, NOW, State.PENDING, State.CONNECTED, Trigger.PROBE_SUCCEEDED))
        if number < ill:
            cause = list(Cause)[number % 30]
            board.learn(box, Transition(box.id, 2, NOW, State.CONNECTED, State.SUSPECT, Trigger.PROBE_FAILED, cause))
    stage = Stage(url="http://127.0.0.1:9725/metrics", seconds=75, troubles={"google": ("outage",), "yahoo": ()})
    console = Console(width=width, height=height, file=io.StringIO(), color_system=None, legacy_windows=False)
    console.print(Screen(board, stage, lambda: NOW + timedelta(seconds=5), ascii_only=ascii_only))
    return console.file.getvalue().rstrip("\n").split("\n")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (140, 40), (220, 60)])
@pytest.mark.parametrize("ill", [0, 3, 80])
def test_it_fits_the_terminal(width, height, ill):
    lines = picture(width, height, ill=ill)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert lines[-1].startswith("http://127.0.0.1:9725/metrics")
    assert lines[-1].endswith("Ctrl-C ends")


def test_it_says_in_words_what_colours_say():
    text = "\n".join(picture(80, 24))
    assert "suspect" in text
    assert "connected" in text
    assert "01:15" in text
    assert "sending allowed for" in text
    assert "outage" in text
    assert "looking again" in text


def test_all_well_is_said_to_be_so():
    assert "everything is well" in "\n".join(picture(80, 24, ill=0))


def test_a_terminal_without_unicode_gets_ascii():
    text = "\n".join(picture(80, 24, ill=3, ascii_only=True))
    assert text.replace("…", "").isascii()
