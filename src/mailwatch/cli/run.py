"""`mailwatch run`: the daemon, in the foreground; systemd or a container runs it."""

import asyncio
from enum import StrEnum, unique
from typing import Annotated

import typer

from mailwatch.cli.opening import ConfigOption
from mailwatch.cli.output import ends_cleanly


@unique
class RoleOption(StrEnum):
    """The spelling of `daemon.Role`, without importing the daemon for `--help`."""

    ALL = "all"
    PROBE = "probe"
    WEB = "web"


@ends_cleanly
def run(
    config: ConfigOption = None,
    role: Annotated[
        RoleOption, typer.Option(help="all; probe: HTTP for machines only; web: HTTP alone, beside a probing node.")
    ] = RoleOption.ALL,
) -> None:
    """Run the daemon until SIGTERM or SIGINT; SIGHUP reloads the configuration."""
    import uvloop  # noqa: PLC0415  # only the daemon needs it

    from mailwatch.daemon import Daemon, Role, assemble  # noqa: PLC0415  # so is all of this
    from mailwatch.daemon.privacy import keep_memory_private  # noqa: PLC0415  # and this

    keep_memory_private()  # before any secret is read

    async def serve() -> None:
        parts = await assemble(config, Role(role.value))
        await Daemon(parts).run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
