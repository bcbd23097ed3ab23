"""The scripts that come with the simulation: `calm` does nothing, `demo` is for the stage, `weather` is trouble at random."""

import random
from collections.abc import Mapping
from typing import Any, Final

from mailwatch.sim.faults import FaultKind as F
from mailwatch.sim.script import ActionKind as A
from mailwatch.sim.script import Script, Step

CALM: Final = Script()

#: The opening of the demonstration, in its order: each kind of trouble once, none hiding another.
OPENING: Final = Script.of(
    (
        Step(2, F.DROP_ON_ACCEPT, "google", duration_seconds=20, share=0.06),
        Step(7, F.OUTAGE, "hoster-a", duration_seconds=14),
        Step(10, A.CHANGE_PASSWORD, "hoster-b", count=2),
        Step(12, F.COMMANDS_THROTTLED, "microsoft365", duration_seconds=12, count=4, seconds=9),
        Step(14, A.REVOKE_GRANT, "google", count=2),
        Step(18, F.SMTP_AUTH_DISABLED, "microsoft365", duration_seconds=22, domain="oakline-homes.example"),
        Step(21, A.EXPIRE_TOKENS, "microsoft365", count=5),
        Step(24, F.MAINTENANCE, "yahoo", duration_seconds=9),
        Step(27, F.QUOTA_FULL, "hoster-b", duration_seconds=15, count=1),
        Step(30, F.CONNECTION_LIMIT, "google", duration_seconds=10, count=3),
        Step(34, F.APP_PASSWORD_REQUIRED, "yahoo", count=1),
        Step(40, F.TEMPORARY_AUTH_FAILURE, "hoster-a", duration_seconds=8, share=0.3),
    )
)

#: Trouble that passes by itself, for the time after the opening.
_PASSING: Final[tuple[tuple[F, Mapping[str, Any]], ...]] = (
    (F.OUTAGE, {}),
    (F.MAINTENANCE, {}),
    (F.OVERLOADED, {"share": 0.5}),
    (F.DROP_ON_ACCEPT, {"share": 0.2}),
    (F.RESET, {"share": 0.2}),
    (F.DROP_AFTER_LOGIN, {"share": 0.15}),
    (F.MUTE, {"share": 0.05}),
    (F.LOGIN_THROTTLED, {"share": 0.1}),
    (F.COMMANDS_THROTTLED, {"share": 0.1, "seconds": 10.0}),
    (F.CONNECTION_LIMIT, {"share": 0.1}),
    (F.TEMPORARY_AUTH_FAILURE, {"share": 0.3}),
    (F.SENDING_LIMIT, {"count": 2}),
    (F.TOKEN_ERROR, {}),
    (F.TOKEN_THROTTLED, {"seconds": 5.0}),
)
#: Trouble that only a person heals.
_LASTING: Final = (A.CHANGE_PASSWORD, A.CHANGE_PASSWORD, A.REVOKE_GRANT)


def weather(
    seed: int, providers: tuple[str, ...], *, start_seconds: float, until_seconds: float, every_seconds: float = 12.0
) -> Script:
    """Random troubles, the same for the same seed; about one in five needs a person."""
    rng = random.Random(f"{seed}:weather")  # noqa: S311  # repeatable; guards nothing real
    steps: list[Step] = []
    at = start_seconds
    while at < until_seconds:
        provider = rng.choice(providers)
        if rng.random() < 0.2:  # noqa: PLR2004  # one in five
            kind = rng.choice(_LASTING)
            steps.append(Step(at, kind, provider, count=1))
        else:
            fault, how = rng.choice(_PASSING)
            steps.append(Step(at, fault, provider, duration_seconds=rng.uniform(5, 15), **how))
        at += rng.uniform(0.5, 1.5) * every_seconds
    return Script.of(steps)


def demo(seed: int, providers: tuple[str, ...], *, until_seconds: float = 3600.0) -> Script:
    """The opening, then weather."""
    later = weather(seed, providers, start_seconds=70.0, until_seconds=until_seconds, every_seconds=18.0)
    return Script.of(step for step in (*OPENING.steps, *later.steps) if step.provider in providers)
