"""From counts by traits to what detection and life look at: shares by scope, signs of open incidents, which scope lies in which."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.belonging import LEAD, stops_with
from mailwatch.core.incidents.life import Incident, Signs
from mailwatch.core.incidents.scopes import EGRESS, Scope, Traits

#: A scope lies within another that holds this share of its mailboxes.
_WITHIN: Final = 0.9
#: A failure weighs as much as so many that came back.
_WEIGHT: Final = 4


@dataclass(frozen=True, slots=True)
class FreshFailures:
    """Mailboxes of the same traits that left `connected` within the window, by the cause first seen."""

    traits: Traits
    cause: Cause
    count: int
    lately: int  #: of those, within the last minute or two
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Failing:
    """Mailboxes of the same traits that are away now for the same cause."""

    traits: Traits
    count: int
    lately: int  #: of those, looked at in vain within the last minute or two; no look without a login counts
    cause: Cause | None = None  #: they are away for
    blocked: bool = False  #: they wait for a person, or for the end of an incident
    after: datetime | None = None  #: the latest of the moments asked for that they failed at or after; None: before all of them


@dataclass(frozen=True, slots=True)
class Recovered:
    """Mailboxes of the same traits that worked again within the last minute or two."""

    traits: Traits
    count: int
    after: datetime | None = None  #: the latest of the moments asked for that they had failed at or after; None: before all
    confirmed: bool = True  #: their disconnection was confirmed, not merely suspected


@dataclass(frozen=True, slots=True)
class Recent:
    """What one evaluation reads."""

    fresh: Sequence[FreshFailures] = ()
    failing: Sequence[Failing] = ()
    recovered: Sequence[Recovered] = ()


def begins(incidents: Iterable[Incident]) -> frozenset[datetime]:
    """From when on a failure is of each of the *incidents*: the moments to ask for."""
    return frozenset(each.opened_at - LEAD for each in incidents)


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


def signs_of(incident: Incident, recent: Recent, now: datetime, *, usual_fresh: float = 0.0, usual_away: float = 0.0) -> Signs:
    """What the scope of *incident* showed lately, of the mailboxes that are away with it (core.incidents.belonging).

    What was away long before says nothing of it, whether it goes on failing or comes back; nor does one that waits for its owner.
    """
    scope = incident.scope
    new = [each for each in recent.fresh if _holds(scope, each.traits) and each.lately]
    away = [each for each in recent.failing if _holds(scope, each.traits) and is_of(incident, each)]
    in_vain = sum(each.lately for each in away)
    newly = sum(each.lately for each in new)
    still = sum(each.count for each in away)
    # who was merely suspected proves nothing where nearly all wait for the incident's end without a look of their own
    stopped = 2 * sum(each.count for each in away if each.blocked) > still
    back = [each for each in recent.recovered if _holds(scope, each.traits) and _since(incident, each.after)]
    return Signs(
        fresh=newly,
        failures=max(in_vain, newly),
        recovered=sum(each.count for each in back if each.confirmed or not stopped),
        still_failing=still,
        last_failure_at=now if in_vain else max((each.last_at for each in new), default=None),
        usual_fresh=usual_fresh,
        usual_away=usual_away,
    )


def signs_of_uplink(
    incident: Incident, recent: Recent, now: datetime, *, usual_fresh: float = 0.0, usual_away: float = 0.0
) -> Signs:
    """What an incident of our own uplink shows: one place that is well again acquits it, however many others still fail."""
    whole = signs_of(incident, recent, now, usual_fresh=usual_fresh, usual_away=usual_away)
    places = {each.traits.root for each in recent.recovered}
    of_places = [signs_of(replace(incident, scope=place), recent, now) for place in places]
    best = max(of_places, key=lambda signs: signs.recovered - _WEIGHT * signs.failures, default=None)
    if best is None or best.recovered <= _WEIGHT * best.failures:
        return whole
    return replace(whole, failures=best.failures, recovered=best.recovered, usual_fresh=0.0)


def is_of(incident: Incident, failing: Failing) -> bool:
    """core.incidents.belonging.belongs, of all these mailboxes at once."""
    if failing.blocked and failing.cause not in stops_with(incident):
        return False
    return _since(incident, failing.after)


def _since(incident: Incident, after: datetime | None) -> bool:
    return after is not None and after >= incident.opened_at - LEAD


def _holds(scope: Scope, traits: Traits) -> bool:
    return scope == EGRESS or scope in traits.scopes()
