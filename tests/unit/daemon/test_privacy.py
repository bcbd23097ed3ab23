"""Nobody of the same user reads the daemon's memory, by a debugger or from a core file."""

import ctypes
import os
import resource
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailwatch.daemon.privacy import keep_memory_private

NOBODY = 65_534
_PTRACE_SEIZE = 0x4206

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is of Linux")


@contextmanager
def child(folder, prepare):
    """A process of an ordinary user that has called *prepare* and waits."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ready)
        try:
            if os.geteuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as a program that was started so; a change of user forbids dumps
            os.chdir(folder)
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (OSError, ValueError):
            pass
        prepare()
        os.write(tell, b"!")
        signal.pause()
        os._exit(0)
    try:
        os.close(tell)
        assert os.read(ready, 1) == b"!"
        yield pid
    finally:
        os.close(ready)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def owner_of_memory(pid):
    return Path(f"/proc/{pid}/mem").stat().st_uid


def attach_as_its_user(pid):
    """errno of attaching a debugger as the child's own user; 0: it may look."""
    asker = os.fork()
    if asker == 0:
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        libc = ctypes.CDLL(None, use_errno=True)
        os._exit(ctypes.get_errno() if libc.ptrace(_PTRACE_SEIZE, pid, 0, 0) else 0)
    return os.waitstatus_to_exitcode(os.waitpid(asker, 0)[1])


def test_a_process_that_asked_for_it_belongs_to_root_alone_for_debuggers_and_dumps(tmp_path):
    if os.geteuid() == 0:
        tmp_path.chmod(0o777)
    own = NOBODY if os.geteuid() == 0 else os.geteuid()
    with child(tmp_path, lambda: None) as pid:
        assert owner_of_memory(pid) == own  # else the next lines would show nothing
    with child(tmp_path, keep_memory_private) as pid:
        assert owner_of_memory(pid) == 0
        assert attach_as_its_user(pid) == 1  # EPERM
        os.kill(pid, signal.SIGQUIT)  # leaves a core file where one may be left
    assert not list(tmp_path.iterdir())


def test_it_says_whether_the_system_took_it():
    pid = os.fork()
    if pid == 0:
        os._exit(0 if keep_memory_private() and ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
