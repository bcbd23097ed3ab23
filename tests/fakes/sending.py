"""A source for the sending gate, kept in memory: what is true of each mailbox, and a row for each change."""

from builders import later
from mailwatch.ports.campaigns import SendingChange


def a_change(mailbox_id="mb_1", state="connected", **changes):
    """What the gate is told of a mailbox; well for an hour by default."""
    values = {
        "address_key": f"{mailbox_id}@example.org",
        "cause": None,
        "since_at": later(-3600),
        "until_at": None,
        "outage_seconds": 0.0,
        "sends": state in ("connected", "suspect"),
    } | changes
    return SendingChange(mailbox_id=mailbox_id, state=state, **values)


class FakeSendingSource:
    """Implements `ports.campaigns.SendingSource`.  `between` is called while a reading is under way, `errors` are raised first."""

    def __init__(self):
        self.mailboxes, self.events, self.campaigns = {}, [], {}
        self.errors = []
        self.reads = []
        self.between = None

    def set(self, change, *, told=True):
        """Change a mailbox; *told* False: without an event, as no mailwatch does."""
        if change.removed:
            self.mailboxes.pop(change.mailbox_id, None)
        else:
            self.mailboxes[change.mailbox_id] = change
        if told:
            self.events.append(change)

    def set_campaign(self, campaign_id, state):
        """Change the state of a campaign."""
        if state == "active":
            self.campaigns.pop(campaign_id, None)
        else:
            self.campaigns[campaign_id] = state
        self.events.append(campaign_id)

    def _read(self, name):
        self.reads.append(name)
        if self.errors:
            raise self.errors.pop(0)

    async def all_sending(self, after, limit):
        self._read("all")
        ids = sorted(mailbox_id for mailbox_id in self.mailboxes if after is None or mailbox_id > after)
        return [self.mailboxes[mailbox_id] for mailbox_id in ids[:limit]]

    async def sending_since(self, mark, limit):
        self._read("since")
        if mark < 0:
            return len(self.events), []
        some = self.events[mark : mark + limit]
        told = [change for change in some if isinstance(change, SendingChange)]
        found = {change.mailbox_id: self.mailboxes.get(change.mailbox_id, change) for change in told}
        if self.between is not None:
            self.between()
        return min(mark, len(self.events)) + len(some), list(found.values())

    async def paused_campaigns(self):
        self._read("campaigns")
        return dict(self.campaigns)

    async def campaigns_since(self, mark):
        self._read("campaigns since")
        return {each: self.campaigns.get(each, "active") for each in self.events[mark:] if isinstance(each, str)}
