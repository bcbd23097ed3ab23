"""The limit of open files bounds the probes at a time."""

import subprocess
import sys

import pytest

from mailwatch.daemon.descriptors import sessions_that_fit, that_fit


@pytest.mark.parametrize(
    ("probes", "descriptors", "fit"),
    [(1000, 65_536, 1000), (1000, 1024, 492), (100, 64, 12), (100, 40, 1), (100, 3, 1), (5, 64, 5)],
)
def test_so_many_probes_fit(probes, descriptors, fit):
    assert that_fit(probes, descriptors) == fit


@pytest.mark.parametrize(
    ("sessions", "descriptors", "fit", "probes"),
    [(1000, 65_536, 1000, 1000), (1000, 1024, 492, 246), (100, 1024, 100, 442), (10, 42, 1, 1), (10, 3, 1, 1)],
)
def test_open_sessions_leave_room_for_probes(sessions, descriptors, fit, probes):
    assert sessions_that_fit(sessions, descriptors) == fit
    assert that_fit(1000, descriptors, sessions=fit) == probes


def test_the_soft_limit_is_raised_to_the_hard_one():
    lines = (
        "import resource",
        "from mailwatch.daemon.descriptors import raise_limit",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))",
        "print(raise_limit(), resource.getrlimit(resource.RLIMIT_NOFILE))",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout == "200 (200, 200)\n"
