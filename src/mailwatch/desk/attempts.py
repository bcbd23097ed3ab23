"""How often something may be tried: a rate for each key, in memory (GCRA: one number a key, no window that resets for all)."""

from typing import Final

from mailwatch.ports import Clock

#: Keys remembered; beyond it those that are idle are forgotten.
_MOST_KEYS: Final = 20_000


class Rate:
    """So many a minute for each key, with a burst after a quiet time."""

    def __init__(self, per_minute: float, *, burst: int, clock: Clock) -> None:
        self._step = 60.0 / per_minute
        self._burst = burst
        self._clock = clock
        self._theoretical: dict[str, float] = {}

    def take(self, key: str) -> float:
        """0 when it may be done now, and it counts; else how many seconds to wait, and nothing is counted."""
        now = self._clock.monotonic()
        due = max(self._theoretical.get(key, now), now) + self._step
        wait = due - now - self._burst * self._step
        if wait > 1e-9:  # noqa: PLR2004  # what floating point leaves over
            return wait
        if len(self._theoretical) >= _MOST_KEYS:
            self._tidy(now)
        self._theoretical[key] = due
        return 0.0

    def give_back(self, key: str) -> None:
        """What was taken last counts no more."""
        if key in self._theoretical:
            self._theoretical[key] -= self._step

    def _tidy(self, now: float) -> None:
        """Forget the idle; when none is, forget all: a flood of keys must not grow for ever."""
        self._theoretical = {key: at for key, at in self._theoretical.items() if at > now}
        if len(self._theoretical) >= _MOST_KEYS:
            self._theoretical.clear()
