"""Mailboxes, clocks and decisions for the tests of the store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.lifecycle import Effect, State, Trigger
from mailwatch.core.mailbox import AuthKind, Endpoint, Mailbox, Protocol
from mailwatch.core.secret import Secret
from mailwatch.core.standing import ChannelHealth, Confidence, Decision, Diagnosis, Refusal, Transition
from mailwatch.ports import Act, NewMailbox

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ADD = Act("cli:test", "add")


class SetClock:
    """A clock that stands until it is set."""

    def __init__(self, now=NOON):
        self.time = now

    def now(self):
        return self.time

    def monotonic(self):
        return self.time.timestamp()

    def pass_seconds(self, seconds):
        self.time += timedelta(seconds=seconds)


def password_mailbox(number, **fields):
    host = fields.pop("host", "example.org")
    mailbox = Mailbox(
        id=f"mb_{number:04}",
        address=f"user{number}@{host}",
        username=f"user{number}",
        auth=AuthKind.PASSWORD,
        imap=Endpoint.parse(f"imaps://imap.{host}"),
        smtp=Endpoint.parse(f"smtps://smtp.{host}"),
        provider="other",
        created_at=NOON,
    )
    return NewMailbox(replace(mailbox, **fields), Secret(f"password-{number}"))


def oauth_mailbox(number, **fields):
    new = password_mailbox(number, auth=AuthKind.OAUTH, oauth_app="outreach", provider="google", **fields)
    return NewMailbox(new.mailbox, Secret(f"refresh-{number}"))


async def add(store, *wanted, due_at=NOON):
    return await store.add(wanted, ADD, first_due_at=lambda index: due_at + timedelta(milliseconds=index))


async def filled(store, count, **fields):
    return await add(store, *(password_mailbox(number, **fields) for number in range(count)))


def later(minutes=5):
    return NOON + timedelta(minutes=minutes)


def clean(claim, due_at=None):
    """A success that changes nothing."""
    channels = {protocol: ChannelHealth(healthy=True, since_at=NOON) for protocol in Protocol}
    after = replace(claim.standing, due_at=due_at or later(), last_probe_at=NOON, proven=True, channels=channels)
    return Decision(claim.standing, after)


def moved(claim, to=State.SUSPECT, trigger=Trigger.PROBE_FAILED, at=NOON, due_at=None, **fields):
    """A move to another state."""
    version = claim.standing.version + 1
    after = replace(claim.standing, state=to, version=version, since_at=at, due_at=due_at or later(1), **fields)
    step = Transition(
        claim.mailbox.id,
        version,
        at,
        claim.standing.state,
        to,
        trigger,
        Cause.INVALID_CREDENTIALS,
        Protocol.IMAP,
        Diagnosis(Cause.INVALID_CREDENTIALS, "imap.authenticationfailed", "Invalid credentials", Confidence.HIGH, 1.5),
        Evidence(
            "imap", Phase.AUTH, "NO [AUTHENTICATIONFAILED] Invalid credentials", status="NO", response_code="AUTHENTICATIONFAILED"
        ),
        claim.standing.generation,
        effects=frozenset({Effect.PAUSE_CAMPAIGNS}),
        credential_age_seconds=claim.credential_age_seconds,
    )
    return Decision(claim.standing, after, (step,))


def refused(claim, at=NOON):
    """A login refused for its secret, and nothing else."""
    after = replace(claim.standing, rejected_at=(*claim.standing.rejected_at, at), due_at=later(1))
    return Decision(claim.standing, after, refusals=(Refusal("imap.example.org", at),))
