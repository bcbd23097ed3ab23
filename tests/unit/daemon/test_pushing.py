"""What Alertmanager is told by this node."""

import json
from dataclasses import replace

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind
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
