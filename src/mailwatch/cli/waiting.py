"""What a verb says of a look that is put off, by the configuration in force."""

from collections.abc import Mapping
from dataclasses import dataclass

from mailwatch.cli.opening import Opened
from mailwatch.core.gates import OTHER_PROVIDER
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import Policy
from mailwatch.core.providers import PACES
from mailwatch.core.quiet_hosts import QuietHost
from mailwatch.desk.quiet_hosts import QuietHosts
from mailwatch.ports import MailboxView


@dataclass(frozen=True, slots=True)
class _Rules:
    """Implements `desk.quiet_hosts.Rules`."""

    policy: Policy
    paces: Mapping[str, Pace]

    def pace_of(self, gate: str) -> Pace:
        """How the hosts behind *gate* count."""
        return self.paces.get(gate) or self.paces.get(OTHER_PROVIDER) or Pace()


async def quiet_host(opened: Opened, view: MailboxView) -> QuietHost | None:
    """The host that the next look at the mailbox waits for."""
    from mailwatch.config.policy import to_paces, to_policy  # noqa: PLC0415  # pydantic is slow to import

    rules = _Rules(to_policy(opened.settings), to_paces(opened.settings, PACES))
    return await QuietHosts(opened.store, opened.clock, lambda: rules).of(view)


async def but_later(opened: Opened, view: MailboxView) -> str:
    """What follows the answer to an act that made the mailbox due: nothing, or why it is not looked at now."""
    quiet = await quiet_host(opened, view)
    return "" if quiet is None else f"; but {quiet.sentence}"
