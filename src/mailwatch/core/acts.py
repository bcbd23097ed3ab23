"""What people do to a mailbox: disconnect, reconnect, hold, release, a new secret.  Pure; the store applies them with an audit row.

Every recovery route leads to `reconnecting` and from there through verification; none of them resets the login budget, but a
person's own Reconnect allows one refused login beyond it.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from mailwatch.core.causes import Cause, Disposition, profile_of
from mailwatch.core.flapping import with_episode
from mailwatch.core.lifecycle import IllegalMoveError, State, Trigger
from mailwatch.core.policy import FlapPolicy
from mailwatch.core.standing import Decision, Standing
from mailwatch.core.walk import Why, walk

#: What a hold may give as its reason.
HOLD_REASONS: Final = (Cause.WARMUP_PAUSE, Cause.ANOMALY_PAUSE, Cause.STRATEGIC_PAUSE)


def _decision(before: Standing, after: Standing, trigger: Trigger, now: datetime, actor: str) -> Decision:
    walked, transitions = walk(after, (trigger,), now, Why(actor=actor))
    return Decision(before, walked, transitions)


def disconnect(standing: Standing, now: datetime, actor: str) -> Decision:
    """Stop all probing, keep everything; raises IllegalMoveError when it is inactive already."""
    after = replace(
        standing,
        due_at=None,
        cause=Cause.OPERATOR_DISCONNECT,
        failures=0,
        person_sightings=0,
        last_outage_seconds=0.0,
        forced=False,
        hold_reason=None,
        hold_until_at=None,
    )
    decision = _decision(standing, after, Trigger.DISCONNECT, now, actor)
    # the outage ends here, after the move: the absence goes on, and may be as old as the outage
    return replace(decision, after=replace(decision.after, down_since_at=None))


def reconnect(standing: Standing, now: datetime, actor: str) -> Decision:
    """Try now; raises IllegalMoveError while it is held (release it instead)."""
    after = replace(standing, due_at=now, forced=True, person_sightings=0, attempts=max(1, standing.attempts))
    if standing.state is State.INACTIVE:
        after = replace(after, cause=None, last_outage_seconds=_away_seconds(standing, now))
    return _decision(standing, after, Trigger.RECONNECT, now, actor)


def bring_back(standing: Standing, now: datetime) -> Decision:
    """An incident that had stopped it is over, or is felt for: try it, within the login budget.

    Raises IllegalMoveError when it is not blocked any more.
    """
    if standing.state is not State.BLOCKED:
        raise IllegalMoveError(standing.state, Trigger.BROUGHT_BACK)
    after = replace(standing, due_at=now, forced=False, person_sightings=0, attempts=max(1, standing.attempts))
    return _decision(standing, after, Trigger.BROUGHT_BACK, now, "mailwatch")


def confirm(standing: Standing, now: datetime, cause: Cause, due_at: datetime, flap: FlapPolicy) -> Decision:
    """An incident that has taken many confirms the failure of one: it needs no second look of its own, and gets none.

    It counts towards flapping like one that was confirmed by a look.  Raises IllegalMoveError when it is not suspect any more.
    """
    if standing.state is not State.SUSPECT:
        raise IllegalMoveError(standing.state, Trigger.FAILURE_CONFIRMED)
    known = profile_of(standing.cause).disposition if standing.cause else None
    mild = known in (Disposition.TRANSIENT, Disposition.THROTTLED)
    after = replace(
        standing,
        cause=standing.cause if mild else cause,
        due_at=due_at,
        person_sightings=0,
        attempts=standing.attempts + 1,
        down_since_at=standing.down_since_at or now,
        episodes_at=with_episode(standing, flap, now) if standing.down_since_at is None else standing.episodes_at,
    )
    return _decision(standing, after, Trigger.FAILURE_CONFIRMED, now, "mailwatch")


def probe_now(standing: Standing, now: datetime, actor: str) -> Decision:
    """Look at it now instead of when it is due; raises IllegalMoveError where nothing is probed.

    Unlike `reconnect` it allows no login beyond the budget.
    """
    del actor  # an act like the others; nothing changes hands, so no transition names it
    first = {State.INACTIVE: "reconnect", State.HELD: "release"}.get(standing.state)
    if first is not None:
        words = f"probe is not possible while the mailbox is {standing.state}; {first} it first"
        raise IllegalMoveError(standing.state, Trigger.RECONNECT, words)
    return Decision(standing, replace(standing, due_at=now))


def hold(standing: Standing, now: datetime, actor: str, reason: Cause, until_at: datetime | None) -> Decision:
    """Pause for protection, until *until_at* or a release; raises IllegalMoveError when it is inactive."""
    if reason not in HOLD_REASONS:
        raise ValueError(f"{reason} is no reason for a hold; use one of {', '.join(HOLD_REASONS)}")
    after = replace(
        standing,
        due_at=until_at,
        cause=reason,
        last_outage_seconds=0.0,
        forced=False,
        hold_reason=str(reason),
        hold_until_at=until_at,
    )
    return _decision(standing, after, Trigger.HOLD, now, actor)


def release(standing: Standing, now: datetime, actor: str) -> Decision:
    """End a hold; verification comes before campaigns resume."""
    return _decision(standing, _unheld(standing, now), Trigger.RELEASE, now, actor)


def hold_ended(standing: Standing, now: datetime) -> Decision:
    """A hold reached its end."""
    return _decision(standing, _unheld(standing, now), Trigger.HOLD_ENDED, now, "mailwatch")


def new_secret(standing: Standing, now: datetime, actor: str) -> Decision:
    """A new password or consent was stored (the standing is of the new generation already): try it now.

    An inactive or held mailbox stays so: a stored secret is no wish to send.
    """
    if standing.state in (State.INACTIVE, State.HELD):
        after = standing
    else:
        after = replace(standing, due_at=now, forced=False, person_sightings=0, attempts=max(1, standing.attempts))
    if after.state is State.VERIFYING:
        after = replace(after, clean_probes=0, verifying_since_at=None)  # what the old secret proved says nothing of the new
    return _decision(standing, after, Trigger.NEW_SECRET, now, actor)


def _unheld(standing: Standing, now: datetime) -> Standing:
    return replace(
        standing,
        due_at=now,
        cause=None,
        failures=0,
        person_sightings=0,
        last_outage_seconds=_away_seconds(standing, now),
        hold_reason=None,
        hold_until_at=None,
        attempts=max(1, standing.attempts),
    )


def _away_seconds(standing: Standing, now: datetime) -> float:
    """How long a disconnected or held mailbox sent nothing: its return is ramped like that from an outage.

    What kept it from sending before the act counts too.
    """
    return max(0.0, (now - (standing.absent_since_at or standing.since_at)).total_seconds())
