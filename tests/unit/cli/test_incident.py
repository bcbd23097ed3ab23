"""`mailwatch incident list|show|close`: outages for people and programs."""

from dataclasses import replace
from datetime import timedelta

from contract.fleet import NOON
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind

OUTAGE = Incident("inc_1", Scope(ScopeKind.PROVIDER, "google"), Cause.SERVER_UNAVAILABLE, NOON, NOON, 312, 0.78)


def keep(installed, *incidents):
    installed.with_store(lambda store: store.incidents.save(incidents))


def test_incidents_are_listed_newest_first(installed):
    installed.fill(1)
    ended = replace(OUTAGE, id="inc_0", opened_at=NOON - timedelta(days=1), closed_at=NOON, reopened=2)
    keep(installed, OUTAGE, ended)
    listed = installed.json("incident", "list")["incidents"]
    assert [each["id"] for each in listed] == ["inc_1", "inc_0"]
    assert listed[0]["scope"] == {"provider": "google"}
    assert [each["id"] for each in installed.json("incident", "list", "--open")["incidents"]] == ["inc_1"]
    text = installed.well("incident", "list")
    assert "provider:google: server_unavailable, 312 mailboxes, up to 78%" in text
    assert "lasted 1 d, came back 2 times" in text


def test_one_incident_is_shown_with_what_it_took(installed):
    installed.fill(1)
    keep(installed, OUTAGE)
    shown = installed.json("incident", "show", "inc_1")
    assert (shown["failed"], shown["mailboxes"], shown["campaigns"]) == (312, [], [])
    assert "mailboxes  none" in installed.well("incident", "show", "inc_1")


def test_one_that_is_not_there_is_a_wrong_usage(installed):
    installed.fill(1)
    assert installed.run("incident", "show", "inc_none").exit_code == 2


def test_where_there_was_none_that_is_said(installed):
    installed.fill(1)
    assert "there was no incident yet" in installed.run("incident", "list").stderr


def test_a_person_says_that_one_is_over(installed):
    installed.fill(1)
    keep(installed, OUTAGE)
    assert "inc_1 closed: what waits at provider:google is due now" in installed.run("incident", "close", "inc_1").stderr
    assert installed.json("incident", "list", "--open")["incidents"] == []

    async def audit(store):
        return [(row.action, row.origin, row.subject) for row in await store.pages.audit(None, 9) if row.subject == "inc_1"]

    assert installed.with_store(audit) == [("incident.close", "cli", "inc_1")]
    assert "inc_1 is over since" in installed.run("incident", "close", "inc_1").stderr
    assert len(installed.with_store(audit)) == 1


def test_closing_one_that_is_not_there_is_a_wrong_usage(installed):
    installed.fill(1)
    said = installed.run("incident", "close", "inc_none")
    assert said.exit_code == 2
    assert "`mailwatch incident list` shows those there are" in said.stderr
