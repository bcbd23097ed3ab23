"""`mailwatch demo`: simulated mailboxes fail and recover before your eyes, watched by the real daemon; no network needed.

Everything runs in this process: providers speaking real IMAP, SMTP and OAuth over TLS on loopback (`mailwatch.sim`), the daemon
with its database in a directory that is removed at the end, a script of faults, and people who set right what only they can.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import uvloop
from rich.console import Console
from rich.live import Live

from mailwatch.cli.demo_audience import Audience
from mailwatch.cli.demo_people import People
from mailwatch.cli.demo_stage import FaultNotes, compose, raise_world
from mailwatch.cli.live_board import UNWELL, Board, Stage
from mailwatch.cli.live_view import Screen
from mailwatch.cli.output import ends_cleanly
from mailwatch.cli.plain_view import PlainLines, closing
from mailwatch.daemon import Daemon
from mailwatch.ports import MailboxFilter
from mailwatch.sim import Script, World, scripts

_REFRESH_SECONDS: Final = 0.5
_ROWS: Final = 500
#: The story waits no longer for mailboxes that nobody gets to look at.
_PATIENCE_SECONDS: Final = 30.0


@ends_cleanly
def demo(
    mailboxes: Annotated[int, typer.Option(min=5, max=20_000, help="How many mailboxes to simulate.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the page and /metrics; 0 = a free one.")] = 0,
    seconds: Annotated[float | None, typer.Option(min=1, help="End by itself after this long.")] = None,
) -> None:
    """Watch simulated mailboxes fail and recover; no network, no configuration.  Ctrl-C ends it."""
    with (
        tempfile.TemporaryDirectory(prefix="mailwatch-demo-") as directory,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_perform(Path(directory), mailboxes, seed, port, seconds))


async def _perform(directory: Path, mailboxes: int, seed: int, port: int, seconds: float | None) -> None:
    async with World(directory / "world", seed=seed) as world:
        newcomers = await raise_world(world, mailboxes)
        notes = FaultNotes()
        daemon = await compose(world, newcomers, directory, port, notes)
        board = Board((new.mailbox for new in newcomers), daemon.parts.clock.now())
        stage, people, audience = Stage(), People(world, daemon.parts), Audience(daemon)
        with _view(board, stage, daemon) as draw, _ended(notes) as end:
            async with _listening(daemon, board, people) as listener:
                await daemon.start()
                await audience.let_in()
                helpers = [
                    listener,
                    asyncio.create_task(_refresh(world, daemon, board, people, stage, audience, draw)),
                    asyncio.create_task(_tell_story(world, board, scripts.demo(seed, tuple(world.providers)))),
                    asyncio.create_task(end.wait()),
                ]
                await asyncio.wait(helpers, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                outcomes = await _stopped(*helpers)
            await people.leave()
            await daemon.shutdown()
        sys.stdout.write(closing(board, stage) + "\n")
        for error, times in notes.errors.items():
            sys.stderr.write(f"mailwatch: inside the demo, {times} times: {error}\n")
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome


@contextlib.asynccontextmanager
async def _listening(daemon: Daemon, board: Board, people: People) -> AsyncIterator["asyncio.Task[None]"]:
    """Board and people hear of every transition from here on: the stream repeats nothing for those who come later."""

    async def listen() -> None:
        async for mailbox, transition in daemon.parts.live.subscribe():
            board.learn(mailbox, transition)
            people.hear(mailbox, transition)

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)  # subscribed when this returns
    try:
        yield listener
    finally:
        await _stopped(listener)


async def _stopped(*helpers: "asyncio.Task[Any]") -> list[Any]:
    """What each has ended with, now that it has."""
    for helper in helpers:
        helper.cancel()
    return await asyncio.gather(*helpers, return_exceptions=True)


async def _tell_story(
    world: World,
    board: Board,
    script: Script,
    *,
    patience_seconds: float = _PATIENCE_SECONDS,
    look_seconds: float = _REFRESH_SECONDS,
) -> None:
    """Play the script once the whole fleet has been seen, or no more of it for *patience_seconds*; then let all be calm."""
    loop = asyncio.get_running_loop()
    unseen, fell_at = board.unseen, loop.time()
    while unseen > board.total // 100 and loop.time() - fell_at < patience_seconds:
        await asyncio.sleep(look_seconds)
        if board.unseen < unseen:
            unseen, fell_at = board.unseen, loop.time()
    await world.play(script)
    await asyncio.Event().wait()


async def _refresh(
    world: World, daemon: Daemon, board: Board, people: People, stage: Stage, audience: Audience, draw: Callable[[], None]
) -> None:
    """Keep the picture fresh."""
    clock = daemon.parts.clock
    began = clock.monotonic()
    cursor: str | None = None
    while True:
        await asyncio.sleep(_REFRESH_SECONDS)
        stage.seconds = clock.monotonic() - began
        stage.url = await audience.url()
        await audience.count_campaigns(stage)
        ledgers = [provider.ledger for provider in world.providers.values()]
        stage.logins = sum(ledger.logins.total() for ledger in ledgers)
        stage.refused = sum(ledger.rejected.total() for ledger in ledgers)
        stage.renewals = max(0, sum(ledger.refreshes.total() - len(ledger.refreshes) for ledger in ledgers))
        stage.troubles = {
            name: tuple(dict.fromkeys(str(fault.kind).replace("_", " ") for fault in provider.faults))
            for name, provider in world.providers.items()
        }
        cursor = await _look(daemon, board, people, cursor)
        draw()


async def _look(daemon: Daemon, board: Board, people: People, after: str | None) -> str | None:
    """Put right what board and people have missed, one page of the fleet from *after* on; where the next page begins."""
    store = daemon.parts.store
    page = await store.list(MailboxFilter(after=after, limit=_ROWS))
    shown = await store.list(MailboxFilter(states=UNWELL, limit=_ROWS)) if board.total > _ROWS else ()  # else they are in *page*
    for view in board.look((*page, *shown)):
        people.notice(view.mailbox, view.standing.state, view.standing.cause, view.standing.version)
    return page[-1].mailbox.id if len(page) == _ROWS else None


@contextlib.contextmanager
def _ended(notes: FaultNotes) -> Iterator[asyncio.Event]:
    """Set by Ctrl-C or SIGTERM; meanwhile nothing may write over the picture."""
    loop = asyncio.get_running_loop()
    end = asyncio.Event()

    def unhandled(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        notes.error("loop.exception", message=context.get("message"), exception=type(context.get("exception")).__name__)

    loop.set_exception_handler(unhandled)
    logging.getLogger().addHandler(logging.NullHandler())
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    try:
        yield end
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _is_stage_for_drawing() -> bool:
    """Whether stdout is a terminal that can be drawn on, and the person has not asked for plain text."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


@contextlib.contextmanager
def _view(board: Board, stage: Stage, daemon: Daemon) -> Iterator[Callable[[], None]]:
    """What to call whenever the picture has changed."""
    now = daemon.parts.clock.now
    if not _is_stage_for_drawing():

        def write(line: str) -> None:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

        lines = PlainLines(board, stage, now, write)
        write(f"mailwatch watches {board.total} mailboxes of simulated providers; Ctrl-C ends.")
        yield lines.beat
        lines.finish()
        return

    ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
    console = Console(highlight=False)
    screen = Screen(board, stage, now, ascii_only=ascii_only)
    with Live(screen, console=console, screen=True, auto_refresh=False) as live:
        yield live.refresh
