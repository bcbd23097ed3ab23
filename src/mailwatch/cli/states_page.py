"""Writes docs/states.md from the table of the lifecycle: `python -m mailwatch.cli.states_page > docs/states.md`."""

import sys
from collections.abc import Sequence
from typing import Final

from mailwatch.core.lifecycle import LOGIN_STATES, MOVES, SENDING_STATES, Effect, State, Trigger, diagram
from mailwatch.core.policy import Policy

#: What each state means, in a few words.
STATES: Final = {
    State.PENDING: "added, not yet probed",
    State.CONNECTED: "the required channels work",
    State.SUSPECT: "a failure was seen and is being confirmed",
    State.RECONNECTING: "the disconnection is confirmed; automatic reconnection is scheduled",
    State.VERIFYING: "reached again; proving itself before campaigns resume",
    State.BLOCKED: "needs a person; automatic logins have stopped",
    State.HELD: "a protective pause with a reason and perhaps an end",
    State.INACTIVE: "disconnected by an operator; nothing is probed",
}
_TRIGGERS: Final = {
    Trigger.PROBE_SUCCEEDED: "every channel worked, login included",
    Trigger.PROBE_FAILED: "a channel failed; not yet confirmed",
    Trigger.FAILURE_CONFIRMED: "seen again, or no second look is possible; it will be retried automatically",
    Trigger.PERSON_NEEDED: "confirmed, and retrying cannot heal it",
    Trigger.VERIFIED: "enough clean probes over enough time",
    Trigger.OBSTACLE_CLEARED: "a look without a login passed the place where the mailbox was stuck",
    Trigger.BROUGHT_BACK: "the incident that had stopped it is over, or is felt for",
    Trigger.NEW_SECRET: "a new password or consent was stored",
    Trigger.RECONNECT: "a person asked for it",
    Trigger.DISCONNECT: "a person asked for it",
    Trigger.HOLD: "a person or a protective rule asked for it",
    Trigger.RELEASE: "a person asked for it",
    Trigger.HOLD_ENDED: "the end of the hold was reached",
}
_EFFECTS: Final = {
    Effect.PAUSE_CAMPAIGNS: "pause campaigns",
    Effect.RESUME_CAMPAIGNS: "resume campaigns",
    Effect.TELL_PERSON: "tell a person",
}
_HEAD: Final = """# States of a mailbox

<!-- Drawn from mailwatch.core.lifecycle: `python -m mailwatch.cli.states_page > docs/states.md`; a test fails when it is stale. -->

A mailbox is in one of eight states. *Why* it is there is never in the state: it is the cause beside it, with the server's own
words as evidence. A removed mailbox has no state: it and all its data are gone.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join(
        [
            _HEAD,
            f"```mermaid\n{diagram()}\n```\n",
            "## The states\n",
            _states(),
            "## The moves\n",
            "What is not in this table cannot happen: it is refused with an error that names state and trigger.\n",
            _moves(),
            "## What can happen\n",
            _table(("trigger", "when"), [(f"`{trigger}`", when) for trigger, when in _TRIGGERS.items()]),
            _rules(Policy()),
        ]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _states() -> str:
    def yes(*, answer: bool) -> str:
        return "yes" if answer else "no"

    rows = [
        (f"`{state}`", meaning, yes(answer=state in LOGIN_STATES), yes(answer=state in SENDING_STATES))
        for state, meaning in STATES.items()
    ]
    return _table(("state", "meaning", "logged in by probes", "campaigns send"), rows)


def _moves() -> str:
    rows = [
        (f"`{state}`", f"`{trigger}`", f"`{move.to}`" if move.to is not state else "stays", _effects(move.effects))
        for state, row in MOVES.items()
        for trigger, move in row.items()
    ]
    return _table(("state", "trigger", "next", "effects"), rows)


def _effects(effects: frozenset[Effect]) -> str:
    return ", ".join(words for effect, words in _EFFECTS.items() if effect in effects)


_RULES: Final = """## The rules

Numbers are the defaults; [configuration](configuration.md) has the keys.

1. **A failure is confirmed before it counts.** `connected` is left only through `suspect`, or by people. The second look comes
   {soon} to {late} s later; after a refused secret or a throttle no sooner than {secret} s later. While a mailbox is `suspect`
   its campaigns run, so a suspicion never lasts: where no second look is possible soon - no login is left, or the server named
   a quiet time longer than an interval - the first look counts.
2. **A success is not health.** `reconnecting` leads to `verifying`; {clean} clean probes in a row over at least {proving} s make
   it `connected`, and only then campaigns resume. One that was disconnected {episodes} times within {flap_window} min must be clean
   for {calm} min. A new secret starts its own count. The backoff starts from its beginning only after {survival} s of being
   connected.
3. **No account is locked by mailwatch.** At most {refusals} refused automatic logins per secret in {window} h, and {host_refusals}
   per host in {host_window} min. A login whose answer was lost (a crash, a bug, a lease that ended) counts as refused until one
   is accepted; a stop that cuts a probe short before its secret has left costs no login. With the budget spent a mailbox is
   still looked at, up to the login. A new secret has a budget of its own;
   the same one stored again has not. Whatever a final `NO`, `BAD` or 5xx to a login is taken for, it counts, unless it says that
   the secret was not looked at. A person's Reconnect allows one refused login more, and lasts until that refusal, so that
   verification is seen through.
4. **Our own broken network is nobody's disconnection.** While it is broken, causes that it would explain change no state and
   no channel. While it is unclear whose fault it is, a mailbox is looked at once more before a failure counts.
5. **A person is asked only when one is needed:** after two sightings in a row of what only a person can heal, or one where the
   token endpoint said so in so many words, or where another login would break the budget. What nobody can name (`unknown`),
   and a token that is refused though it was renewed, is retried; at {unknown} in a row a person is asked, or as soon as no
   login is left.
6. **Blocked is no dead end.** Every {recheck} min it is looked at without a login. If it was stuck before the login (a
   certificate, a greeting), it comes back by itself when that place is passed. Otherwise Reconnect, a new secret or a new
   consent bring it back, always through verification.
7. **A fault of mailwatch's own is never a mailbox's.** It changes no state, and the mailbox is looked at again soon, then ever
   more rarely up to the interval. Such a look does not count as one: the fault and its cure are told beside the state, and after
   three intervals the mailbox is stale. A report made with an older secret than the one now stored is dropped.
8. **Everything is due.** But for `inactive`, and `held` without an end, every mailbox has a moment at which it is looked at
   next; it is a row in the database, so restarts and other nodes pick it up.
9. **Many at once are one incident.** While a whole provider or server is down, a few mailboxes look at it for all; a suspicion of
   the others is confirmed by the incident, and they return on a ramp. Mailboxes that it left `blocked` for a reason it explains
   are tried again at its end. In a declared maintenance window a disconnection has the cause `platform_maintenance`.
"""


def _rules(policy: Policy) -> str:
    numbers = {
        "soon": policy.confirm.min_seconds,
        "late": policy.confirm.max_seconds,
        "secret": policy.confirm.secret_seconds,
        "clean": policy.verify.successes,
        "proving": policy.verify.min_seconds,
        "survival": policy.survival_seconds,
        "episodes": policy.flap.episodes,
        "flap_window": policy.flap.window_seconds / 60,
        "calm": policy.flap.calm_seconds / 60,
        "refusals": policy.budget.rejected_logins,
        "window": policy.budget.window_seconds / 3600,
        "host_refusals": policy.budget.host_rejected_logins,
        "host_window": policy.budget.host_window_seconds / 60,
        "unknown": policy.confirm.unknown_tries,
        "recheck": policy.recheck_seconds / 60,
    }
    return _RULES.format(**{name: f"{number:g}" for name, number in numbers.items()})


if __name__ == "__main__":
    sys.stdout.write(page())
