"""What happened in one visit to one server, while it happens: the step reached, how long each took, the conversation so far.

Lines are kept raw and cut to size only when somebody reads them, so that a healthy probe pays next to nothing.
"""

from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mailwatch.core.evidence import Line, Phase
from mailwatch.probe.redact import Redactor

_HEAD: Final = 12  #: lines kept from the start of a session
_TAIL: Final = 28  #: and from its end, where it failed
_LINE_CHARACTERS: Final = 200
_KEPT: Final = 2048  #: characters or bytes of a line that are held until somebody reads it


class Trace:
    """Phase, timings and conversation of one visit.  *monotonic* is a clock in seconds."""

    __slots__ = ("_dropped", "_head", "_monotonic", "_since", "_tail", "_timings", "looked_up", "nearby", "phase")

    def __init__(self, monotonic: Callable[[], float], phase: Phase = Phase.RESOLVE) -> None:
        self._monotonic = monotonic
        self._since = monotonic()
        self._timings: dict[Phase, float] = {}
        self._head: list[tuple[bool, str | bytes]] = []
        self._tail: deque[tuple[bool, str | bytes]] = deque(maxlen=_TAIL)
        self._dropped = 0
        self.phase = phase
        self.nearby: bool | None = None  # as in core.evidence.ChannelReport
        self.looked_up: bool | None = None

    def enter(self, phase: Phase) -> None:
        """A new step begins; the time since the last one belongs to the step before."""
        now = self._monotonic()
        self._timings[self.phase] = self._timings.get(self.phase, 0.0) + now - self._since
        self._since = now
        self.phase = phase

    def sent(self, text: str) -> None:
        """We sent *text*; the caller leaves secrets out of it."""
        self._keep(True, text)  # noqa: FBT003  # the pair's first half is named by the two methods

    def received(self, text: str | bytes) -> None:
        """The server sent *text*, verbatim."""
        self._keep(False, text)  # noqa: FBT003  # see above

    def _keep(self, sent: bool, text: str | bytes) -> None:  # noqa: FBT001  # see above
        if len(self._head) < _HEAD:
            self._head.append((sent, text[:_KEPT]))
            return
        self._dropped += len(self._tail) == _TAIL
        self._tail.append((sent, text[:_KEPT]))

    def timings_seconds(self) -> Mapping[Phase, float]:
        """Seconds spent in each step so far, the running one included."""
        self.enter(self.phase)
        return MappingProxyType({phase: round(seconds, 6) for phase, seconds in self._timings.items()})

    def conversation(self, redactor: Redactor) -> tuple[Line, ...]:
        """The lines, without secrets: at most 41 of 200 characters; says so where the middle was left out."""
        head = [_line(redactor, sent, text) for sent, text in self._head]
        gap = [Line(False, f"… {self._dropped} lines left out …")] if self._dropped else []  # noqa: FBT003  # see above
        return (*head, *gap, *(_line(redactor, sent, text) for sent, text in self._tail))


def _line(redactor: Redactor, sent: bool, text: str | bytes) -> Line:  # noqa: FBT001  # as in `_keep`
    return Line(sent, redactor.keep(text, _LINE_CHARACTERS, cut=len(text) >= _KEPT))
