"""One daemon to a database file."""

import os
import signal
import stat
import subprocess
import sys

import pytest

from mailwatch.ports import SchemaError, StoreUnavailableError
from mailwatch.store.guard import FileGuard


def test_a_second_daemon_is_refused_and_told_who_the_first_is(path):
    first, second = FileGuard(path), FileGuard(path)
    first.hold()
    with pytest.raises(SchemaError, match=rf"process {os.getpid()}\) runs on {path}: SQLite serves one node only"):
        second.hold()
    first.release()
    second.hold()
    second.release()


def test_a_full_disk_is_told_by_the_file_and_leaves_no_lock(path):
    path.with_name(path.name + ".lock").symlink_to("/dev/full")
    guard = FileGuard(path)
    with pytest.raises(StoreUnavailableError, match=r"mailwatch\.db\.lock: .*; free some space there"):
        guard.hold()
    guard.release()


def test_a_killed_daemon_holds_nothing(path):
    program = (
        "import pathlib, time; from mailwatch.store.guard import FileGuard;"
        f"FileGuard(pathlib.Path({str(path)!r})).hold(); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        guard = FileGuard(path)
        with pytest.raises(SchemaError, match=f"process {process.pid}"):
            guard.hold()
        process.send_signal(signal.SIGKILL)
        process.wait()
    guard.hold()
    guard.release()


def test_the_lock_is_private_and_stays(path):
    guard = FileGuard(path)
    guard.hold()
    guard.release()
    guard.release()
    lock = path.with_name(path.name + ".lock")
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600
