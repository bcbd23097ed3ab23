"""What the audience sees, as values."""

from datetime import UTC, datetime, timedelta

import pytest

from mailwatch.cli.live_board import CROWD, Board
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import AuthKind, Mailbox
from mailwatch.core.standing import Standing, Transition
from mailwatch.ports import MailboxView

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
S, T = State, Trigger


def mailbox(number, provider="google"):
    return Mailbox(f"mb_{number}", f"user{number}@a.example", "u", AuthKind.PASSWORD, None, None, provider, NOW)


def change(box, frm, to, trigger=T.PROBE_FAILED, cause=None, at=NOW):
    return Transition(box.id, 1, at, frm, to, trigger, cause)


@pytest.fixture
def boxes():
    return [mailbox(number) for number in range(10)]


@pytest.fixture
def board(boxes):
    board = Board(boxes, NOW)
    for box in boxes:
        board.learn(box, change(box, S.PENDING, S.CONNECTED, T.PROBE_SUCCEEDED))
    return board


def test_the_first_look_fills_the_counts_and_not_the_feed(board):
    assert board.counts() == {S.CONNECTED: 10}
    assert board.unseen == 0
    assert not board.feed
    assert not board.unwell()


def test_alike_changes_of_many_are_one_line(board, boxes):
    for number, box in enumerate(boxes[:5]):
        at = NOW + timedelta(seconds=number / 2)
        board.learn(box, change(box, S.CONNECTED, S.SUSPECT, cause=Cause.CONNECTION_REFUSED, at=at))
    (news,) = board.feed
    assert news.subject == "5 at google"
    assert news.change == "connected → suspect"


def test_a_later_change_of_the_same_kind_is_a_line_of_its_own(board, boxes):
    for seconds, box in ((0, boxes[0]), (60, boxes[1])):
        at = NOW + timedelta(seconds=seconds)
        board.learn(box, change(box, S.CONNECTED, S.SUSPECT, cause=Cause.CONNECTION_REFUSED, at=at))
    assert [news.subject for news in board.feed] == ["user0@a.example", "user1@a.example"]


def test_a_crowd_with_one_trouble_shares_a_row_and_single_ones_keep_theirs(board, boxes):
    for box in boxes[:CROWD]:
        board.learn(box, change(box, S.SUSPECT, S.RECONNECTING, cause=Cause.SERVER_UNAVAILABLE))
    later = NOW + timedelta(seconds=1)
    board.learn(boxes[9], change(boxes[9], S.SUSPECT, S.BLOCKED, T.PERSON_NEEDED, Cause.INVALID_CREDENTIALS, later))
    assert [(row.subject, row.mailboxes) for row in board.unwell()] == [("user9@a.example", 1), (f"{CROWD} at google", CROWD)]
    assert board.sending == 10 - CROWD - 1


def test_standings_tell_when_each_is_looked_at_next(board, boxes):
    box, due_at = boxes[0], NOW + timedelta(seconds=4)
    board.learn(box, change(box, S.SUSPECT, S.RECONNECTING, cause=Cause.SERVER_UNAVAILABLE))
    board.look([MailboxView(box, Standing(box.id, S.RECONNECTING, NOW, due_at, version=1))])
    assert board.unwell()[0].due_at == due_at
    board.look([MailboxView(box, Standing(box.id, S.CONNECTED, NOW, NOW))])
    assert board.unwell()[0].due_at == due_at  # an older picture than the transition's changes nothing


def test_the_tally_tells_recoveries_false_alarms_and_help_apart(board, boxes):
    box = boxes[0]
    for frm, to in (
        (S.CONNECTED, S.SUSPECT),
        (S.SUSPECT, S.CONNECTED),
        (S.SUSPECT, S.BLOCKED),
        (S.BLOCKED, S.RECONNECTING),
        (S.RECONNECTING, S.VERIFYING),
        (S.VERIFYING, S.CONNECTED),
    ):
        board.learn(box, change(box, frm, to, cause=Cause.INVALID_CREDENTIALS))
    tally = board.tally
    assert (tally.disconnections, tally.false_alarms, tally.blocked) == (1, 1, 1)
    assert (tally.healed_by_people, tally.recoveries) == (1, 1)


def test_a_transition_nobody_told_of_is_put_right_from_the_store(board, boxes):
    box, later = boxes[0], NOW + timedelta(seconds=1)
    view = MailboxView(box, Standing(box.id, S.BLOCKED, later, later, version=2, cause=Cause.INVALID_CREDENTIALS))
    assert board.look([view]) == [view]
    assert [(row.subject, row.state, row.cause) for row in board.unwell()] == [(box.address, S.BLOCKED, Cause.INVALID_CREDENTIALS)]
    assert board.look([view]) == []  # once


def test_a_fleet_whose_first_looks_nobody_told_of_is_seen_all_the_same(boxes):
    board = Board(boxes, NOW)
    assert board.unseen == len(boxes)
    board.look([MailboxView(box, Standing(box.id, S.CONNECTED, NOW, NOW, version=1)) for box in boxes])
    assert (board.unseen, board.counts()) == (0, {S.CONNECTED: len(boxes)})


def test_a_transition_that_is_told_after_the_store_showed_a_later_one_is_news_and_no_state(board, boxes):
    box = boxes[0]
    board.look([MailboxView(box, Standing(box.id, S.CONNECTED, NOW, NOW, version=3))])
    board.learn(box, change(box, S.CONNECTED, S.SUSPECT, cause=Cause.CONNECTION_REFUSED))
    assert board.counts() == {S.CONNECTED: len(boxes)}
    assert [news.subject for news in board.feed] == [box.address]
