"""A reload, whole: the new file is checked before anything of it counts, and what follows from it is done, if later.

Campaigns are judged by the rules of the file; where those changed, every campaign is brought in line with them.  That needs the
database: if it is busy just then, the file is in force all the same, and the rest is done as soon as it can be.
"""

import asyncio
from collections.abc import Awaitable, Callable

from mailwatch.daemon.parts import Parts, Tuning
from mailwatch.ports import MailwatchError


class Reloading:
    """Reads the configuration anew, one reload after the other; *retune* puts it in force, *sentence* is what systemd is shown."""

    def __init__(self, parts: Parts, *, retune: Callable[[Tuning], None], sentence: Callable[[], str]) -> None:
        self._parts = parts
        self._retune = retune
        self._sentence = sentence
        self._campaigns = parts.tuning.campaigns
        self._to_reconcile = False  # other rules are in force than those that all campaigns were judged by
        self._lock = asyncio.Lock()

    async def reload(self) -> str | None:
        """Read the configuration anew; what is wrong with it, or None when it is in force and nothing is left to do."""
        if self._parts.reload is None:
            return "this daemon was started without a configuration file"
        async with self._lock:  # by a signal and over HTTP at once: the file that was read last is the one in force
            self._parts.notifier.reloading()
            try:
                fault = await self._take_up(self._parts.reload)
                late = await self._bring_in_line()
            finally:
                self._parts.notifier.ready(self._sentence())
        if late is None or fault is not None:
            return fault
        return f"the new configuration is in force, but {late}"

    async def catch_up(self) -> None:
        """Do what a reload had to leave undone; raises MailwatchError when it cannot be done yet."""
        async with self._lock:
            await self._reconcile()

    async def _take_up(self, read: Callable[[], Awaitable[Tuning]]) -> str | None:
        fault: str | None = None
        log = self._parts.log
        try:
            tuning = await read()
            self._retune(tuning)
            self._to_reconcile = self._to_reconcile or tuning.campaigns != self._campaigns
            self._campaigns = tuning.campaigns
            log.info("config.reloaded")
        except MailwatchError as error:
            fault = str(error)
            log.error("config.not_reloaded", error=fault)
        except Exception as error:  # a bug must not end the answering of signals
            fault = f"mailwatch could not read it: {type(error).__name__}; the log has more"
            log.error("config.not_reloaded", error=fault, exc_info=error)
        self._parts.metrics.reloaded(ok=fault is None, at=self._parts.clock.now())
        return fault

    async def _bring_in_line(self) -> str | None:
        try:
            await self._reconcile()
        except MailwatchError as error:
            late = f"campaigns are not yet brought in line with it; that is tried again by itself: {error}"
        except Exception as error:  # as above
            late = f"campaigns could not be brought in line with it: {type(error).__name__}; the log has more"
            self._parts.log.error("campaigns.not_reconciled", error=late, exc_info=error)
            return late
        else:
            return None
        self._parts.log.error("campaigns.not_reconciled", error=late)
        return late

    async def _reconcile(self) -> None:
        if self._to_reconcile:
            await self._parts.store.campaigns.reconcile()
            self._to_reconcile = False
