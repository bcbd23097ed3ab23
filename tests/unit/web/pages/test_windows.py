"""Maintenance windows in words, and their page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.maintenance import Every, Window
from mailwatch.ports import Act
from mailwatch.web.pages.windows import ended_of, line_of, rhythm_of

TWO = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 02:00 in Berlin, a Monday
HOUR = timedelta(hours=1)
WINDOW = Window("mw_1", "Storage upgrade", None, TWO, 3600.0, zone="Europe/Berlin", created_by="user:ada", created_at=TWO)
BY = Act("cli:test", "maintenance.add")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"every": Every.DAILY}, "every day at 02:00 (Europe/Berlin)"),
        ({"every": Every.WEEKLY, "until_at": TWO + 30 * 24 * HOUR}, "every Monday at 02:00 (Europe/Berlin), until 2026-12-23"),
    ],
)
def test_a_rhythm_is_told_on_the_wall_clock_it_keeps_to(changes, words):
    assert rhythm_of(replace(WINDOW, **changes)) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"ended_at": TWO - HOUR}, "cancelled before it began"),
        ({"ended_at": TWO + HOUR / 2}, "ended after 30 min"),
        ({"ended_at": TWO + 2 * HOUR}, ""),
        ({"ended_at": TWO + HOUR, "every": Every.DAILY}, "recurs no more since 2026-11-23 02:00 UTC"),
    ],
)
def test_how_a_person_ended_it_is_told(changes, words):
    assert ended_of(replace(WINDOW, **changes)) == words


def test_a_window_runs_comes_or_is_over():
    running = line_of(replace(WINDOW, scope=Scope(ScopeKind.PROVIDER, "google")), TWO)
    assert (running.scope, running.running_until_at, running.next_at, running.is_over) == ("Google", TWO + HOUR, None, False)
    coming = line_of(WINDOW, TWO - HOUR)
    assert (coming.scope, coming.running_until_at, coming.next_at, coming.is_over) == ("All mailboxes", None, TWO, False)
    assert line_of(WINDOW, TWO + HOUR).is_over


async def declared(rig, *windows):
    for window in windows:
        await rig.store.maintenance.add(window, BY)


async def test_the_page_tells_what_runs_what_comes_and_what_is_over(rig):
    now = rig.clock.now()
    assert "None is declared." in (await rig.ask("GET", "/maintenance"))[2]
    await declared(
        rig,
        replace(WINDOW, id="comes", title="It comes", starts_at=now + HOUR, every=Every.DAILY),
        replace(WINDOW, id="runs", title="It runs", starts_at=now - HOUR / 2),
        replace(WINDOW, id="was", title="It was", starts_at=now - 9 * HOUR),
    )
    text = (await rig.ask("GET", "/maintenance"))[2]
    assert text.index("It runs") < text.index("It comes") < text.index("It was")
    assert text.count("It comes</strong>") == text.count("It was") == 1
    assert "1 running" in text
    assert 'data-end-window="runs" data-title="It runs" data-running' in text
    assert 'data-end-window="comes" data-title="It comes" data-recurs' in text
    reader = (await rig.ask("GET", "/maintenance", role="read"))[2]
    assert "It runs" in reader
    assert "data-end-window" not in reader
    assert "data-declare-window" not in reader


async def test_what_is_over_is_listed_page_by_page(rig):
    now = rig.clock.now()
    many = [
        replace(WINDOW, id=f"mw_{number:03}", title=f"Old {number}", starts_at=now - 99 * HOUR, created_at=now - number * HOUR)
        for number in range(60)
    ]
    await declared(rig, *many)
    text = (await rig.ask("GET", "/maintenance"))[2]
    assert text.count("<td>Old ") == 50
    assert 'href="/maintenance?before=mw_049#over"' in text
    assert (await rig.ask("GET", "/maintenance?before=mw_049"))[2].count("<td>Old ") == 10


async def test_a_running_window_is_told_above_the_mailboxes_and_on_those_it_covers(rig):
    await rig.fill(1)
    now = rig.clock.now()
    await declared(rig, replace(WINDOW, scope=Scope(ScopeKind.DOMAIN, "example.org"), starts_at=now))
    text = (await rig.ask("GET", "/mailboxes"))[2]
    assert "Maintenance: Storage upgrade</strong>" in text
    assert "the domain example.org, until" in text
    assert "Storage upgrade, until" in (await rig.ask("GET", "/mailboxes/mb_0000"))[2]
