"""Runs mailwatch, and writes down when it sets out to look at a mailbox: `python recording_daemon.py run --config …`.

When it sets out is what mailwatch decides; when a server has got round to it is the server's, and the machine's.
"""

import os
import sys
import time
from collections import Counter

from mailwatch.cli import main
from mailwatch.probe import NetworkProber

_FILE = "LOOKS_FILE"


def recording(path):
    """What `Node.start` needs for it."""
    return {"program": (__file__,), "environment": {_FILE: str(path)}}


def looks(path, since=0.0):
    """The moments (`time.monotonic`) after *since* at which it set out."""
    return [moment for moment, _ in _rows(path) if moment > since]


def looks_by_mailbox(path, since=0.0):
    """{mailbox id: how often it set out to it after *since*}."""
    return Counter(mailbox for moment, mailbox in _rows(path) if moment > since)


def most_within(moments, seconds):
    """How many of them at most are within so many seconds."""
    most, start = 0, 0
    for end, moment in enumerate(moments):
        while moments[start] <= moment - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


def _rows(path):
    whole, _, _ = path.read_text().rpartition("\n")
    return [(float(moment), mailbox) for moment, mailbox in map(str.split, whole.splitlines())]


def _record(path):
    probe = NetworkProber.probe
    record = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def recorded(self, assignment):
        os.write(record, f"{time.monotonic()} {assignment.mailbox.id}\n".encode())
        return await probe(self, assignment)

    NetworkProber.probe = recorded


if __name__ == "__main__":
    _record(os.environ[_FILE])
    sys.exit(main())
