"""[probing], [confirm], [verify], [backoff], [budget], [blocked]: how mailboxes are watched, and how carefully brought back.

The defaults are those of `core.policy.Policy`: one set of numbers, whether or not there is a file.
"""

from enum import StrEnum, unique
from typing import Annotated, Final

from pydantic import Field

from mailwatch.config.section import Count, Positive, Section, WatchLabels
from mailwatch.core.mailbox import Depth
from mailwatch.core.policy import Policy
from mailwatch.core.watching import WatchRules

_DEFAULTS: Final = Policy()
_WATCH: Final = WatchRules()
_CONFIRM, _VERIFY, _BUDGET = _DEFAULTS.confirm, _DEFAULTS.verify, _DEFAULTS.budget


@unique
class ProbeDepth(StrEnum):
    """How far scheduled probes go; `reach` is mailwatch's own choice for mailboxes whose logins are stopped."""

    LOGIN = Depth.LOGIN.value
    SUBMIT = Depth.SUBMIT.value


class Probing(Section):
    """How often and how far mailboxes are probed."""

    interval_seconds: float = Field(
        default=_DEFAULTS.interval_seconds,
        ge=1,
        le=86_400,
        description="How often a healthy mailbox is probed. Five minutes notice an outage before most campaigns "
        "do, and stay far below what providers call suspicious.",
    )
    timeout_seconds: float = Field(
        default=_DEFAULTS.timeout_seconds,
        ge=1,
        le=300,
        description="The whole of one probe, all protocols together. Servers that are well answer within 5 s; 30 "
        "s let a slow one pass.",
    )
    depth: Annotated[ProbeDepth, Field(strict=False)] = Field(
        default=ProbeDepth(_DEFAULTS.depth.value),
        description='"login" logs in over IMAP and SMTP; "submit" also offers a sender and a recipient and takes '
        "it back, which finds sending blocks before a campaign does.",
    )
    max_in_flight: int = Field(
        default=1000,
        ge=1,
        le=10_000,
        description="Probes at the same time on this node: enough that one large provider that hangs until the time-out "
        "leaves places for the others. Each holds one connection and some 100 KiB; keep it well below LimitNOFILE.",
    )
    watch: WatchLabels = Field(
        default=_WATCH.labels,
        description='Labels (key or key=value, or "*" for all) of mailboxes that are watched between probes too: the IMAP session '
        "of a healthy probe stays open in IDLE, and when it ends the mailbox is probed within seconds. No login is added by it.",
        examples=[["tier=gold"]],
    )
    watch_max: int = Field(
        default=_WATCH.most,
        ge=1,
        le=10_000,
        description="Open sessions of this node at the most; beyond them mailboxes are only probed, and a metric and the log tell. "
        "Each holds one connection and some 60 KiB.",
    )
    watch_renew_seconds: float = Field(
        default=_WATCH.renew_seconds,
        ge=1,
        le=1740,
        description="How long an open session may be silent before the server is asked whether it is still there. Some "
        "routers forget a silent connection after 300 s; a server may end it after 1800 s.",
    )


class Confirm(Section):
    """A first failure is looked at again before anything is called disconnected."""

    min_seconds: Positive = Field(default=_CONFIRM.min_seconds, description="The second look comes no sooner than this…")
    max_seconds: Positive = Field(
        default=_CONFIRM.max_seconds,
        description="…and no later: a moment between the two is drawn, so that those who failed together do not return together.",
    )
    secret_seconds: float = Field(
        default=_CONFIRM.secret_seconds,
        ge=60,
        description="The wait before the second look when the secret was refused. It spends a second login, so "
        "providers get a minute at least to end a hiccup.",
    )
    unknown_tries: Count = Field(
        default=_CONFIRM.unknown_tries, description="How often a failure that nobody can name is retried before a person is asked."
    )


class Verify(Section):
    """What proves that a mailbox is well again, before sending may go on."""

    successes: int = Field(default=_VERIFY.successes, ge=1, le=100, description="Clean probes in a row.")
    min_seconds: float = Field(
        default=_VERIFY.min_seconds,
        ge=0,
        description="The least time between the first and the last of them: a server that accepts one login and "
        "then drops is not well.",
    )
    spacing_seconds: Positive = Field(default=_VERIFY.spacing_seconds, description="Time between two of them.")


class Curve(Section):
    """Waits between attempts: first, first x factor, … up to max, with chance on top."""

    first_seconds: Positive
    max_seconds: Positive
    factor: float = Field(default=2.0, ge=1, le=10, description="What each wait is multiplied by to get the next.")
    jitter_ratio: float = Field(
        default=0.25,
        ge=0,
        le=1,
        description="Up to this share of the wait is added by chance, never taken off, so that a provider's "
        "return is not met by all at once.",
    )


class TransientCurve(Curve):
    """Network and server failures, which mostly pass by themselves."""

    first_seconds: Positive = Field(
        default=_DEFAULTS.transient.first_seconds, description="The wait before the first reconnection."
    )
    max_seconds: Positive = Field(
        default=_DEFAULTS.transient.max_seconds,
        description="No wait is longer: a mailbox is back within a quarter of an hour of its server.",
    )


class ThrottledCurve(Curve):
    """Limits of the provider: trying sooner makes them last longer. A time the server names is kept to, if longer."""

    first_seconds: Positive = Field(
        default=_DEFAULTS.throttled.first_seconds, description="The wait before the first try after a limit was hit."
    )
    max_seconds: Positive = Field(
        default=_DEFAULTS.throttled.max_seconds, description="No wait is longer, unless the server names a longer one."
    )


class Backoff(Section):
    """How long to wait between attempts to bring a mailbox back."""

    transient: TransientCurve = TransientCurve()
    throttled: ThrottledCurve = ThrottledCurve()
    survival_seconds: Positive = Field(
        default=_DEFAULTS.survival_seconds,
        description="The waits start from their beginning only after a mailbox stayed connected this long; one "
        "accepted login proves nothing.",
    )


class Budget(Section):
    """How many refused logins mailwatch may cause, so that no account gets locked and our address is not banned."""

    rejected_logins: int = Field(
        default=_BUDGET.rejected_logins,
        ge=1,
        le=5,
        description="Refused automatic logins per secret and window, over both protocols, all nodes and "
        "restarts. Common lock-outs begin at 3 to 10.",
    )
    window_seconds: float = Field(default=_BUDGET.window_seconds, ge=3600, description="The window of the above: a day.")
    host_rejected_logins: int = Field(
        default=_BUDGET.host_rejected_logins,
        ge=1,
        le=100,
        description="Refused logins per host and window, all mailboxes together. Servers that ban addresses "
        "often do so at 5 within 10 minutes.",
    )
    host_window_seconds: float = Field(
        default=_BUDGET.host_window_seconds, ge=60, description="The window of the above: ten minutes."
    )


class Blocked(Section):
    """Mailboxes that wait for a person."""

    recheck_seconds: float = Field(
        default=_DEFAULTS.recheck_seconds,
        ge=60,
        description="How often such a mailbox is looked at up to where it failed, without ever logging in: an "
        "expired certificate, say, may have been renewed.",
    )
