"""What Alertmanager is told by this node."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from contract.fleet import add, moved, password_mailbox
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.daemon import pushing as module
from mailwatch.daemon.parts import Alerting
from mailwatch.daemon.pushing import Pushing
from mailwatch.ports.delivery import HttpAnswer


class Poster:
    """Takes every alert."""

    def __init__(self):
        self.sent = []

    async def post(self, url, headers, body, *, timeout_seconds):
        self.sent += json.loads(body)
        return HttpAnswer(200, {}, b"")


@pytest.fixture
async def pushing(stage):
    poster = Poster()
    daemon = stage.daemon()
    await daemon.parts.store.open()
    made = Pushing(
        daemon.parts, Alerting(poster, ("http://127.0.0.1:9093",)), page_url=lambda: "", provider_of=lambda scope: scope.name
    )
    made.poster, made.stage = poster, stage
    made.start()
    yield made
    await made.stop()
    await daemon.parts.store.close()


def an_outage(pushing, **changes):
    now = pushing._clock.now()
    known = Incident("inc_1", Scope(ScopeKind.PROVIDER, "google"), Cause.SERVER_UNAVAILABLE, now, now, 300, 1.0, size=300)
    return replace(known, **changes)


async def test_an_outage_is_told_at_once_with_provider_and_cause(pushing):
    await pushing.tell([an_outage(pushing)], settle_seconds=60.0)
    await pushing.stage.until(lambda: pushing.poster.sent, "the alert")
    labels = pushing.poster.sent[0]["labels"]
    assert (labels["provider"], labels["cause"]) == ("google", "server_unavailable")


async def test_declared_maintenance_alerts_nobody(pushing):
    await pushing.tell([an_outage(pushing, cause=Cause.PLATFORM_MAINTENANCE)], settle_seconds=0.0)
    assert pushing._told == {}


async def test_a_small_one_is_told_when_its_size_is_known(pushing):
    small = an_outage(pushing, failed=6, peak_share=0.1, size=60)
    await pushing.tell([small], settle_seconds=60.0)
    assert pushing._told == {}
    await pushing.tell([small], settle_seconds=0.0)
    assert list(pushing._told) == ["inc_1"]


async def test_another_node_tells_from_now_on(pushing):
    await pushing.tell([an_outage(pushing)], settle_seconds=0.0)
    pushing.forget()
    assert pushing._told == {}


async def test_the_end_of_an_incident_is_told_after_the_rules_own_alerts_are_over(pushing):
    await pushing.tell([an_outage(pushing)], settle_seconds=0.0)
    await pushing.tell([], settle_seconds=0.0)
    assert list(pushing._told) == ["inc_1"]
    incident, open_at = pushing._told["inc_1"]
    pushing._told["inc_1"] = (incident, open_at - timedelta(seconds=181))
    await pushing.tell([], settle_seconds=0.0)
    assert pushing._told == {}


async def test_that_our_own_network_is_down_the_rules_tell_first_and_last(pushing):
    cut = an_outage(pushing, scope=EGRESS, cause=Cause.LOCAL_NETWORK_DOWN, failed=0)
    await pushing.tell([cut], settle_seconds=0.0)
    assert pushing._told == {}
    await pushing.tell([replace(cut, opened_at=cut.opened_at - timedelta(seconds=61))], settle_seconds=0.0)
    assert list(pushing._told) == ["inc_1"]
    await pushing.tell([], settle_seconds=0.0)
    assert pushing._told == {}


async def blocked(pushing, **labels):
    """Three blocked mailboxes; the first has *labels*."""
    store, now = pushing._store, pushing._clock.now()
    await add(store, password_mailbox(0, labels=labels), password_mailbox(1), password_mailbox(2, host="taken.test"), due_at=now)
    for claim in await store.claim_due(now + timedelta(seconds=1), 10, 60):
        moves = moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, at=now, cause=Cause.PASSWORD_EXPIRED)
        await store.record(claim, moves)


def sent(pushing, alert):
    return [row for row in pushing.poster.sent if row["labels"]["alertname"] == alert]


async def test_who_waits_for_a_person_is_one_alert_for_all_of_a_cause(pushing):
    await blocked(pushing)
    await pushing.tell([], settle_seconds=0.0)
    await pushing.stage.until(lambda: pushing.poster.sent, "the alert")
    (row,) = pushing.poster.sent
    assert (row["labels"]["alertname"], row["labels"]["cause"]) == ("MailwatchMailboxesNeedPerson", "password_expired")
    assert row["annotations"]["count"] == "3"


async def test_an_outage_hides_nobody_who_waits_for_a_reason_of_its_own(pushing):
    pushing._alerting = replace(pushing._alerting, mailbox_alerts=True)
    await blocked(pushing)
    await pushing.tell([an_outage(pushing, scope=EGRESS), an_outage(pushing, id="inc_2")], settle_seconds=60.0)
    await pushing.stage.until(lambda: sent(pushing, "MailwatchMailboxNeedsPerson"), "the alerts")
    assert len(sent(pushing, "MailwatchMailboxNeedsPerson")) == 3
    (group,) = sent(pushing, "MailwatchMailboxesNeedPerson")
    assert group["annotations"]["count"] == "3"


async def test_where_it_is_wanted_each_mailbox_is_an_alert_that_names_its_person_but_not_what_an_incident_took(pushing):
    pushing._alerting = replace(pushing._alerting, mailbox_alerts=True)
    await blocked(pushing, person="ana")
    taken = an_outage(pushing, scope=Scope(ScopeKind.DOMAIN, "taken.test"), cause=Cause.PASSWORD_EXPIRED, failed=1, peak_share=0.1)
    await pushing.tell([taken], settle_seconds=60.0)
    await pushing.stage.until(lambda: sent(pushing, "MailwatchMailboxNeedsPerson"), "the alerts")
    persons = {row["labels"]["mailbox"]: row["labels"].get("person") for row in sent(pushing, "MailwatchMailboxNeedsPerson")}
    assert persons == {"mb_0000": "ana", "mb_0001": None}


async def test_no_more_mailboxes_have_an_alert_of_their_own_than_is_bearable(pushing, monkeypatch):
    monkeypatch.setattr(module, "MOST_MAILBOXES", 2)
    await blocked(pushing)
    assert len(await pushing._mailboxes([])) == 2
