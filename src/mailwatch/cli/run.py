"""`mailwatch run`: the daemon, in the foreground; systemd or a container runs it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from mailwatch.cli.output import ends_cleanly

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="The configuration file [default: $MAILWATCH_CONFIG, ./mailwatch.toml, /etc/mailwatch/mailwatch.toml].",
    ),
]


@ends_cleanly
def run(config: ConfigOption = None) -> None:
    """Run the daemon until SIGTERM or SIGINT; SIGHUP reloads the configuration."""
    import uvloop  # noqa: PLC0415  # only the daemon needs it

    from mailwatch.daemon import Daemon, assemble  # noqa: PLC0415

    async def serve() -> None:
        parts = await assemble(config)
        await Daemon(parts).run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
