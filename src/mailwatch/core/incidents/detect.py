"""Which scopes fail: a likelihood-ratio test of each scope's failures against its own baseline, and the fewest scopes that explain
them all.

A scope is suspicious when its share of fresh failures is far above what it shows by itself in such a window, and too many to be
chance.  An outage makes many scopes suspicious at once: the provider, each of its hosts, each of their domains.  They are explained
greedily: the scope with the highest likelihood ratio first - it covers the most failures with the least healthy mailboxes among
them - then what is left, until nothing is suspicious any more.  Where the best explanation is a place of which too small a part
fails to speak of an incident (yet), its domains are not blamed instead: only one that fails far more than the place does.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    min_share: float = 0.05  #: of the mailboxes looked at in the window …
    min_refused_share: float = 0.08  #: the same where secrets are refused: below, so many owners may have changed theirs
    many_failures: int = 100  #: … but no share is too small for so many at once: there the baseline alone decides
    min_ratio: float = 5.0  #: times the scope's own baseline
    score: float = 20.0  #: log likelihood ratio; noise alone stays below 17 in months of looks (benchmarks/incidents.py)
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
    observed: Mapping[Scope, int]  #: mailboxes that may have failed in the window, by scope, failed ones included; EGRESS: all
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
    slight: set[Scope] = set()
    while left:
        best = _strongest(left, look, explained, slight, policy)
        if best is None:
            break
        if _is_slight(best, policy):
            slight.add(best.scope)
            look = _as_usual(look, best, left)
            continue
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


def _strongest(
    left: Sequence[Group], look: Look, explained: Mapping[Scope, int], slight: Collection[Scope], policy: DetectPolicy
) -> Finding | None:
    tallies: dict[Scope, Counter[Cause]] = defaultdict(Counter)
    for group in left:
        for scope in group.traits.scopes():
            tallies[scope][group.cause] += group.count
    candidates = (
        _judge(scope, causes, look, explained.get(scope, 0), policy) for scope, causes in tallies.items() if scope not in slight
    )
    suspicious = [finding for finding in candidates if finding is not None]
    if not suspicious:
        return None
    return max(suspicious, key=lambda each: (each.score, _is_named(each), _BREADTH[each.scope.kind], each.scope.name))


def _is_named(finding: Finding) -> bool:
    """Whether the cause itself says what is broken: a dead secret is its application's, also where that serves a whole provider."""
    return finding.cause is Cause.OAUTH_MISCONFIGURED and finding.scope.kind is ScopeKind.OAUTH_APP


def _judge(scope: Scope, causes: Counter[Cause], look: Look, explained: int, policy: DetectPolicy) -> Finding | None:
    failed = causes.total()
    observed = max(look.observed.get(scope, 0) - explained, failed)
    expected = _baseline(scope, look)
    if failed < policy.min_failures or failed / observed < policy.min_ratio * expected:
        return None
    score = log_likelihood_ratio(failed, observed, expected)
    return Finding(scope, failed, observed, score, dict(causes)) if score >= policy.score else None


def _is_slight(finding: Finding, policy: DetectPolicy) -> bool:
    """Whether so small a part of the place fails that it is no incident, though more than chance."""
    refused = sum(count for cause, count in finding.causes.items() if cause in SECRET_REFUSALS)
    least = max(policy.min_share, policy.min_refused_share) if 2 * refused > finding.failed else policy.min_share
    return finding.share < least and finding.failed < policy.many_failures


def _as_usual(look: Look, finding: Finding, left: Sequence[Group]) -> Look:
    """*look*, where failing as much as *finding* does is usual for what shares its mailboxes."""
    inside = {scope for group in left if finding.scope in group.traits.scopes() for scope in group.traits.scopes()}
    return replace(look, expected={**look.expected, **{scope: max(_baseline(scope, look), finding.share) for scope in inside}})


def _baseline(scope: Scope, look: Look) -> float:
    return min(max(look.expected.get(scope, look.usual), 1e-6), 0.5)


def _egress(left: Sequence[Group], look: Look, policy: DetectPolicy) -> Finding | None:
    """Whether it is us: network failures at several providers, and no provider with enough mailboxes is well meanwhile."""
    network = [group for group in left if group.cause in NETWORK_CAUSES]
    causes: Counter[Cause] = Counter()
    by_provider: Counter[Scope] = Counter()
    for group in network:
        causes[group.cause] += group.count
        by_provider[group.traits.root] += group.count
    whole = _judge(EGRESS, causes, look, 0, policy) if network else None
    if whole is None or _is_slight(whole, policy) or len(by_provider) < policy.egress_providers:
        return None
    for scope, observed in look.observed.items():
        if scope.kind is ScopeKind.PROVIDER and observed >= policy.min_failures and by_provider[scope] < whole.share * observed / 2:
            return None
    return whole
