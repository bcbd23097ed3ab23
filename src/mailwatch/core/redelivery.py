"""When a delivery that failed is tried again, and what a receiver's answer means (Standard Webhooks 1.0, "Deliverability").

Pure: the moment and chance are arguments; the result is persisted as the delivery's `due_at`, never slept.
"""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum, unique
from typing import Final

#: The wait before each try, in seconds: the first comes at once, the last some three days later.
SCHEDULE_SECONDS: Final = (0.0, 5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
_SUCCESS: Final = 2  # the class of 2xx
_GONE: Final = 410
#: Receivers that failed together are not tried together.
JITTER_RATIO: Final = 0.1
#: A receiver may ask for a longer wait, but not to be forgotten.
LONGEST_HINT_SECONDS: Final = 86_400.0
#: After so many failures in a row a receiver is given a rest, so that a crowd of events does not spend its tries on a dead one.
FAILURES_BEFORE_REST: Final = 5
LONGEST_REST_SECONDS: Final = 60.0


@unique
class Verdict(StrEnum):
    """What an answer means for the delivery."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GONE = "gone"  #: 410: the receiver wants nothing more


def verdict_of(status: int) -> Verdict:
    """What the HTTP *status* of a receiver means: only 2xx is a success, and a redirect is a failure like any other."""
    if status // 100 == _SUCCESS:
        return Verdict.DELIVERED
    return Verdict.GONE if status == _GONE else Verdict.FAILED


def retry_at(tries: int, now: datetime, rng: random.Random, *, hint_seconds: float | None = None) -> datetime | None:
    """When to try again after *tries* failed tries; None: no more.  *hint_seconds* is what the receiver asked for."""
    if tries >= len(SCHEDULE_SECONDS):
        return None
    wait = max(SCHEDULE_SECONDS[max(0, tries)], min(hint_seconds or 0.0, LONGEST_HINT_SECONDS))
    return now + timedelta(seconds=wait * (1 + JITTER_RATIO * rng.random()))


def hint_seconds(retry_after: str | None, now: datetime) -> float | None:
    """What a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date); None when it says nothing that can be read."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])  # more digits would only overflow
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:  # `-0000`: UTC, the place unknown
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def rest_seconds(failures: int) -> float:
    """How long a receiver is left alone after *failures* in a row: nothing at first, then longer and longer."""
    if failures < FAILURES_BEFORE_REST:
        return 0.0
    exponent = min(failures - FAILURES_BEFORE_REST, 6)
    return min(LONGEST_REST_SECONDS, 2.0**exponent)
