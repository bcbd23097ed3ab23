"""Maintenance windows at rest."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.campaigning import events_of
from contract.fleet import NOON, add, oauth_mailbox, password_mailbox
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.maintenance import Every, Window
from mailwatch.ports import Act
from mailwatch.ports.maintenance import WindowNotFoundError

ACT = Act("cli:test", "maintenance.add")
WINDOW = Window(
    "mw_1",
    "kernel upgrade",
    Scope(ScopeKind.PROVIDER, "google"),
    NOON,
    3600.0,
    Every.WEEKLY,
    "Europe/Berlin",
    NOON + timedelta(weeks=10),
    "cli:test",
    NOON,
)


def hours(count):
    return NOON + timedelta(hours=count)


async def test_a_window_is_read_back_as_it_was_declared(store):
    await store.maintenance.add(WINDOW, ACT)
    assert await store.maintenance.windows(NOON) == [WINDOW]
    assert await store.maintenance.all(10) == [WINDOW]


async def test_that_one_is_declared_or_ended_by_a_person_is_an_event_each(store):
    await store.maintenance.add(WINDOW, ACT)
    for _ in range(2):
        await store.maintenance.end("mw_1", hours(0.5), ACT)
    told = await events_of(store, "maintenance.")
    assert [(each.type, each.content["window"], each.content["change"]) for each in told] == [
        ("maintenance.changed", "mw_1", "declared"),
        ("maintenance.changed", "mw_1", "ended"),
    ]
    assert (told[0].content["scope"], told[0].content["seconds"], told[0].content["ended_at"]) == (
        {"provider": "google"},
        3600,
        None,
    )
    assert told[1].content["ended_at"] == "2026-11-22T12:30:00Z"


async def test_mailboxes_are_counted_by_what_they_share(store):
    await add(store, password_mailbox(1), password_mailbox(2, host="example.net"), oauth_mailbox(3))
    covered = {
        None: 3,
        Scope(ScopeKind.PROVIDER, "google"): 1,
        Scope(ScopeKind.OAUTH_APP, "outreach"): 1,
        Scope(ScopeKind.DOMAIN, "example.org"): 2,
        Scope(ScopeKind.ENDPOINT, "smtp.example.net"): 1,
        Scope(ScopeKind.DOMAIN, "example.com"): 0,
    }
    assert {scope: await store.maintenance.covered(scope) for scope in covered} == covered
    names = [await store.maintenance.names(kind) for kind in (ScopeKind.PROVIDER, ScopeKind.OAUTH_APP, ScopeKind.DOMAIN)]
    assert [list(each) for each in names] == [["google", "other"], ["outreach"], []]


async def test_windows_that_are_over_are_listed_among_all_alone(store):
    once = replace(WINDOW, id="mw_2", every=Every.ONCE, until_at=None, scope=None)
    await store.maintenance.add(once, ACT)
    assert await store.maintenance.windows(hours(0.5)) == [once]
    assert await store.maintenance.windows(hours(1)) == []
    assert await store.maintenance.all(10) == [once]


async def test_one_that_is_ended_comes_no_more_and_keeps_its_first_end(store):
    await store.maintenance.add(WINDOW, ACT)
    ended = await store.maintenance.end("mw_1", hours(0.5), Act("cli:test", "maintenance.end"))
    assert ended.ended_at == hours(0.5)
    assert (await store.maintenance.end("mw_1", hours(2), ACT)).ended_at == hours(0.5)
    assert await store.maintenance.windows(hours(1)) == []


async def test_ending_one_that_is_not_there_says_so(store):
    with pytest.raises(WindowNotFoundError, match="maintenance list"):
        await store.maintenance.end("mw_none", NOON, ACT)


async def test_all_of_them_are_paged_newest_declaration_first(store):
    for number in range(3):
        await store.maintenance.add(replace(WINDOW, id=f"mw_{number}", created_at=NOON + timedelta(minutes=number // 2)), ACT)
    first = await store.maintenance.all(2)
    second = await store.maintenance.all(2, before=first[-1].id)
    assert [window.id for window in (*first, *second)] == ["mw_2", "mw_0", "mw_1"]
    assert await store.maintenance.all(2, before="mw_none") == []
