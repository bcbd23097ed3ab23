"""Ending an incident by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW
from fakes.incidents import FakeIncidents
from fakes.ports import FakeClock
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.desk.outages import Outages
from mailwatch.ports import Act
from mailwatch.ports.campaigns import StaleError
from mailwatch.ports.incidents import IncidentNotFoundError, IncidentOverError

OUTAGE = Incident("inc_1", Scope(ScopeKind.PROVIDER, "google"), Cause.SERVER_UNAVAILABLE, NOW, NOW, 312, 0.78)
BY = Act("user:ana", "incident.close", "192.0.2.7")


def desk(*known):
    incidents = FakeIncidents()
    incidents.stored = {each.id: each for each in known}
    return Outages(incidents, FakeClock(NOW + timedelta(minutes=5))), incidents


async def test_it_is_over_from_now_on_and_what_waits_is_due():
    outages, incidents = desk(OUTAGE)
    assert (await outages.close("inc_1", BY)).closed_at == NOW + timedelta(minutes=5)
    assert not incidents.stored["inc_1"].is_open
    assert (incidents.acts, incidents.hastened) == ([BY], ["inc_1"])


async def test_one_that_is_over_stays_as_it_is():
    outages, incidents = desk(replace(OUTAGE, closed_at=NOW))
    with pytest.raises(IncidentOverError) as told:
        await outages.close("inc_1", BY)
    assert told.value.closed_at == NOW
    assert (incidents.acts, incidents.hastened) == ([], [])


async def test_one_that_came_back_since_it_was_looked_at_is_not_closed():
    outages, incidents = desk(replace(OUTAGE, reopened=1))
    with pytest.raises(StaleError):
        await outages.close("inc_1", BY, version=OUTAGE.version)
    assert (incidents.acts, incidents.hastened) == ([], [])


async def test_one_that_is_not_there_is_told():
    outages, _ = desk()
    with pytest.raises(IncidentNotFoundError):
        await outages.close("inc_1", BY)
