"""When a probe could not be decided or stored, by a fault of mailwatch's own: nothing is believed, but no login is forgotten.

The mailbox keeps its state.  What its servers may have refused counts all the same, or a bug (or a database that comes and goes)
would multiply logins beyond the budget.
"""

from dataclasses import replace
from datetime import datetime

from mailwatch.core.evidence import Report
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.plan import Plan
from mailwatch.core.standing import Decision, Refusal, Standing


def unfinished(
    mailbox: Mailbox, standing: Standing, planned: Plan | None, report: Report | None, now: datetime, due_at: datetime
) -> Decision | None:
    """What must be stored of a probe that came to nothing; None when no login can have been refused.

    With a report its refusals count; without one, a probe that was to log in counts as one lost login, as a lost lease does.
    """
    if report is None:
        if planned is None or not planned.logs_in:
            return None
        lost = tuple(Refusal(endpoint.host, now) for endpoint in mailbox.endpoints if endpoint.protocol is planned.first)
        after = replace(standing, lost_at=(*standing.lost_at, now), forced=False, due_at=due_at)
        return Decision(standing, after, refusals=lost, note="unfinished")
    hosts = {endpoint.protocol: endpoint.host for endpoint in mailbox.endpoints}
    refusals = tuple(Refusal(hosts[channel.protocol], now) for channel in report.channels for _ in range(channel.rejected_logins))
    if not refusals:
        return None
    rejected_at = (*standing.rejected_at, *(now,) * len(refusals))
    after = replace(standing, rejected_at=rejected_at, proven=False, forced=False, due_at=due_at)
    return Decision(standing, after, refusals=refusals, note="unfinished")
