"""Where log lines go: a thread writes them to stderr, so that a full pipe or journal never holds the event loop.

What waits is bounded; lines that find no room are dropped, counted, and the count is told when there is room again.  A stream that
is closed or broken is nobody's trouble: the daemon goes on.
"""

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Mapping
from typing import Final, TextIO

BOUND: Final = 10_000


class Sink:
    """Writes lines to a stream, in order, from a thread of its own."""

    def __init__(self, stream: TextIO | None = None) -> None:
        # sys.stderr is None when the descriptor was closed before Python started.
        self.stream: TextIO | None = sys.stderr if stream is None else stream
        self._lines: deque[str] = deque()
        self._condition = threading.Condition()
        self._closing = False
        self._writing = False
        self.dropped = 0  #: lines lost for want of room, in all
        self._untold = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more lines."""
        return self._closing

    def put(self, line: str) -> None:
        """Queue a line; never blocks for the stream, never raises."""
        with self._condition:
            if self._closing or len(self._lines) >= BOUND:
                self.dropped += 1
                self._untold += 1
                return
            self._lines.append(line)
            self._condition.notify_all()

    def flush(self, timeout_seconds: float = 1.0) -> bool:
        """Wait until all is written, or not longer than the time given; whether it is."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._lines and not self._writing, timeout_seconds)

    def close(self, timeout_seconds: float = 1.0) -> None:
        """Write what waits, within the time given, and stop."""
        self.flush(timeout_seconds)
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._writing = False
                self._condition.notify_all()
                self._condition.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    return
                batch = "".join(f"{line}\n" for line in self._lines)
                self._lines.clear()
                if self._untold:
                    batch += f'{{"event": "log.lines_dropped", "level": "warning", "count": {self._untold}}}\n'
                    self._untold = 0
                self._writing = True
            self._write(batch)

    def _write(self, text: str) -> None:
        # Closed (ValueError), broken (OSError), not able to show a character (UnicodeError): the line is lost, nothing else.
        with contextlib.suppress(ValueError, OSError, UnicodeError):
            if self.stream is not None:
                self.stream.write(text)
                self.stream.flush()


def let_go(stream: TextIO | None) -> None:
    """At the end: what cannot be written any more goes nowhere, or Python would end with 120 for the lines still in its buffer."""
    if stream is None:
        return
    try:
        stream.flush()
    except (ValueError, OSError):
        with contextlib.suppress(ValueError, OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def is_journal(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether *stream* is the journal's own, as systemd tells in `$JOURNAL_STREAM` (systemd.exec(5)): `device:inode`."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    if stream is None or not device.isdigit() or not inode.isdigit():
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return (status.st_dev, status.st_ino) == (int(device), int(inode))
