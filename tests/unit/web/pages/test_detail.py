"""One mailbox: the three sentences, the timeline in the server's words, and all that is known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import FAILURES, NOW, a_mailbox, a_standing, later
from fakes.web import refused
from mailwatch.core.cause_texts import remedy_for
from mailwatch.core.causes import Cause, Owner
from mailwatch.core.evidence import Evidence, Line, Phase
from mailwatch.core.impairments import IMPAIRMENTS
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import Protocol
from mailwatch.core.secret import Secret
from mailwatch.core.sending import at_incident
from mailwatch.core.standing import Transition
from mailwatch.ports import Act, MailboxView
from mailwatch.ports.pages import Conversation, Sample
from mailwatch.store.samples import write_conversations, write_samples
from mailwatch.web.pages.detail import said_by, step_of, story_in, story_of
from mailwatch.web.pages.notices import Part

BY = Act("cli:test", "test")


def told(state, cause=None, **fields):
    view = MailboxView(a_mailbox(provider="google"), a_standing(state, cause=cause, **fields))
    latest = Transition("mb_1", 1, NOW, State.SUSPECT, state, Trigger.PERSON_NEEDED, cause, evidence=FAILURES.get(cause))
    return story_of(view, latest, NOW)


def test_a_blocked_mailbox_tells_what_a_person_must_do_at_this_provider_and_who():
    story = told(State.BLOCKED, Cause.INVALID_CREDENTIALS, due_at=later(7200))
    assert story.steps == remedy_for(Cause.INVALID_CREDENTIALS, "google")
    assert story.owner is Owner.MAILBOX_OWNER
    assert story.quote == "NO [AUTHENTICATIONFAILED] Authentication failed."
    assert "it looks without a login" in story.doing.striptags()


def test_a_reconnecting_mailbox_asks_nothing_of_anybody():
    story = told(State.RECONNECTING, Cause.CONNECTION_TIMEOUT, due_at=later(240), attempts=2)
    assert story.steps == ()
    assert story.may_help
    assert story.doing.striptags() == "It tries again in 4 min (attempt 3). Campaigns stay paused until the mailbox is verified."


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_story(state):
    story = told(state, Cause.CONNECTION_TIMEOUT, due_at=later(60))
    assert story.happened
    assert story.doing
    if state in (State.CONNECTED, State.INACTIVE):
        assert (story.steps, story.quote) == ((), "")


def test_a_mailbox_that_we_cannot_look_at_tells_what_an_operator_must_do():
    unseen = {"impairment": "secret_missing", "impaired_since_at": NOW, "due_at": later(240)}
    story = told(State.CONNECTED, **unseen)
    assert story.happened.startswith("mailwatch cannot look at it: no secret is stored for it. What was known before: ")
    assert story.doing.striptags().startswith("It tries to look again in 4 min.")
    assert (story.steps, story.owner) == (IMPAIRMENTS["secret_missing"].remedy, Owner.US)
    blocked = told(State.BLOCKED, Cause.INVALID_CREDENTIALS, **unseen)
    assert (blocked.steps, blocked.owner) == (remedy_for(Cause.INVALID_CREDENTIALS, "google"), Owner.MAILBOX_OWNER)


def test_a_hold_tells_its_end():
    assert told(State.HELD, Cause.WARMUP_PAUSE, hold_until_at=later(3600)).doing.striptags() == (
        "Nothing, until the hold ends in 1 h; then it verifies the mailbox."
    )
    assert told(State.HELD, Cause.WARMUP_PAUSE).doing == "Nothing, until somebody releases the hold."


def test_a_step_tells_where_it_failed_and_who_did_it():
    evidence = FAILURES[Cause.INVALID_CREDENTIALS]
    step = step_of(
        9,
        Transition(
            "mb_1",
            3,
            NOW,
            State.SUSPECT,
            State.BLOCKED,
            Trigger.PERSON_NEEDED,
            Cause.INVALID_CREDENTIALS,
            Protocol.IMAP,
            evidence=evidence,
        ),
    )
    assert (step.cause, step.actor, step.from_word) == ("Invalid credentials (IMAP auth)", "", "Checking")
    by_hand = step_of(10, Transition("mb_1", 4, NOW, State.BLOCKED, State.INACTIVE, Trigger.DISCONNECT, actor="user:ada"))
    assert (by_hand.actor, by_hand.quote) == ("user:ada", "")


def test_a_peer_that_said_nothing_is_quoted_by_what_the_network_called_it():
    assert said_by(Evidence("network", Phase.CONNECT, exception="builtins.TimeoutError")) == "TimeoutError"
    assert (
        said_by(Evidence("oauth", Phase.TOKEN, oauth_error="invalid_grant", oauth_description="expired")) == "invalid_grant expired"
    )
    assert said_by(None) == ""


async def test_the_page_shows_latencies_and_the_redacted_conversation(rig):
    await rig.fill(1)
    now = rig.clock.now()
    sample = Sample(now - timedelta(hours=1), {Protocol.IMAP: {Phase.CONNECT: 0.02, Phase.AUTH: 0.4}})
    lines = {Protocol.IMAP: (Line(sent=True, text="A1 LOGIN <redacted>"), Line(sent=False, text="A1 NO <b>no</b>"))}
    await rig.store._database.write(lambda attempt: write_samples(attempt, {"mb_0000": sample}))
    await rig.store._database.write(lambda attempt: write_conversations(attempt, {"mb_0000": Conversation(now, lines)}))
    _, _, text = await rig.ask("GET", "/mailboxes/mb_0000")
    assert '<rect class="p-auth"' in text
    assert "400 ms" in text
    assert "A1 LOGIN &lt;redacted&gt;" in text
    assert "A1 NO &lt;b&gt;no&lt;/b&gt;" in text


async def test_an_address_finds_its_mailbox_too(rig):
    await rig.fill(1)
    status, _, text = await rig.ask("GET", "/mailboxes/user0@example.org")
    assert status == 200
    assert "user0@example.org" in text


async def test_who_may_only_read_sees_no_forms(rig):
    await rig.fill(1)
    _, _, text = await rig.ask("GET", "/mailboxes/mb_0000", role="read")
    assert "data-act=" not in text
    assert "data-secret-form" not in text


async def test_when_the_servers_certificate_expires_is_shown(rig):
    await rig.fill(1)
    until_at = rig.clock.now() + timedelta(days=5)
    rig.app.state.surface = replace(rig.surface, certificates=lambda: {"imap.example.org:993": until_at})
    _, _, text = await rig.ask("GET", "/mailboxes/mb_0000")
    assert "imap.example.org:993 expires" in text
    assert "in 5 d" in text


DOWN = Incident("inc_1", Scope(ScopeKind.PROVIDER, "google"), Cause.CONNECTION_TIMEOUT, NOW, NOW, 9, 0.9, size=10)


def inside(state, *, closed=False, canary_seconds=15.0, **fields):
    view = MailboxView(a_mailbox(provider="google"), a_standing(state, **fields))
    part = Part(DOWN, at_incident(DOWN.cause) if closed else None)
    return story_in(story_of(view, None, NOW), view, part, canary_seconds)


def test_a_mailbox_that_works_but_may_not_send_for_an_incident_says_both():
    story = inside(State.CONNECTED, closed=True)
    assert story.happened.startswith("Sending through it is closed while Google has an incident; the mailbox itself worked")
    assert "every 15 s one of them" in story.doing
    assert story.steps == ()


def test_a_mailbox_that_waits_for_canaries_promises_no_attempt_of_its_own():
    story = inside(State.RECONNECTING, cause=Cause.CONNECTION_TIMEOUT, due_at=later(60))
    assert story.happened == "The server does not answer in time, or no route leads to it."
    assert "It tries again" not in story.doing
    assert "It tries again" in inside(State.RECONNECTING, cause=DOWN.cause, due_at=later(60), canary_seconds=None).doing
    blocked = inside(State.BLOCKED, cause=Cause.CONNECTION_TIMEOUT)
    assert "it looks without a login" in blocked.doing


async def test_a_look_that_waits_for_its_host_says_until_when_and_promises_nothing_at_once(rig):
    await rig.fill(1)
    await rig.surface.desk.set_secret("mb_0000", Secret("another"), BY)
    assert "tried at once" in (await rig.ask("GET", "/mailboxes/mb_0000"))[2]
    await refused(rig.store, rig.clock.now(), 3)
    _, _, text = await rig.ask("GET", "/mailboxes/mb_0000")
    assert "imap.example.org refused 3 logins within 10 min, so mailwatch leaves it alone until 12:10 UTC" in text
    assert "tried at once" not in text


def test_a_suspicion_does_not_say_that_logging_in_has_stopped():
    story = told(State.SUSPECT, Cause.INVALID_CREDENTIALS, due_at=later(60))
    assert story.happened == "The server refuses the user name or the password. mailwatch looks again before it acts."
