"""Which scopes fail: a likelihood-ratio test of each scope's failures against its own baseline, and the fewest scopes that explain
them all.

A scope is suspicious when its share of fresh failures is far above what it shows by itself in such a window, and too many to be
chance.  An outage makes many scopes suspicious at once: the provider, each of its hosts, each of their domains.  They are explained
greedily: the scope with the highest likelihood ratio first - it covers the most failures with the least healthy mailboxes among
them - then what is left, until nothing is suspicious any more.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from mailwatch.core.causes import NETWORK_CAUSES, SECRET_REFUSALS, Cause
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind, Traits

#: At equal evidence the broader name tells more.
_BREADTH: Final = {kind: -rank for rank, kind in enumerate(ScopeKind)}


@dataclass(frozen=True, slots=True)
class DetectPolicy:
    """When failures are too many to be chance."""

    min_failures: int = 5  #: fewer are never an incident
    min_share: float = 0.05  #: of the mailboxes looked at in the window
    min_refused_share: float = 0.08  #: the same where secrets are refused: below, so many owners may have changed theirs
    min_ratio: float = 5.0  #: times the scope's own baseline
    score: float = 30.0  #: log likelihood ratio; e^-30 leaves no false alarm in years of looks at thousands of scopes
    egress_providers: int = 3  #: so many unrelated providers must fail together, and no other be well


@dataclass(frozen=True, slots=True)
class Group:
    """Mailboxes of the same traits that failed freshly for the same cause."""

    traits: Traits
    cause: Cause
    count: int


@dataclass(frozen=True, slots=True)
class Look:
    """What one evaluation sees: the fresh failures of a window, and what was looked at in it."""

    failed: Sequence[Group]
    observed: Mapping[Scope, int]  #: mailboxes looked at in the window, by scope, failed ones included; EGRESS: all
    expected: Mapping[Scope, float] = field(default_factory=lambda: MappingProxyType({}))  #: baseline share of failures a window
    usual: float = 0.001  #: where a scope has no baseline of its own


@dataclass(frozen=True, slots=True)
class Finding:
    """A scope that fails."""

    scope: Scope
    failed: int
    observed: int
    score: float
    causes: Mapping[Cause, int]

    @property
    def share(self) -> float:
        """How much of what was looked at failed."""
        return self.failed / self.observed if self.observed else 0.0

    @property
    def cause(self) -> Cause:
        """What most of it failed with, as an incident's cause.

        Many passwords wrong at once at one place are not many wrong passwords: the place refuses us (a rate, a ban, a fault), and
        no credential is to blame.  A tenant that turned passwords off says so, and is believed.
        """
        cause = max(self.causes, key=lambda each: (self.causes[each], each))
        if cause is Cause.INVALID_CREDENTIALS and self.scope.kind is not ScopeKind.OAUTH_APP:
            return Cause.RATE_LIMITED
        return cause


def detect(look: Look, policy: DetectPolicy = DetectPolicy()) -> list[Finding]:
    """The fewest scopes that explain the fresh failures, the strongest first."""
    left = [group for group in look.failed if group.count > 0]
    explained: Counter[Scope] = Counter()
    found: list[Finding] = []
    whole = _egress(left, look, policy)
    if whole is not None:
        return [whole]
    while left:
        best = _strongest(left, look, explained, policy)
        if best is None:
            break
        found.append(best)
        for group in left:
            if best.scope in group.traits.scopes():
                for scope in group.traits.scopes():
                    explained[scope] += group.count
        left = [group for group in left if best.scope not in group.traits.scopes()]
    return found


def log_likelihood_ratio(failed: int, observed: int, expected: float) -> float:
    """How much likelier *failed* of *observed* are under their own share than under the baseline share *expected*; 0 below it."""
    if failed <= 0 or observed <= 0 or failed / observed <= expected:
        return 0.0
    share = failed / observed
    score = failed * math.log(share / expected)
    if failed < observed:
        score += (observed - failed) * math.log((1 - share) / (1 - expected))
    return score


def _strongest(left: Sequence[Group], look: Look, explained: Mapping[Scope, int], policy: DetectPolicy) -> Finding | None:
    tallies: dict[Scope, Counter[Cause]] = defaultdict(Counter)
    for group in left:
        for scope in group.traits.scopes():
            tallies[scope][group.cause] += group.count
    candidates = (_judge(scope, causes, look, explained.get(scope, 0), policy) for scope, causes in tallies.items())
    suspicious = [finding for finding in candidates if finding is not None]
    if not suspicious:
        return None
    return max(suspicious, key=lambda each: (each.score, _BREADTH[each.scope.kind], each.scope.name))


def _judge(scope: Scope, causes: Counter[Cause], look: Look, explained: int, policy: DetectPolicy) -> Finding | None:
    failed = causes.total()
    observed = max(look.observed.get(scope, 0) - explained, failed)
    expected = _baseline(scope, look)
    share = failed / observed
    refused = sum(count for cause, count in causes.items() if cause in SECRET_REFUSALS)
    least = max(policy.min_share, policy.min_refused_share) if 2 * refused > failed else policy.min_share
    if failed < policy.min_failures or share < least or share < policy.min_ratio * expected:
        return None
    score = log_likelihood_ratio(failed, observed, expected)
    return Finding(scope, failed, observed, score, dict(causes)) if score >= policy.score else None


def _baseline(scope: Scope, look: Look) -> float:
    return min(max(look.expected.get(scope, look.usual), 1e-6), 0.5)


def _egress(left: Sequence[Group], look: Look, policy: DetectPolicy) -> Finding | None:
    """Whether it is us: network failures at several providers, and no provider with enough mailboxes is well meanwhile."""
    network = [group for group in left if group.cause in NETWORK_CAUSES]
    causes: Counter[Cause] = Counter()
    by_provider: Counter[Scope] = Counter()
    for group in network:
        causes[group.cause] += group.count
        by_provider[_root(group.traits)] += group.count
    whole = _judge(EGRESS, causes, look, 0, policy) if network else None
    if whole is None or len(by_provider) < policy.egress_providers:
        return None
    for scope, observed in look.observed.items():
        if scope.kind is ScopeKind.PROVIDER and observed >= policy.min_failures and by_provider[scope] < whole.share * observed / 2:
            return None
    return whole


def _root(traits: Traits) -> Scope:
    """The broadest place of a mailbox: its provider, or its host where the provider is none."""
    return next(iter(traits.scopes()))
