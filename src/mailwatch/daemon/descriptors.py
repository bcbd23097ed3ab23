"""How many probes at a time the machine's limit of open files leaves room for.

Out of descriptors a daemon can neither probe nor answer HTTP nor open its database; so it takes on less instead.
"""

import resource
from typing import Final

#: For the event loop, the database and its log, HTTP, name servers, canaries and token endpoints.
RESERVED: Final = 40
#: A name with two families of addresses is tried over both at once (RFC 8305).
PER_PROBE: Final = 2
#: What open sessions that are watched may take of the rest, at the most.
SHARE_OF_WATCH: Final = 0.5


def raise_limit() -> int:
    """Raise this process's soft limit of open files to its hard one (getrlimit(2)); what it is now, huge when there is none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError):
            pass  # a hard limit above what the kernel allows: the soft one it is
    return 2**31 if soft == resource.RLIM_INFINITY else soft


def that_fit(probes: int, descriptors: int, *, sessions: int = 0) -> int:
    """How many of *probes* may run at a time with so many descriptors, beside *sessions* that stay open; never less than one."""
    return max(1, min(probes, (descriptors - RESERVED - sessions) // PER_PROBE))


def sessions_that_fit(sessions: int, descriptors: int) -> int:
    """How many of *sessions* may stay open between probes, with so many descriptors; never less than one."""
    return max(1, min(sessions, int((descriptors - RESERVED) * SHARE_OF_WATCH)))
