"""The demo without a terminal: a line for each change, a summary now and then; for logs, pipes and people who want no colours."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from mailwatch.cli.live_board import Board, News, Stage
from mailwatch.cli.live_words import told
from mailwatch.core.lifecycle import State

SUMMARY_SECONDS: Final = 10.0
#: A line waits this long for others that change alike.
_GATHERING: Final = timedelta(seconds=2)


class PlainLines:
    """Writes to *write*; `beat` is called about twice a second."""

    def __init__(self, board: Board, stage: Stage, now: Callable[[], datetime], write: Callable[[str], None]) -> None:
        self._board = board
        self._stage = stage
        self._now = now
        self._write = write
        self._next_summary = SUMMARY_SECONDS
        self._announced: set[tuple[str, str]] = set()
        self._told_page = ""
        self._told_campaigns = (0, 0)

    def beat(self) -> None:
        """Write what is new."""
        self._announce()
        self._tell_page()
        horizon = self._now() - _GATHERING
        for news in self._board.feed:
            if not news.printed and news.at <= horizon:  # those that change alike have joined it by now
                self._print(news)
        self._tell_campaigns()
        if self._stage.seconds >= self._next_summary:
            self._next_summary += SUMMARY_SECONDS
            self._write(summary(self._board, self._stage))

    def finish(self) -> None:
        """Write what is left."""
        for news in self._board.feed:
            if not news.printed:
                self._print(news)

    def _print(self, news: News) -> None:
        news.printed = True
        self._write(f"{news.at.astimezone():%H:%M:%S} {news.subject} {news.change}: {told(news.transition)}")

    def _tell_page(self) -> None:
        if self._stage.url and self._stage.url != self._told_page:
            self._told_page = self._stage.url
            self._write(f"The page (the link signs you in, once): {self._stage.url}")

    def _tell_campaigns(self) -> None:
        stage, (paused, resumed) = self._stage, self._told_campaigns
        self._told_campaigns = (stage.pauses, stage.resumptions)
        for count, what in ((stage.pauses - paused, "paused"), (stage.resumptions - resumed, "resumed from where they left off")):
            if count:
                self._write(f"{self._now().astimezone():%H:%M:%S} {count} campaign{'s' if count > 1 else ''} {what}")

    def _announce(self) -> None:
        current = {(provider, trouble) for provider, troubles in self._stage.troubles.items() for trouble in troubles}
        for provider, trouble in sorted(current - self._announced):
            self._write(f"{self._now().astimezone():%H:%M:%S} (simulated) {provider}: {trouble} begins")
        for provider, trouble in sorted(self._announced - current):
            self._write(f"{self._now().astimezone():%H:%M:%S} (simulated) {provider}: {trouble} is over")
        self._announced = current


def summary(board: Board, stage: Stage) -> str:
    """One line: how the fleet is."""
    counts = board.counts()
    states = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    minutes, seconds = divmod(int(stage.seconds), 60)
    running = stage.campaigns - stage.campaigns_paused
    sending = f"sending allowed for {board.sending} of {board.total}"
    campaigns = f", {running} of {stage.campaigns} campaigns run" if stage.campaigns else ""
    return f"-- {minutes:02d}:{seconds:02d} {states}; {sending}{campaigns}"


def closing(board: Board, stage: Stage) -> str:
    """What was seen, at the end."""
    tally = board.tally
    return "\n".join(
        (
            f"Watched {board.total} mailboxes for {int(stage.seconds)} s:",
            f"  {tally.disconnections} disconnections confirmed, {tally.false_alarms} suspicions were false alarms",
            f"  {tally.recoveries} mailboxes brought back and verified, {tally.healed_by_people} of them after a person had helped",
            f"  {tally.blocked} times a person was asked instead of trying a refused secret again",
            f"  {stage.pauses} times a campaign was paused, {stage.resumptions} times one resumed from where it left off",
            f"  {stage.renewals} access tokens renewed without anybody noticing",
            f"  {stage.refused} of {stage.logins} logins were refused",
            f"  {board.counts()[State.CONNECTED]} of {board.total} are connected now",
        )
    )
