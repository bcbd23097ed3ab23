"""Asks a few well-kept places of the internet whether they can be reached: the second opinion on our own uplink."""

import asyncio
from collections.abc import Sequence
from typing import Final

from mailwatch.probe.resolve import Resolver

_TIMEOUT_SECONDS: Final = 3.0


class TcpCanary:
    """`ports.Canary` by TCP connections.  *places* are (host, port) chosen by the operator, of unrelated providers."""

    def __init__(self, places: Sequence[tuple[str, int]], resolver: Resolver, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._places = tuple(places)
        self._resolver = resolver
        self._timeout = timeout_seconds

    async def answers(self) -> bool:
        """Whether at least one place accepted a connection; ends within the time-out."""
        tries = [asyncio.create_task(self._reach(host, port)) for host, port in self._places]
        try:
            for done in asyncio.as_completed(tries, timeout=self._timeout):
                if await done:
                    return True
        except TimeoutError:
            return False
        finally:
            for task in tries:
                task.cancel()
            await asyncio.gather(*tries, return_exceptions=True)
        return False

    async def _reach(self, host: str, port: int) -> bool:
        try:
            for address in await self._resolver.addresses(host):
                _, writer = await asyncio.open_connection(address, port)
                writer.transport.abort()
                return True
        except Exception:  # noqa: BLE001  # whatever it is (resolver, route, descriptors), this place did not answer
            return False
        return False
