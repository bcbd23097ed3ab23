"""The live view of the demo: one screen that tells a newcomer what fails, why, what is being done, and what is well again.

Drawn line by line to the terminal's size, from 80x24 up; a sign and a word beside every colour.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from mailwatch.cli.live_board import Board, News, Row, Stage
from mailwatch.cli.live_words import ASCII_SIGNS, COLOURS, SIGNS, lasting, next_look, told, why
from mailwatch.core.lifecycle import State

_ORDER: Final = (
    State.CONNECTED,
    State.SUSPECT,
    State.RECONNECTING,
    State.VERIFYING,
    State.BLOCKED,
    State.HELD,
    State.INACTIVE,
    State.PENDING,
)
_NAME_WIDTH: Final = 13
_STATE_WIDTH: Final = 14
_NEXT_WIDTH: Final = 9
_SMALLEST_LIST: Final = 4
_SENTENCE_WIDTH: Final = 48
#: From this width on there is room for sentences.
_WIDE: Final = 110


class Screen:
    """The whole picture; rich asks for it at each refresh."""

    def __init__(self, board: Board, stage: Stage, now: Callable[[], datetime], *, ascii_only: bool = False) -> None:
        self._board = board
        self._stage = stage
        self._now = now
        self._signs = ASCII_SIGNS if ascii_only else SIGNS
        self._full, self._part = ("#", "-") if ascii_only else ("█", "░")
        self._bolt = "!" if ascii_only else "⚡"
        self._ascii = ascii_only

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        for line in self.lines(width, height)[:height]:
            line.truncate(width, overflow="ellipsis", pad=False)
            yield line

    def lines(self, width: int, height: int) -> list[Text]:
        """The picture as at most *height* lines."""
        providers = sorted(self._stage.troubles)
        top = [*self._head(width), *(self._provider(name, width) for name in providers)]
        foot = self._foot(width)
        room = max(2 * _SMALLEST_LIST, height - len(top) - len(foot) - 2)
        rows = self._board.unwell()
        listed = min(max(len(rows), _SMALLEST_LIST), max(_SMALLEST_LIST, room // 2))
        lines = [*top, self._title(f"Not well now: {sum(row.mailboxes for row in rows)}", width)]
        lines += self._unwell(rows, listed, width)
        lines.append(self._title("What happened", width))
        lines += self._feed(room - listed, width)
        return [*lines, *foot]

    def _head(self, width: int) -> list[Text]:
        minutes, seconds = divmod(int(self._stage.seconds), 60)
        title = Text.assemble(
            ("mailwatch", "bold"),
            f" watches {self._board.total} mailboxes",
            (f"  simulated; {self._bolt} = trouble on stage", "bright_black"),
        )
        clock = f"{minutes:02d}:{seconds:02d}"
        title.pad_right(max(0, width - title.cell_len - len(clock)))
        title.append(clock, "bold")
        return [title, self._counts(width)]

    def _counts(self, width: int) -> Text:
        counts = self._board.counts()
        parts = [
            Text(f"{self._signs[state]} {counts[state]} {state}", COLOURS[state])
            for state in _ORDER
            if counts[state] or state is State.CONNECTED
        ]
        spare = width - sum(part.cell_len for part in parts)
        return Text(" " * max(1, min(3, spare // len(parts)))).join(parts)

    def _provider(self, name: str, width: int) -> Text:
        counts = self._board.counts_at(name)
        total = counts.total()
        cells = max(10, min(40, width // 4))
        filled = round(cells * counts[State.CONNECTED] / total) if total else 0
        if counts[State.CONNECTED] < total:
            filled = min(filled, cells - 1)  # one that is missing must show
        line = Text.assemble(
            (name.ljust(_NAME_WIDTH), "bold"),
            (self._full * filled, "green"),
            (self._part * (cells - filled), "yellow" if filled < cells else ""),
            f" {counts[State.CONNECTED]:>4}/{total:<4} ",
        )
        unwell = Counter({state: count for state, count in counts.items() if state is not State.CONNECTED})
        if unwell:
            for state in _ORDER[1:]:
                if unwell[state]:
                    line.append(f"{self._signs[state]}{unwell[state]} ", COLOURS[state])
        troubles = self._stage.troubles.get(name, ())
        if troubles:
            line.append(f"{self._bolt}{', '.join(troubles)}", "bright_black")
        return line

    def _title(self, text: str, width: int) -> Text:
        rule = "-" if self._ascii else "─"
        return Text(f"{rule * 2} {text} ".ljust(width, rule), "bright_black")

    def _unwell(self, rows: Sequence[Row], room: int, width: int) -> list[Text]:
        if not rows:
            return [Text("everything is well", "green"), *[Text()] * (room - 1)]
        shown = rows if len(rows) <= room else rows[: room - 1]
        lines = [self._row(row, width) for row in shown]
        if len(shown) < len(rows):
            lines.append(Text(f"and {sum(row.mailboxes for row in rows[len(shown) :])} more", "bright_black"))
        return [*lines, *[Text()] * (room - len(lines))]

    def _row(self, row: Row, width: int) -> Text:
        address_width = max(20, min(36, width // 4 + 2))
        reason_width = max(10, width - address_width - _STATE_WIDTH - _NEXT_WIDTH - 8)
        now = self._now()
        line = Text(_cut(row.subject, address_width).ljust(address_width + 1))
        line.append(f"{self._signs[row.state]} {row.state}".ljust(_STATE_WIDTH + 1), COLOURS[row.state])
        line.append(lasting((now - row.since_at).total_seconds()).rjust(4) + "  ")
        brief = reason_width < _SENTENCE_WIDTH
        reason = "works again, to be proven" if row.state is State.VERIFYING else why(row.cause, brief=brief)
        line.append(_cut(reason, reason_width).ljust(reason_width + 1))
        line.append(next_look(row.state, row.cause, row.due_at, now), "bold")
        return line

    def _feed(self, room: int, width: int) -> list[Text]:
        lines = [self._news(news, width) for news in list(self._board.feed)[-room:]]
        return [*lines, *[Text()] * (room - len(lines))]

    def _news(self, news: News, width: int) -> Text:
        subject_width = max(20, min(36, width // 4 + 2))
        local = news.at.astimezone()
        line = Text.assemble(
            (f"{local:%H:%M:%S} ", "bright_black"),
            (f"{_cut(news.subject, subject_width):<{subject_width}} "),
            (f"{self._signs[news.transition.to_state]} ", COLOURS[news.transition.to_state]),
        )
        if width >= _WIDE:  # below, the sign of the new state has to do
            change = news.change if not self._ascii else news.change.replace("→", "->")
            line.append(f"{change}: ", COLOURS[news.transition.to_state])
        line.append(told(news.transition, brief=width < 2 * _WIDE))
        return line

    def _foot(self, width: int) -> list[Text]:
        stage, board = self._stage, self._board
        dot = " | " if self._ascii else " · "
        parts: list[str | tuple[str, str]] = ["sending allowed for ", (f"{board.sending} of {board.total}", "bold")]
        parts += [f"{dot}campaigns: {stage.campaigns - stage.campaigns_paused} run, {stage.campaigns_paused} paused"]
        if width >= _WIDE:
            parts += [f", {stage.resumptions} resumed"]
        parts += [f"{dot}{board.tally.recoveries} brought back"]
        if board.tally.healed_by_people and width >= _WIDE:
            parts += [f" ({board.tally.healed_by_people} after a person helped)"]
        if width >= _WIDE:
            parts += [f"{dot}{stage.renewals} tokens renewed{dot}{stage.refused} of {stage.logins} logins refused"]
        return [Text.assemble(*parts), Text.assemble((stage.url, "underline"), f"{dot}the page; Ctrl-C ends")]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
