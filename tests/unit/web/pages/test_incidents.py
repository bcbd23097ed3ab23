"""Incidents in words: cards, timelines, pages of what is over and of what one took."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import FAILURES, NOW
from fakes.web import BY, refused
from mailwatch.core.causes import Cause, Owner
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.standing import Decision, Transition
from mailwatch.core.webhooks import EventType
from mailwatch.ports.pages import Course, Extent, Stretch
from mailwatch.web.pages.incidents import card_of, link_of, title_of, turns_of

MINUTE = timedelta(minutes=1)
GOOGLE = Incident("inc_1", Scope(ScopeKind.PROVIDER, "google"), Cause.CONNECTION_TIMEOUT, NOW, NOW, 9, 0.9, size=10)
NONE = Extent(0, {}, None, ())


def card(incident=GOOGLE, extent=NONE, canary_seconds=15.0, **changes):
    return card_of(replace(incident, **changes), extent, canary_seconds, NOW)


def test_a_provider_that_is_down_needs_nothing_of_anybody_and_tells_its_status_page():
    told = card()
    assert told.title == "Google: Connection timeout"
    assert told.sentence == "The server does not answer in time, or no route leads to it."
    assert "every 15 s" in told.doing
    assert (told.must, told.owner, told.tone) == ((), None, "reconnecting")
    assert told.may_help
    assert told.status_page == "https://www.google.com/appsstatus/dashboard/"
    assert told.mailboxes_link == "/mailboxes?provider=google"


def test_what_no_waiting_heals_tells_what_a_person_must_do_and_who():
    told = card(scope=Scope(ScopeKind.OAUTH_APP, "outreach"), cause=Cause.OAUTH_MISCONFIGURED)
    assert told.must
    assert (told.may_help, told.owner, told.tone, told.status_page) == ((), Owner.US, "blocked", None)
    own = card(scope=EGRESS, cause=Cause.LOCAL_NETWORK_DOWN)
    assert own.title == "mailwatch's own network is down"
    assert own.must
    assert own.owner is Owner.US


def test_one_that_is_over_asks_nothing_any_more():
    told = card(cause=Cause.OAUTH_MISCONFIGURED, closed_at=NOW)
    assert (told.must, told.may_help, told.next, told.tone) == ((), (), None, "connected")
    assert told.doing.startswith("It is over.")


def test_when_it_tries_next_is_told_where_mailboxes_are_retried_one_by_one():
    soon = replace(NONE, next_at=NOW + MINUTE)
    assert card(extent=soon).next is None  # canaries
    assert card(extent=soon, peak_share=0.1).next.striptags() == "in 1 min"
    assert card(extent=replace(NONE, next_at=NOW), canary_seconds=None).next == "now"


@pytest.mark.parametrize(
    ("kind", "name", "title", "link"),
    [
        (ScopeKind.ENDPOINT, "imap.gmail.com", "The server imap.gmail.com: Rate limited", None),
        (ScopeKind.DOMAIN, "example.org", "The domain example.org: Rate limited", "/mailboxes?q=%40example.org"),
        (ScopeKind.OAUTH_APP, "outreach", "The OAuth application outreach: Rate limited", None),
        (ScopeKind.PROVIDER, "gmx", "GMX: Rate limited", "/mailboxes?provider=gmx"),
    ],
)
def test_every_scope_has_words(kind, name, title, link):
    told = card(scope=Scope(kind, name), cause=Cause.RATE_LIMITED)
    assert (told.title, told.mailboxes_link) == (title, link)
    assert title_of(told.incident) == title


def test_an_id_with_odd_signs_has_a_link():
    assert link_of(replace(GOOGLE, id="inc_1_oauth_app_a/b?c")) == "/incidents/inc_1_oauth_app_a%2Fb%3Fc"


def course(*failed, turns=(), seconds=60.0):
    stretches = [Stretch(NOW + place * MINUTE, number, 0) for place, number in enumerate(failed)]
    return Course(seconds, stretches, turns)


def words(turns):
    return [(turn.word, turn.said) for turn in turns]


def test_the_timeline_tells_growth_each_time_the_number_doubled_and_at_the_end():
    told = turns_of(replace(GOOGLE, last_failure_at=NOW + 9 * MINUTE), course(5, 1, 5, 0, 1, 2))
    assert words(told) == [
        ("Grew", "14 mailboxes have failed by now."),
        ("Grew", "11 mailboxes have failed by now."),
        ("Opened", "So many failed together that it is one incident."),
        ("First failures", "5 mailboxes failed."),
    ]
    assert [turn.at for turn in told] == sorted((turn.at for turn in told), reverse=True)


def test_the_timeline_tells_ends_and_returns_once_each():
    ended_at, again_at, over_at = (NOW + number * MINUTE for number in (5, 7, 20))
    turns = [
        (NOW, EventType.INCIDENT_OPENED.value),
        (ended_at, EventType.INCIDENT_CLOSED.value),
        (again_at, EventType.INCIDENT_REOPENED.value),
        (over_at, EventType.INCIDENT_CLOSED.value),
    ]
    told = turns_of(replace(GOOGLE, closed_at=over_at, reopened=1), course(turns=turns))
    assert [(turn.word, turn.at) for turn in told] == [
        ("Closed", over_at),
        ("Came back", again_at),
        ("Closed", ended_at),
        ("Opened", NOW),
    ]


def test_the_timeline_tells_which_end_was_a_persons_word():
    by_hand, by_itself = NOW + 5 * MINUTE, NOW + 20 * MINUTE
    turns = [(by_hand, EventType.INCIDENT_CLOSED.value), (NOW + 7 * MINUTE, EventType.INCIDENT_REOPENED.value)]
    went = replace(course(turns=turns), closed_by_hand=frozenset({by_hand}))
    told = turns_of(replace(GOOGLE, closed_at=by_itself, reopened=1), went)
    assert [turn.said for turn in told if turn.word == "Closed"] == [
        "What had failed came back, and hardly anything fails any more.",
        "A person said that it is over.",
    ]


def test_a_timeline_whose_events_were_tidied_away_has_begin_and_end_still():
    told = turns_of(replace(GOOGLE, closed_at=NOW + MINUTE), course())
    assert [turn.word for turn in told] == ["Closed", "Opened"]


# --- over HTTP ---


def stored(number, now, **changes):
    opened_at = now - timedelta(hours=number + 1)
    ended = {"opened_at": opened_at, "last_failure_at": opened_at, "closed_at": opened_at + 31 * MINUTE}
    return replace(GOOGLE, **({"id": f"inc_{number:03}"} | ended | changes))


async def test_past_incidents_are_listed_page_by_page(rig):
    now = rig.clock.now()
    await rig.store.incidents.save([stored(number, now) for number in range(30)])
    status, _, text = await rig.ask("GET", "/incidents")
    assert status == 200
    assert "Nothing is away" in text
    assert text.count('href="/incidents/inc_') == 25
    assert 'href="/incidents?before=inc_024#past"' in text
    _, _, text = await rig.ask("GET", "/incidents?before=inc_024")
    assert text.count('href="/incidents/inc_') == 5
    assert "inc_029" in text
    assert "There is none older." in (await rig.ask("GET", "/incidents?before=inc_029"))[2]


async def test_open_incidents_come_first_with_the_sentences_and_the_status_page(rig):
    now = rig.clock.now()
    await rig.store.incidents.save([stored(0, now, closed_at=None, cause=Cause.CONNECTION_REFUSED), stored(1, now)])
    text = (await rig.ask("GET", "/incidents"))[2]
    assert text.index("Google: Connection refused") < text.index("Past incidents") < text.index("Google: Connection timeout")
    assert "9 mailboxes of 10" in text
    assert 'href="https://www.google.com/appsstatus/dashboard/"' in text
    assert "mailboxes are not retried one by one" in text


async def test_one_incident_has_a_page_and_one_nobody_knows_has_none(rig):
    now = rig.clock.now()
    await rig.store.incidents.save([stored(0, now, id="inc_1_oauth_app_a/b", scope=Scope(ScopeKind.OAUTH_APP, "a/b"))])
    status, _, text = await rig.ask("GET", "/incidents/inc_1_oauth_app_a%2Fb")
    assert status == 200
    assert "The OAuth application a/b: Connection timeout" in text
    assert "lasted 31 min" in text
    assert (await rig.ask("GET", "/incidents/inc_9"))[0] == 404
    assert (await rig.ask("GET", "/incidents/inc_9", role=None))[0] == 303


async def test_an_incident_whose_canaries_wait_for_their_host_says_until_when(rig):
    await rig.fill(1)
    now = rig.clock.now()

    def failed(standing):
        step = Transition("mb_0000", standing.version + 1, now, standing.state, State.SUSPECT, Trigger.PROBE_FAILED)
        step = replace(step, cause=Cause.CONNECTION_REFUSED, evidence=FAILURES[Cause.CONNECTION_REFUSED])
        after = replace(standing, state=State.SUSPECT, version=standing.version + 1, proven=True, due_at=now)
        return Decision(standing, after, transitions=(step,))

    await rig.store.change("mb_0000", failed, BY)
    scope = Scope(ScopeKind.PROVIDER, (await rig.store.find("mb_0000")).mailbox.provider)
    await rig.store.incidents.save([stored(0, now, scope=scope, closed_at=None)])
    assert "leaves it alone until" not in (await rig.ask("GET", "/incidents/inc_000"))[2]
    await refused(rig.store, now, 3)
    text = (await rig.ask("GET", "/incidents/inc_000"))[2]
    assert "imap.example.org refused 3 logins within 10 min, so mailwatch leaves it alone until 12:10 UTC" in text


async def test_only_who_may_act_is_offered_to_close_one_that_goes_on(rig):
    now = rig.clock.now()
    await rig.store.incidents.save([stored(0, now, closed_at=None, reopened=1), stored(1, now)])
    assert """data-close-incident="inc_000" data-version='"2"'""" in (await rig.ask("GET", "/incidents/inc_000", role="act"))[2]
    assert "data-close-incident" not in (await rig.ask("GET", "/incidents/inc_000", role="read"))[2]
    assert "data-close-incident" not in (await rig.ask("GET", "/incidents/inc_001", role="act"))[2]


async def test_the_list_of_mailboxes_tells_of_open_incidents(rig):
    await rig.fill(1)
    assert "has an incident" not in (await rig.ask("GET", "/mailboxes"))[2]
    await rig.store.incidents.save([stored(number, rig.clock.now(), closed_at=None) for number in range(5)])
    for path in ("/mailboxes", "/mailboxes/rows?id=mb_0000"):
        text = (await rig.ask("GET", path))[2]
        assert text.count("<strong>Google has an incident</strong>") == 3
        assert "2 more incidents" in text
