"""An exception of our own at any moment of a login: no secret in what is told of it, and no descriptor left behind."""

import asyncio
import base64
import contextvars
import io
import logging
import traceback
import types
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fakes.certificates import Certificates
from fakes.dialogues import imap, smtp
from fakes.peer import ScriptedServer
from fakes.probing import PASSWORD, Password, assignment, dialer, mailbox, prober, run_on


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A root and what it signs."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


OURS: contextvars.ContextVar[bool] = contextvars.ContextVar("ours", default=False)


class Turns:
    """Counts the moments at which what we run waits; at one of them it gets an exception instead."""

    def __init__(self, fatal: int, kind: type[Exception]) -> None:
        self._fatal, self._kind, self.passed = fatal, kind, 0

    @property
    def struck(self) -> bool:
        return self.passed >= self._fatal

    @types.coroutine
    def through(self, running: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """*running*, with its turns counted."""
        step = partial(running.send, None)
        while True:
            try:
                waits_for = step()
            except StopIteration as end:
                return end.value
            self.passed += 1
            if self.passed == self._fatal:
                step = partial(running.throw, self._kind("a fault of our own"))
                if asyncio.isfuture(waits_for):
                    waits_for._asyncio_future_blocking = False
                    waits_for.cancel()
                continue
            try:
                yield waits_for
            except BaseException as error:
                step = partial(running.throw, error)  # whatever comes in goes on inside
            else:
                step = partial(running.send, None)

    def factory(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """Tasks of the probe are counted, those of the server beside it are not."""

        async def counted() -> Any:
            return await self.through(coro)

        return asyncio.Task(counted() if OURS.get() else coro, loop=loop, **options)


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    log = io.StringIO()
    handler, root = logging.StreamHandler(log), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def forms(user: str, secret: str) -> list[str]:
    """How a secret may look on the way to a server."""
    plain = base64.b64encode(f"\0{user}\0{secret}".encode()).decode()
    return [secret, plain, base64.b64encode(secret.encode()).decode()]


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def probe(server: ScriptedServer, name: str, certificates: Certificates, turns: Turns) -> str:
    """What becomes of a probe whose turn number so-and-so is fatal, in words."""
    box = mailbox(**{name: f"{name}s://localhost:{server.port}"})
    loop = asyncio.get_running_loop()
    loop.set_task_factory(turns.factory)
    OURS.set(True)
    try:
        probing = asyncio.ensure_future(
            prober(dialer(certificates.ca_file)).probe(assignment(box, credential=Password(PASSWORD), timeout_seconds=30.0))
        )
        return repr(await probing)
    except Exception:  # it is what is looked at
        return traceback.format_exc()
    finally:
        OURS.set(False)
        loop.set_task_factory(None)


@pytest.mark.parametrize("kind", [RuntimeError, OSError, KeyError])
@pytest.mark.parametrize("name", ["imap", "smtp"])
def test_an_exception_at_any_turn_of_a_login_shows_no_secret_and_leaves_nothing(
    name: str, kind: type[Exception], certificates: Certificates
) -> None:
    async def all_turns() -> tuple[list[str], int, int]:
        told = list[str]()
        script = imap if name == "imap" else smtp
        async with ScriptedServer(script(), tls=certificates.server()).running() as server:
            server.speaks = name
            told.append(await probe(server, name, certificates, Turns(10**9, kind)))
            before = descriptors()
            for fatal in range(1, 400):
                turns = Turns(fatal, kind)
                told.append(await probe(server, name, certificates, turns))
                if not turns.struck:
                    break
            for _ in range(1200):
                if descriptors() <= before:
                    break
                await asyncio.sleep(0.05)
            return told, before, descriptors()

    with everything_logged() as log:
        told, before, after = run_on("asyncio", all_turns, handler=lambda context: log.write(repr(context)))
    assert len(told) > 6  # resolve, connect, greet, authenticate …
    assert any("a fault of our own" in each or kind.__name__ in each for each in told)
    everything = "\n".join([*told, log.getvalue()])
    for form in forms("anna@example.org", PASSWORD):
        assert form not in everything, form
    assert after <= before
