"""Keeping the process's memory to itself: passwords and keys lie in it while probes run."""

import ctypes
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4  # prctl(2)


def keep_memory_private() -> bool:
    """No core file, and no debugger of the same user (PR_SET_DUMPABLE, prctl(2)); whether the system took it.

    A debugger with CAP_SYS_PTRACE, which is root's, may still attach.
    """
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
