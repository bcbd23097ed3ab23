"""Lines go out in order, from a thread; nothing about the stream disturbs the program."""

import io
import os
import threading

import pytest

from mailwatch.telemetry import log_sink
from mailwatch.telemetry.log_sink import Sink, is_journal


class Stuck(io.StringIO):
    """A stream that takes nothing until it is let go, as a full pipe does."""

    def __init__(self):
        super().__init__()
        self.entered, self.release = threading.Event(), threading.Event()

    def write(self, text):
        self.entered.set()
        self.release.wait()
        return super().write(text)


def test_lines_come_out_in_order():
    stream = io.StringIO()
    sink = Sink(stream)
    for number in range(1000):
        sink.put(str(number))
    sink.close()
    assert stream.getvalue().split() == [str(number) for number in range(1000)]


def test_a_stream_that_takes_nothing_holds_nobody_and_what_is_lost_is_told(monkeypatch):
    monkeypatch.setattr(log_sink, "BOUND", 3)
    stream = Stuck()
    sink = Sink(stream)
    sink.put("first")
    assert stream.entered.wait(30)
    for number in range(10):
        sink.put(str(number))
    assert sink.dropped == 7
    assert not sink.flush(0.01)
    stream.release.set()
    sink.close()
    assert stream.getvalue().splitlines() == [
        "first",
        "0",
        "1",
        "2",
        '{"event": "log.lines_dropped", "level": "warning", "count": 7}',
    ]


@pytest.mark.parametrize("close_how", ["descriptor", "object"])
def test_a_closed_stream_is_nobodys_trouble(close_how):
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    sink = Sink(stream)
    if close_how == "object":
        stream.close()
    else:
        os.close(reader)  # a write now meets EPIPE
    sink.put("x")
    assert sink.flush(30)
    sink.put("y")
    sink.close()
    if close_how == "object":
        os.close(reader)
    else:
        with pytest.raises(BrokenPipeError):
            stream.close()


def test_without_any_stderr_lines_go_nowhere(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    sink = Sink()
    sink.put("x")
    assert sink.flush(30)
    sink.close()


def test_after_the_end_lines_are_dropped():
    sink = Sink(io.StringIO())
    sink.close()
    sink.put("late")
    assert sink.dropped == 1


def test_the_journal_is_recognised_by_device_and_inode(tmp_path):
    with (tmp_path / "stream").open("w") as stream:
        status = os.fstat(stream.fileno())
        assert is_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        assert not is_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"})
        assert not is_journal(stream, {})
        assert not is_journal(stream, {"JOURNAL_STREAM": "x:y"})
    assert not is_journal(stream, {"JOURNAL_STREAM": "1:1"})
    assert not is_journal(io.StringIO(), {"JOURNAL_STREAM": "1:1"})
    assert not is_journal(None, {"JOURNAL_STREAM": "1:1"})
