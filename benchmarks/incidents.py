"""How well outages are found: simulated fleets with planted outages over background noise, through `core.incidents`.

usage: python benchmarks/incidents.py [DAYS] [MAILBOXES]      (30 days of 20,000 mailboxes by default)

The fleet is as fleets are: some mailboxes have been blocked or retried in vain for months, owners take days to renew a password,
and failures follow the hours of the day.  What an incident's scope shows is what `core.incidents.picture` makes of it.

Prints the share of planted outages that were found, the minutes to open and to close, incidents that outlive their outage, false
incidents, and what a one-hour outage of 100,000 mailboxes costs in looks with the circuit.
"""

import heapq
import math
import random
import statistics
import sys
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mailwatch.core.causes import Cause, Disposition, profile_of
from mailwatch.core.incidents.baseline import Baseline, expected_share, learn
from mailwatch.core.incidents.belonging import LEAD
from mailwatch.core.incidents.circuit import Circuit, CircuitState
from mailwatch.core.incidents.detect import Group, Look, detect
from mailwatch.core.incidents.life import Change, Incident, LifePolicy, Signs, advance
from mailwatch.core.incidents.picture import Failing, FreshFailures, Recent, Recovered, by_scope, signs_of
from mailwatch.core.incidents.scopes import EGRESS, Scope, Traits

START = datetime(2026, 1, 1, tzinfo=UTC)
INTERVAL = 300.0
STEP = 15.0  # between two evaluations
LATELY = 120.0
DAY = 86_400.0
RETRY = 600.0  # what is down is tried again every ten minutes or so
OWNER = 3 * DAY  # what an owner takes to renew a password, on the average
CHRONIC = {Cause.OAUTH_GRANT_REVOKED: 0.03, Cause.CONNECTION_REFUSED: 0.01}  # blocked, and retried in vain, for months
NOISE = (
    *[Cause.CONNECTION_TIMEOUT] * 4,
    *[Cause.SERVER_UNAVAILABLE] * 4,
    *[Cause.RATE_LIMITED] * 2,
    *[Cause.INVALID_CREDENTIALS] * 4,
    *[Cause.OAUTH_GRANT_REVOKED] * 3,
)
OUTAGE_CAUSES = (Cause.CONNECTION_REFUSED, Cause.CONNECTION_TIMEOUT, Cause.SERVER_UNAVAILABLE, Cause.INVALID_CREDENTIALS)


@dataclass
class Planted:
    """One outage that is really there."""

    scope: Scope
    share: float
    begins: float
    ends: float
    cause: Cause
    size: int  #: mailboxes of the scope that are well when it begins
    opened: float | None = None
    closed: float | None = None


@dataclass
class Fleet:
    """Mailboxes with their traits and the phase of their rhythm."""

    traits: list[Traits] = field(default_factory=list)
    phases: list[float] = field(default_factory=list)
    members: dict[Scope, list[int]] = field(default_factory=lambda: defaultdict(list))
    chronic: dict[int, Cause] = field(default_factory=dict)


def build(count: int, rng: random.Random) -> Fleet:
    """A fleet as platforms have them: two giants, a few large providers, many small hosts; domains of a few to hundreds."""
    fleet = Fleet()
    while len(fleet.traits) < count:
        kind = rng.random()
        domain = f"d{len(fleet.members)}.test"
        size = min(500, int(rng.paretovariate(0.9) * 4))
        if kind < 0.5:
            traits = Traits("google", ("imap.gmail.com", "smtp.gmail.com"), domain, f"google-app-{rng.randrange(3)}")
        elif kind < 0.8:
            traits = Traits("microsoft", ("outlook.office365.com", "smtp.office365.com"), domain, f"ms-app-{rng.randrange(3)}")
        elif kind < 0.92:
            name = rng.choice(("yahoo", "zoho", "ionos", "ovh"))
            host = f"mx{rng.randrange(4)}.{name}.test"
            traits = Traits(name, (host,), domain, None)
        else:
            traits = Traits("other", (f"mail{rng.randrange(40)}.host.test",), domain, None)
        for _ in range(size):
            index = len(fleet.traits)
            fleet.traits.append(traits)
            fleet.phases.append(rng.uniform(0, INTERVAL))
            for scope in traits.scopes():
                fleet.members[scope].append(index)
            chance = rng.random()
            for cause, share in CHRONIC.items():
                if 0 <= chance < share:
                    fleet.chronic[index] = cause
                chance -= share
    return fleet


def noise(fleet: Fleet, days: int, rng: random.Random) -> list[tuple[float, int, Cause]]:
    """Each mailbox's own disconnections: gamma-spread rates around one in twenty days, and a daily rhythm."""
    events = []
    for index in range(len(fleet.traits)):
        rate = rng.gammavariate(2.0, 0.5) / (20 * DAY)
        at = rng.expovariate(2 * rate)
        while at < days * DAY:
            if rng.random() < 0.5 * (1 + 0.8 * math.sin(math.tau * at / DAY)):
                events.append((at, index, rng.choice(NOISE)))
            at += rng.expovariate(2 * rate)
    return events


def plant(fleet: Fleet, days: int, rng: random.Random) -> list[Planted]:
    """One to five outages at a time, 2 % to 100 % of a scope, every other day."""
    planted = []
    large = [scope for scope, members in fleet.members.items() if len(members) >= 50]
    for day in range(1, days, 2):
        base = day * DAY + rng.uniform(0, DAY / 2)
        for scope in rng.sample(large, rng.choice((1, 1, 2, 3, 5))):
            begins = base + rng.uniform(0, 1800)
            share = rng.choice((0.02, 0.05, 0.1, 0.2, 0.5, 1.0))
            ends = begins + rng.uniform(1200, 3 * 3600)
            planted.append(Planted(scope, share, begins, ends, rng.choice(OUTAGE_CAUSES), len(fleet.members[scope])))
    return planted


def failures(fleet: Fleet, planted: list[Planted], noisy: list, rng: random.Random) -> list[tuple[float, int, Cause, float, float]]:
    """(when first seen, mailbox, cause, when it is seen to work again, until when tries are in vain), in order.

    Of what is down nothing new is seen.
    """
    found = []
    for at, index, cause in noisy:
        back = at + rng.expovariate(1 / (OWNER if needs_person(cause) else 1800))
        found.append((at, index, cause, back, back))
    away: dict[int, list[tuple[float, float]]] = defaultdict(list)  # when each is down
    for at, index, _, back, _ in found:
        away[index].append((at, back))
    for outage in sorted(planted, key=lambda each: each.begins):
        at = outage.begins
        members = [index for index in fleet.members[outage.scope] if index not in fleet.chronic]
        well = [index for index in members if not any(since <= at < back for since, back in away[index])]
        outage.size = len(well)
        for index in rng.sample(well, math.ceil(outage.share * len(well))):
            first = at + (fleet.phases[index] - at) % INTERVAL
            if first < outage.ends:
                found.append((first, index, outage.cause, outage.ends + rng.uniform(5, 900), outage.ends))
                away[index].append((at, found[-1][3]))
    free_at: dict[int, float] = dict.fromkeys(fleet.chronic, math.inf)
    seen = []
    for each in sorted(found):
        if each[0] > free_at.get(each[1], 0.0):
            free_at[each[1]] = each[3]
            seen.append(each)
    return seen


def needs_person(cause: Cause) -> bool:
    """Whether a mailbox that failed so is blocked."""
    return profile_of(cause).disposition is Disposition.HUMAN


def run(days: int, count: int, seed: int) -> None:
    """Play the whole time and print what was found."""
    rng = random.Random(seed)
    fleet = build(count, rng)
    planted = plant(fleet, days, rng)
    seen = failures(fleet, planted, noise(fleet, days, rng), rng)
    sizes = Counter({scope: len(members) for scope, members in fleet.members.items()} | {EGRESS: len(fleet.traits)})
    within = _within(fleet)
    starts = [each[0] for each in seen]
    ends = sorted((each[3], each[1], each[0]) for each in seen)
    end_times = [each[0] for each in ends]
    base: dict[Scope, Baseline] = defaultdict(Baseline)
    known: dict[str, Incident] = {}
    ever: dict[str, Incident] = {}
    opened: list[tuple[float, Incident]] = []
    down = {index: (-90 * DAY, cause, math.inf) for index, cause in fleet.chronic.items()}
    learnt, counted, away_before = 0.0, -DAY, Counter()
    window, now = 2 * INTERVAL, 0.0
    while now < days * DAY:
        now += STEP
        moment = START + timedelta(seconds=now)
        first, last = bisect_left(starts, now - window), bisect_right(starts, now)
        fresh_from = bisect_right(starts, now - STEP)
        for _, index, _ in ends[bisect_right(end_times, now - STEP) : bisect_right(end_times, now)]:
            down.pop(index, None)
        down.update((each[1], (each[0], each[2], each[4])) for each in seen[fresh_from:last] if each[3] > now)
        closed = [(each.scope, (each.closed_at - START).total_seconds()) for each in known.values() if each.closed_at]
        fresh = Counter(
            (fleet.traits[index], cause)
            for at, index, cause, *_ in seen[first:last]
            if not any(at <= until and scope in fleet.traits[index].scopes() for scope, until in closed)
        )
        recent = [each for each in known.values() if each.is_open or (moment - each.closed_at).total_seconds() < 1800]
        if now - learnt >= 3600:
            _learn(base, sizes, seen, fleet, learnt, now, list(ever.values()), bisect_left(starts, learnt), last)
            learnt = now
        if not fresh and not recent:
            continue
        if now - counted >= INTERVAL:
            counted, away_before = now, _away_before(now - window, fleet, down)
        expected = {scope: expected_share(rate, window) for scope, rate in base.items()}
        groups = [Group(traits, cause, number) for (traits, cause), number in fresh.items()]
        look = Look(groups, sizes - away_before, expected, expected_share(Baseline(), window))
        findings = detect(look)
        if not findings and not recent:
            continue
        lately = seen[bisect_right(starts, now - LATELY) : last]
        back = ends[bisect_right(end_times, now - LATELY) : bisect_right(end_times, now)]
        signs = {
            each.scope: _signs(each, fleet, lately, back, down, now, sizes[each.scope], base[each.scope])
            for each in recent
            if each.is_open
        }
        for each in advance(recent, findings, signs, within, moment, LifePolicy()):
            known[each.incident.id] = ever[each.incident.id] = each.incident
            if each.change in (Change.OPENED, Change.REOPENED):
                opened.append((now, each.incident))
        known = {key: each for key, each in known.items() if each.is_open or moment - each.closed_at < timedelta(hours=1)}
        for each in list(known.values()):
            _match(each, planted, fleet, now)
    report(planted, opened, days, fleet)
    report_outlived(list(ever.values()), planted, fleet, now)


def _within(fleet: Fleet) -> dict[Scope, list[Scope]]:
    """For each scope those that hold (nearly) all of its mailboxes."""
    holders = {}
    for scope, members in fleet.members.items():
        tally = Counter(other for index in members for other in fleet.traits[index].scopes())
        holders[scope] = [other for other, count in tally.items() if other != scope and count >= 0.9 * len(members)]
    return holders


def _learn(base, sizes, seen, fleet, since, now, ever, first, last) -> None:
    """What failed by itself: outside of every incident there was in that time, as the watch learns it from look to look."""
    spans = [
        (
            each.scope,
            (each.opened_at - START).total_seconds() - STEP,
            now if each.is_open else (each.closed_at - START).total_seconds(),
        )
        for each in ever
        if each.is_open or (each.closed_at - START).total_seconds() >= since
    ]
    tally = Counter()
    for at, index, *_ in seen[first:last]:
        scopes = list(fleet.traits[index].scopes())
        if since <= at < now and not any(scope in scopes and begin <= at <= end for scope, begin, end in spans):
            tally.update(scopes)
    for scope in {*base, *tally}:
        base[scope] = learn(base[scope], events=tally[scope], mailboxes=sizes[scope], seconds=now - since)


def _signs(incident, fleet, lately, back, down, now, size, rate) -> Signs:
    """What the store would tell of *incident*, and `core.incidents.picture` make of it."""
    begin = (incident.opened_at - LEAD - START).total_seconds()
    fresh = Counter((fleet.traits[index], cause) for _, index, cause, *_ in lately)
    newest = max((at for at, *_ in lately), default=0.0)
    away, in_vain = Counter(), Counter()
    for index, (since, cause, until) in _in(incident.scope, fleet, down):
        key = (fleet.traits[index], cause, needs_person(cause), since >= begin)
        away[key] += 1
        in_vain[key] += not key[2] and now < until and (now - RETRY * fleet.phases[index] / INTERVAL) % RETRY < LATELY
    returned = Counter((fleet.traits[index], since >= begin) for _, index, since in back)
    mark = incident.opened_at - LEAD
    recent = Recent(
        [FreshFailures(traits, cause, n, n, START + timedelta(seconds=newest)) for (traits, cause), n in fresh.items()],
        [
            Failing(traits, n, in_vain[traits, cause, blocked, young], cause, blocked=blocked, after=mark if young else None)
            for (traits, cause, blocked, young), n in away.items()
        ],
        [Recovered(traits, n, mark if young else None) for (traits, young), n in returned.items()],
    )
    return signs_of(
        incident,
        recent,
        START + timedelta(seconds=now),
        usual_fresh=size * expected_share(rate, LATELY),
        usual_away=size * expected_share(rate, 1800.0),
    )


def _away_before(begin: float, fleet: Fleet, down: dict[int, tuple[float, Cause, float]]) -> Counter:
    """By scope, what cannot fail newly: it is down since before the window."""
    tally = Counter(fleet.traits[index] for index, (since, *_) in down.items() if since < begin)
    return Counter(by_scope(tally.items()))


def _in(
    scope: Scope, fleet: Fleet, down: dict[int, tuple[float, Cause, float]]
) -> Iterable[tuple[int, tuple[float, Cause, float]]]:
    members = fleet.members.get(scope)
    if members is None:
        return down.items()
    if len(members) < len(down):
        return ((index, down[index]) for index in members if index in down)
    return ((index, each) for index, each in down.items() if scope in fleet.traits[index].scopes())


def _match(incident: Incident, planted: list[Planted], fleet: Fleet, now: float) -> None:
    for outage in planted:
        if outage.begins <= now <= outage.ends + 1800 and _same(incident.scope, outage.scope, fleet):
            if incident.is_open and outage.opened is None and now <= outage.ends + INTERVAL:
                outage.opened = now
            if not incident.is_open and outage.closed is None and now >= outage.ends:
                outage.closed = now


def _same(found: Scope, real: Scope, fleet: Fleet) -> bool:
    """Whether an incident's scope names the planted one, or nearly the same mailboxes."""
    if found in (real, EGRESS):
        return True
    ours, theirs = set(fleet.members[found]), set(fleet.members[real])
    return len(ours & theirs) >= 0.5 * min(len(ours), len(theirs))


def report(planted: list[Planted], opened: list[tuple[float, Incident]], days: int, fleet: Fleet) -> None:
    """Print the figures."""
    for low, high in ((0.0, 0.03), (0.03, 0.06), (0.1, 0.15), (0.15, 0.3), (0.3, 0.6), (0.6, 1.1)):
        some = [each for each in planted if low <= each.share < high]
        if some:
            print(f"  {some[0].share:4.0%} of a scope: {sum(each.opened is not None for each in some)} of {len(some)} found")
    wide = [each for each in planted if each.share >= 0.1 and each.share * each.size >= 5]
    quick = [each for each in wide if each.opened is not None and each.opened - each.begins <= 2 * INTERVAL]
    print(f"found within two intervals, 10 % and more of a scope: {len(quick)} of {len(wide)} ({len(quick) / len(wide):.1%})")
    for each in wide:
        if each not in quick:
            after = None if each.opened is None else round(each.opened - each.begins)
            print(f"    missed or late: {each.scope} {each.share:.0%} of {each.size} {each.cause}, opened after {after} s")
    minutes = [(each.opened - each.begins) / 60 for each in wide if each.opened]
    print(f"minutes to open: median {statistics.median(minutes):.1f}, worst {max(minutes):.1f}")
    closing = [(each.closed - each.ends) / 60 for each in wide if each.closed]
    print(f"minutes to close after the end: median {statistics.median(closing):.1f}, worst {max(closing):.1f}, of {len(closing)}")
    false = [
        (at, incident)
        for at, incident in opened
        if not any(each.begins <= at <= each.ends + 1200 and _same(incident.scope, each.scope, fleet) for each in planted)
    ]
    print(f"false incidents: {len(false)} in {days} days; incidents opened in all: {len(opened)} for {len(planted)} outages")
    for at, incident in false[:10]:
        print(f"    false: day {at / DAY:.2f} {incident.scope} {incident.cause} {incident.failed} ({incident.peak_share:.0%})")


def report_outlived(ever: list[Incident], planted: list[Planted], fleet: Fleet, now: float) -> None:
    """Print how long incidents outlived the outages that they tell of."""
    late = []
    for incident in ever:
        begun = (incident.opened_at - START).total_seconds()
        over = now if incident.closed_at is None else (incident.closed_at - START).total_seconds()
        theirs = [each.ends for each in planted if each.begins <= begun <= each.ends and _same(incident.scope, each.scope, fleet)]
        if theirs and over > max(theirs) + 3600:
            late.append((over - max(theirs), incident))
    print(f"open more than an hour after their outage: {len(late)} of {len(ever)}; open at the end: {sum(e.is_open for e in ever)}")
    for seconds, incident in sorted(late, key=lambda each: -each[0])[:10]:
        print(
            f"    {seconds / 3600:.1f} h too long: {incident.scope} {incident.cause} {incident.failed} of {incident.peak_share:.0%}"
        )


def outage_with_circuit(count: int, hours: float, seed: int) -> None:
    """What an outage of *count* mailboxes at one gate costs in looks, and how soon they are back."""
    rng = random.Random(seed)
    circuit = Circuit()
    ends = hours * 3600.0
    queue = [(rng.uniform(0, INTERVAL), index) for index in range(count)]
    heapq.heapify(queue)
    looks = failed = 0
    seen_after: dict[int, float] = {}
    now = 0.0
    while now < ends + 1800 and len(seen_after) < count:
        now += 0.1
        room = circuit.room(now)
        while queue and queue[0][0] <= now and (room is None or room > 0):
            _, index = heapq.heappop(queue)
            circuit.start(now)
            room = None if room is None else room - 1
            worked = now >= ends
            looks += not worked
            failed += not worked
            circuit.result(now, worked=worked)
            if worked:
                seen_after.setdefault(index, now)
            elif failed == 12:  # what detection needed
                circuit.open(now)
                room = circuit.room(now)
            heapq.heappush(queue, (now + (INTERVAL if worked else 60.0), index))
    back = sorted(seen_after.values())
    late = back[int(0.99 * count) - 1] - ends if len(back) >= 0.99 * count else math.nan
    print(f"{hours:g} h outage of {count} mailboxes: {looks} looks while it lasted ({circuit.state} afterwards)")
    print(f"99 % seen well {late:.0f} s after its end")
    assert circuit.state is not CircuitState.OPEN


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 30, int(sys.argv[2]) if len(sys.argv) > 2 else 20_000, seed=7)
    outage_with_circuit(100_000, 1.0, seed=7)
