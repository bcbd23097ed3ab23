"""Adding mailboxes: one by one or many, judged by one set of rules whether they come by API, page or command line."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from mailwatch.config import Settings
from mailwatch.core.providers import endpoints_for_domain, provider_for_host
from mailwatch.core.roster import Roster, RosterFault, Rules, judge_row
from mailwatch.ports import Act, Clock, MailwatchError, NewMailbox, Store

#: First looks start no faster than this after an import, so that no provider sees a burst of logins.
FIRST_LOOKS_A_SECOND: Final = 10


class RosterError(MailwatchError):
    """Some of the rows cannot be added, and none was; `faults` tells each, by the row's place."""

    def __init__(self, faults: Sequence[RosterFault]) -> None:
        more = f" and {len(faults) - 1} more faults" if len(faults) > 1 else ""
        super().__init__(f"{faults[0].column or 'row'}: {faults[0].problem}; {faults[0].cure}{more}")
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))


class Newcomers:
    """Takes mailboxes in.  *settings* gives those in force: providers, OAuth applications, whether cleartext is allowed."""

    def __init__(self, store: Store, clock: Clock, settings: Callable[[], Settings]) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings

    def judged(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[NewMailbox]:
        """The mailboxes that *rows* (the columns of an import, `secret` and no `secret_file`) name; raises RosterError."""
        roster, rules = Roster(), rules_of(self._settings(), self._clock.now())
        seen: dict[str, int] = {}
        found: list[NewMailbox] = []
        for number, row in enumerate(rows):
            entry = judge_row(number, row, rules, roster)
            if entry is None:
                continue
            address = entry.mailbox.address.lower()
            if address in seen:
                roster.blame(number, "address", f"{entry.mailbox.address} is in row {seen[address]} too", "keep one")
            seen.setdefault(address, number)
            found.append(NewMailbox(entry.mailbox, entry.secret))
        if roster.faults:
            raise RosterError(roster.faults)
        return found

    async def add(self, wanted: Sequence[NewMailbox], by: Act) -> Sequence[str]:
        """Add all or none, their first looks spread; the ids.  Raises MailboxExistsError."""
        now = self._clock.now()
        window = min(self._settings().probing.interval_seconds, len(wanted) / FIRST_LOOKS_A_SECOND)

        def first_due_at(index: int) -> datetime:
            return now + timedelta(seconds=window * index / len(wanted))

        return await self._store.add(wanted, by, first_due_at=first_due_at)


def rules_of(settings: Settings, now: datetime, *, allow_cleartext: bool = False) -> Rules:
    """What rows are judged by, as the configuration has it."""
    return Rules(
        now=now,
        new_id=new_id,
        endpoints_for_domain=endpoints_for_domain,
        provider_of=lambda domain, host: _configured(settings, domain, host) or provider_for_host(host),
        oauth_apps=frozenset(settings.oauth),
        allow_cleartext=allow_cleartext or settings.network.allow_cleartext,
    )


def new_id() -> str:
    """A mailbox id: opaque, and never given out twice."""
    return f"mb_{secrets.token_hex(8)}"


def _configured(settings: Settings, domain: str, host: str) -> str | None:
    """The provider of the configuration that claims this domain or host."""
    for name, provider in settings.providers.items():
        if domain in provider.domains or any(_matches(host.lower(), pattern) for pattern in provider.hosts):
            return name
    return None


def _matches(host: str, pattern: str) -> bool:
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))
