"""What a scope shows by itself: its rate of disconnections, learnt from the quiet times and forgotten slowly."""

import math
from dataclasses import dataclass, replace
from typing import Final

_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """Disconnections of a scope outside incidents, over the mailbox-seconds it was watched; both fade with age."""

    events: float = 0.0
    exposure_seconds: float = 0.0


#: Before anything is known: a mailbox disconnects once in twenty days, and that is worth ten mailbox-days of watching.
PRIOR: Final = Baseline(0.5, 10 * _DAY)
#: What is two weeks old counts half.
HALF_LIFE_SECONDS: Final = 14 * _DAY


def learn(known: Baseline, *, events: int, mailboxes: int, seconds: float) -> Baseline:
    """*known* after another *seconds* of watching *mailboxes*, in which *events* disconnected outside any incident."""
    kept = 0.5 ** (seconds / HALF_LIFE_SECONDS)
    return replace(known, events=known.events * kept + events, exposure_seconds=known.exposure_seconds * kept + mailboxes * seconds)


def expected_share(known: Baseline, window_seconds: float, prior: Baseline = PRIOR) -> float:
    """Which share of a scope's mailboxes disconnects by itself in a window of so many seconds.

    The prior keeps a scope that was never seen failing from being alarmed by its first failures.
    """
    rate = (known.events + prior.events) / (known.exposure_seconds + prior.exposure_seconds)
    return 1.0 - math.exp(-rate * window_seconds)
