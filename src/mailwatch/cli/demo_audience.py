"""Those who watch the demo: a link that lets them into the page, and what becomes of the campaigns."""

from typing import Final

from mailwatch.cli.live_board import Stage
from mailwatch.core.campaigns import CampaignState
from mailwatch.core.webhooks import EventType
from mailwatch.daemon import Daemon
from mailwatch.ports import Act
from mailwatch.ports.people import Role

_NAME: Final = "demo"
_BY: Final = Act("demo", "user.add")
_EVENTS_AT_ONCE: Final = 1000


class Audience:
    """Looks at a running daemon as its operators would."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._key = ""
        self._seen = 0
        self._tally = {EventType.CAMPAIGN_PAUSED.value: 0, EventType.CAMPAIGN_RESUMED.value: 0}

    async def let_in(self) -> None:
        """Make the one user there is, who signs in by a link."""
        await self._daemon.offices.accounts.add_user(_NAME, None, Role.ADMIN, _BY)

    async def url(self) -> str:
        """A link that signs in once; a new one as soon as that was used or has ended."""
        accounts = self._daemon.offices.accounts
        if not self._key or await accounts.link(self._key) is None:
            self._key = await accounts.sign_in_link(_NAME, _BY)
        return f"{self._daemon.url}/sign-in?key={self._key}"

    async def count_campaigns(self, stage: Stage) -> None:
        """How many campaigns run, and how often one was paused and resumed so far."""
        store = self._daemon.parts.store
        counts = await store.campaigns.counts()
        stage.campaigns = sum(counts.values())
        stage.campaigns_paused = sum(count for (state, _), count in counts.items() if state is CampaignState.PAUSED)
        while events := await store.outbox.events(self._seen, _EVENTS_AT_ONCE):
            self._seen = events[-1].id
            for event in events:
                if event.type in self._tally:
                    self._tally[event.type] += 1
        stage.pauses = self._tally[EventType.CAMPAIGN_PAUSED]
        stage.resumptions = self._tally[EventType.CAMPAIGN_RESUMED]
