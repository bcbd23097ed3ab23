"""What mailboxes have in common just now: which incident one is in, what runs, how often canaries look."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW, a_mailbox, a_standing
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.core.maintenance import Window
from mailwatch.ports import Act, MailboxView
from mailwatch.web.pages.notices import Notices, notices_of
from mailwatch.web.pages.visits import Visit

GOOGLE = Scope(ScopeKind.PROVIDER, "google")
DOWN = Incident("inc_1", GOOGLE, Cause.CONNECTION_TIMEOUT, NOW, NOW, 9, 0.9, size=10)
BY = Act("cli:test", "test")


def view(state, mailbox_id="mb_0000", provider="google", **fields):
    return MailboxView(a_mailbox(mailbox_id, provider=provider), a_standing(state, mailbox_id, **fields))


def visit_of(rig):
    return Visit(None, rig.surface, None, NOW)


def test_a_mailbox_is_in_the_incident_of_its_scope_that_takes_most():
    domain = replace(DOWN, id="inc_2", scope=Scope(ScopeKind.DOMAIN, "example.org"), peak_share=0.1)
    notices = Notices((domain, DOWN))
    assert notices.incident_of(a_mailbox(provider="google")) is DOWN
    assert notices.incident_of(a_mailbox(provider="other")) is domain
    assert Notices((DOWN,)).incident_of(a_mailbox(provider="other")) is None
    assert Notices((replace(DOWN, scope=EGRESS),)).incident_of(a_mailbox(provider="other")) is not None
    assert Notices().incident_of(a_mailbox()) is None


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({}, 15.0),
        ({"incidents": {"canary_seconds": 40, "circuits": True}}, 40.0),
        ({"incidents": {"canary_seconds": 40, "circuits": False}}, None),
    ],
)
async def test_the_pace_of_canaries_is_the_configurations(rig, settings, seconds):
    surface = replace(rig.surface, describe=lambda: settings)
    assert (await notices_of(Visit(None, surface, None, NOW))).canary_seconds == seconds


async def test_a_mailbox_that_works_is_told_of_only_where_its_sending_is_closed(rig):
    await rig.fill(1)
    notices, visit = Notices((DOWN,), canary_seconds=15.0), visit_of(rig)
    assert notices.part_of(visit, view(State.CONNECTED)) is None
    away = notices.part_of(visit, view(State.RECONNECTING, since_at=NOW))
    assert (away.incident, away.closed) == (DOWN, None)
    assert notices.part_of(visit, view(State.RECONNECTING, provider="other", since_at=NOW)) is None
    await rig.surface.desk.hold("mb_0000", BY, Cause.WARMUP_PAUSE, None)
    assert notices.part_of(visit, view(State.HELD)) is None


async def test_open_incidents_and_running_windows_are_read_as_the_page_is_made(rig):
    now = rig.clock.now()
    await rig.store.incidents.save(
        [replace(DOWN, opened_at=now), replace(DOWN, id="inc_0", closed_at=now), replace(DOWN, id="inc_2", failed=12, size=20)]
    )
    for name, hours in (("runs", -1), ("comes", 5)):
        await rig.store.maintenance.add(Window(name, name, None, now + timedelta(hours=hours), 7200.0, created_at=now), BY)
    told = await notices_of(Visit(None, rig.surface, None, now))
    assert [each.id for each in told.incidents] == ["inc_2", "inc_1"]
    assert [(window.id, ends_at - now) for window, ends_at in told.windows] == [("runs", timedelta(hours=1))]
    assert told.windows_of(a_mailbox())
    nothing = replace(rig.surface, incidents=None, maintenance=None)
    assert await notices_of(Visit(None, nothing, None, now)) == Notices(canary_seconds=15.0)


def test_a_window_covers_its_scope_alone():
    window = Window("mw_1", "move", GOOGLE, NOW, 60.0)
    notices = Notices(windows=((window, NOW),))
    assert notices.windows_of(a_mailbox(provider="google"))
    assert not notices.windows_of(a_mailbox(provider="other"))
