"""From counts by traits to what detection and life look at: shares by scope, signs of open incidents, which scope lies in which."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from mailwatch.core.incidents.life import Signs
from mailwatch.core.incidents.scopes import EGRESS, Scope, Traits

#: A scope lies within another that holds this share of its mailboxes.
_WITHIN: Final = 0.9


def by_scope(counted: Iterable[tuple[Traits, int]]) -> Mapping[Scope, int]:
    """Mailboxes by scope; all of them under EGRESS."""
    totals: Counter[Scope] = Counter()
    for traits, count in counted:
        totals[EGRESS] += count
        for scope in traits.scopes():
            totals[scope] += count
    return totals


def holders(counted: Sequence[tuple[Traits, int]]) -> Mapping[Scope, tuple[Scope, ...]]:
    """For each scope the others that hold (nearly) all of its mailboxes: a provider's host lies within the provider."""
    totals = by_scope(counted)
    shared: dict[Scope, Counter[Scope]] = defaultdict(Counter)
    for traits, count in counted:
        scopes = tuple(traits.scopes())
        for scope in scopes:
            for other in scopes:
                if other != scope:
                    shared[scope][other] += count
    return {
        scope: tuple(other for other, count in others.items() if count >= _WITHIN * totals[scope])
        for scope, others in shared.items()
    }


def signs_of(
    scope: Scope,
    *,
    fresh: Iterable[tuple[Traits, int, datetime]],
    failing: Iterable[tuple[Traits, int, int]],
    recovered: Iterable[tuple[Traits, int]],
    now: datetime,
) -> Signs:
    """What *scope* showed lately.

    *fresh*: (traits, how many failed lately, when last); *failing*: (traits, how many are away, how many of those were looked at in
    vain lately); *recovered*: (traits, how many came back lately).
    """
    new = [(count, last_at) for traits, count, last_at in fresh if _holds(scope, traits) and count]
    away = [(count, lately) for traits, count, lately in failing if _holds(scope, traits)]
    in_vain = sum(lately for _, lately in away)
    newest = max((last_at for _, last_at in new), default=None)
    return Signs(
        fresh=sum(count for count, _ in new),
        failures=max(in_vain, sum(count for count, _ in new)),
        recovered=sum(count for traits, count in recovered if _holds(scope, traits)),
        still_failing=sum(count for count, _ in away),
        last_failure_at=now if in_vain else newest,
    )


def _holds(scope: Scope, traits: Traits) -> bool:
    return scope == EGRESS or scope in traits.scopes()
