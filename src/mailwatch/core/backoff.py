"""How long to wait before attempt n.  One backoff, one file.

tenacity's wait strategy gives the curve, evaluated as a pure function of the attempt number; the result is persisted as
`due_at`, never slept.  Chance comes in as `rng`.
"""

import random
from datetime import timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

from tenacity import wait_exponential

from mailwatch.core.policy import BackoffPolicy

if TYPE_CHECKING:
    from tenacity import RetryCallState

#: 2 ** 64 s is beyond every cap; a larger exponent only costs big integers.
_MAX_ATTEMPT: Final = 64


@lru_cache(maxsize=64)
def _curve(policy: BackoffPolicy) -> wait_exponential:
    return wait_exponential(multiplier=policy.first_seconds, max=policy.max_seconds, exp_base=policy.factor)


def floor_seconds(policy: BackoffPolicy, attempt: int) -> float:
    """The wait before *attempt* (1 is the first) without jitter; grows with the attempt, never above `max_seconds`."""
    state = SimpleNamespace(attempt_number=max(1, min(attempt, _MAX_ATTEMPT)))
    return float(_curve(policy)(cast("RetryCallState", state)))


def delay(policy: BackoffPolicy, attempt: int, rng: random.Random, *, hint_seconds: float | None = None) -> timedelta:
    """The wait before *attempt*: the curve or the server's own hint, whichever is longer, and jitter on top."""
    floor = max(floor_seconds(policy, attempt), hint_seconds or 0.0)
    return timedelta(seconds=floor * (1 + policy.jitter_ratio * rng.random()))


def spread(low_seconds: float, high_seconds: float, rng: random.Random) -> timedelta:
    """A moment anywhere between *low* and *high*, so that those who failed together do not come back together."""
    return timedelta(seconds=low_seconds + (high_seconds - low_seconds) * rng.random())
