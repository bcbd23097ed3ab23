"""What all tests share: hypothesis profiles, real servers as fixtures, a free port, and a look at what a test leaves behind."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from servers.presence import in_ci
from servers.process import free_port as find_free_port

pytest_plugins = ("servers.fixtures",)

# Without a deadline or a look at how fast examples come: a busy machine is no failure. The blob reproduces a failure found elsewhere.
settings.register_profile("local", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=False, max_examples=200)
settings.register_profile("thorough", settings.get_profile("local"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if in_ci() else "local"))

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What lies in `integration/` talks to real servers, marked or not; it runs last, when the quick tests have passed."""
    for item in items:
        if "integration" in item.path.relative_to(REPOSITORY / "tests").parts:
            item.add_marker("integration")
    items.sort(key=lambda item: item.get_closest_marker("integration") is not None)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """`free_port()` is a TCP port free on loopback, another one at each call."""
    return find_free_port


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of the machine it runs on."""
    for name in list(os.environ):
        if name.startswith("MAILWATCH_") or name in {"NOTIFY_SOCKET", "WATCHDOG_USEC", "CREDENTIALS_DIRECTORY", "JOURNAL_STREAM"}:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_thread_left_behind() -> Iterator[None]:
    """A test ends the threads it starts, but for those that the interpreter keeps for `asyncio.to_thread` and daemons."""
    before = set(threading.enumerate())
    yield
    new = [one for one in threading.enumerate() if one not in before and not one.daemon]
    for one in new:
        one.join(timeout=60)  # told to end, it may yet be at it
    left = [one for one in new if one.is_alive()]
    assert not left, f"threads left behind: {left}"


@pytest.fixture
async def no_task_left_behind() -> AsyncIterator[None]:
    """Asks that the test ends every task it starts; use it where the code under test starts tasks."""
    before = asyncio.all_tasks()
    yield
    for _ in range(3):  # one that was cancelled needs a turn of the loop to end
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    told = {one for one in left if one.cancelling()}
    if told:  # they end when what they clean up with does: a thread, a disk
        await asyncio.wait(told, timeout=60)
    left = {one for one in left if not one.done()}
    assert not left, f"tasks left behind: {left}"
