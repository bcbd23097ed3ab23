"""How patient, how careful: the numbers behind every decision, as frozen values.

`config.policy` builds them from the TOML file; the demo and the tests build their own.  All durations are seconds.
"""

from dataclasses import dataclass, field

from mailwatch.core.mailbox import Depth


@dataclass(frozen=True, slots=True)
class BackoffPolicy:
    """How long to wait before attempt n: first, first x factor, … up to max, plus up to `jitter_ratio` of it on top.

    The jitter is added above the floor and never taken off: taking it off would shorten the cap and raise the load.
    """

    first_seconds: float
    max_seconds: float
    factor: float = 2.0
    jitter_ratio: float = 0.25


@dataclass(frozen=True, slots=True)
class ConfirmPolicy:
    """How soon a first failure is looked at again."""

    min_seconds: float = 15.0
    max_seconds: float = 45.0
    secret_seconds: float = 90.0  #: for a refused secret; spends a second login
    unknown_tries: int = 4  #: sightings of `unknown` before a person is asked


@dataclass(frozen=True, slots=True)
class VerifyPolicy:
    """What proves that a mailbox is well again."""

    successes: int = 3  #: clean probes in a row, the one that reached it included
    min_seconds: float = 120.0  #: between the first and the last of them
    spacing_seconds: float = 45.0


@dataclass(frozen=True, slots=True)
class BudgetPolicy:
    """How many refused logins a secret and a host may see."""

    rejected_logins: int = 2
    window_seconds: float = 86_400.0
    host_rejected_logins: int = 3
    host_window_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class FlapPolicy:
    """When a mailbox that comes and goes is one long episode."""

    episodes: int = 3  #: disconnections, or returns that did not last, …
    window_seconds: float = 10_800.0  #: … within this time
    calm_seconds: float = 1800.0  #: then it must work so long without a failure before its campaigns go on


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything `decide` needs to know beside the standing and the report."""

    interval_seconds: float = 300.0
    timeout_seconds: float = 30.0
    depth: Depth = Depth.LOGIN
    confirm: ConfirmPolicy = field(default_factory=ConfirmPolicy)
    transient: BackoffPolicy = field(default_factory=lambda: BackoffPolicy(30.0, 900.0))
    throttled: BackoffPolicy = field(default_factory=lambda: BackoffPolicy(900.0, 14_400.0))
    verify: VerifyPolicy = field(default_factory=VerifyPolicy)
    budget: BudgetPolicy = field(default_factory=BudgetPolicy)
    flap: FlapPolicy = field(default_factory=FlapPolicy)
    survival_seconds: float = 900.0  #: time connected after which the backoff starts from its beginning again
    recheck_seconds: float = 1800.0  #: how often a blocked mailbox is looked at without a login
    egress_retry_seconds: float = 30.0  #: when to look again after a result that our own network spoiled
    max_hint_seconds: float = 86_400.0  #: a server's "try again in …" is believed up to here
