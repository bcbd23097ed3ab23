"""Pushes alerts to Alertmanager's v2 API, for those who want them in seconds; away from the path of probes.

Prometheus' protocol for clients: an alert is posted again and again while it fires, with an end a few rounds ahead, so that it
resolves by itself should mailwatch die; when it is over it is posted once more with its end.  Alertmanagers of one cluster tell
each other nothing of alerts, so each peer gets all of them - from a task of its own: one that hangs delays no other.
(prometheus.io, "Sending alerts"; the API's OpenAPI description, `POST /alerts`.)
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from mailwatch.delivery.alerts import Alert
from mailwatch.ports import Clock, EventLog
from mailwatch.ports.delivery import HttpError, HttpPoster

KIND: Final = "alertmanager"
TIMEOUT_SECONDS: Final = 10.0
#: For a poster that does not keep to its time-out.
_OVERTIME_SECONDS: Final = 2.0
#: An alert outlives so many rounds that were missed.
_ROUNDS_AHEAD: Final = 4
#: Between two tries of a peer that fails.
_RETRY_SECONDS: Final = 5.0
#: Alerts in one request; Alertmanager has no limit of its own, proxies have.
_AT_ONCE: Final = 500
_PATH: Final = "/api/v2/alerts"
#: How long what was said is told on: as long as a node that does not get to judging keeps the duty to (monitor.incident_watch).
TRUSTED_SECONDS: Final = 60.0


Key = tuple[tuple[str, str], ...]  #: what an alert is known by


class PushMeter(Protocol):
    """Where pushes are counted; never blocks."""

    def delivery(self, kind: str, result: str) -> None:
        """One request ended: `delivered` or `retried`."""


@dataclass(slots=True)
class _Peer:
    """One Alertmanager: what it was told, and what it must yet be told."""

    url: str
    told: dict[Key, Alert] = field(default_factory=dict)  #: firing, as far as it may know
    ends: dict[Key, tuple[Alert, datetime]] = field(default_factory=dict)  #: over, and not told yet
    due: float = 0.0  #: monotonic; when all that fires is sent again
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    failing: bool = False


class AlertPusher:
    """Keeps Alertmanagers told.  `update` says what fires now, and returns at once; `run` sends until it is cancelled.

    `update` must come again within TRUSTED_SECONDS.  A node that is cut off from its database cannot judge; another one does by
    then, and what the first went on telling would bring back to life what the second has resolved.

    *urls* are the peers of one cluster, as `http(s)://host:port[/path]`; *headers* go with every request, such as an authorization.
    """

    def __init__(
        self,
        poster: HttpPoster,
        urls: Sequence[str],
        clock: Clock,
        log: EventLog,
        meter: PushMeter,
        *,
        resend_seconds: float = 60.0,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._poster = poster
        self._clock = clock
        self._log = log
        self._meter = meter
        self._resend_seconds = resend_seconds
        self._headers = {"content-type": "application/json", **headers}
        self._firing: dict[Key, Alert] = {}
        self._said = float("-inf")  # monotonic; when `update` came last
        self._peers = [_Peer(url.rstrip("/")) for url in urls]

    def update(self, alerts: Iterable[Alert]) -> None:
        """What fires now, all of it: what is not among them any more is over.

        News are sent at once: an alert that is new or over, or whose words have changed.
        """
        firing: dict[Key, Alert] = {alert.key: alert for alert in alerts}
        now, self._said = self._clock.now(), self._clock.monotonic()
        for peer in self._peers:
            over = {key: (alert, now) for key, alert in peer.told.items() if key not in firing and key not in peer.ends}
            peer.ends.update(over)
            for key in peer.ends.keys() & firing.keys():
                del peer.ends[key]  # back before its end was told: for that peer it never ended
            if over or any(peer.told.get(key) != alert for key, alert in firing.items()):
                peer.wake.set()
        self._firing = firing

    def forget(self) -> None:
        """Tell nothing more, not even ends: another node tells from now on."""
        self._firing = {}
        for peer in self._peers:
            peer.told.clear()
            peer.ends.clear()

    async def run(self) -> None:
        """Send until cancelled; no fault of a peer ends it."""
        async with asyncio.TaskGroup() as group:
            for peer in self._peers:
                group.create_task(self._serve(peer), name=f"alertmanager-{peer.url}")

    async def finish(self, grace_seconds: float = 2.0) -> None:
        """Tell the ends that are not told yet, as far as that goes within *grace_seconds*; after `run` was cancelled."""
        late = [peer for peer in self._peers if peer.ends]
        if late:
            _, slow = await asyncio.wait([asyncio.create_task(self._send(peer)) for peer in late], timeout=grace_seconds)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    async def _serve(self, peer: _Peer) -> None:
        while True:
            peer.wake.clear()
            try:
                well = await self._send(peer)
            except Exception as error:  # noqa: BLE001  # the next round may do better; a loop that ended never will
                self._log.error("alertmanager.crashed", url=_shown(peer.url), exception=type(error).__name__, exc_info=error)
                well = False
            if not well:
                peer.due = 0.0  # who knows what arrived: all of it again
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            try:
                async with asyncio.timeout(max(0.0, peer.due - self._clock.monotonic())):
                    await peer.wake.wait()
            except TimeoutError:
                pass

    async def _send(self, peer: _Peer) -> bool:
        """Tell *peer* what it must know now; whether it took it."""
        self._doubt()
        now = self._clock.now()
        firing, whole = dict(self._firing), self._clock.monotonic() >= peer.due
        self._forget(peer, now)
        ends = dict(peer.ends)
        news = {key: alert for key, alert in firing.items() if whole or peer.told.get(key) != alert}
        until = now + timedelta(seconds=_ROUNDS_AHEAD * self._resend_seconds)
        rows = [self._row(alert, ended_at) for alert, ended_at in ends.values()]
        rows += [self._row(alert, until) for alert in news.values()]
        # A request that got no answer may have arrived all the same: what it told counts as told, and is told again.
        peer.told.update(news)
        for start in range(0, len(rows), _AT_ONCE):
            if not await self._post(peer, rows[start : start + _AT_ONCE]):
                return False
        for key, end in ends.items():
            peer.told.pop(key, None)
            if peer.ends.get(key) == end:
                del peer.ends[key]
            else:
                peer.wake.set()  # it came back while its end was on the way: there it is over, and must fire again
        if whole:
            peer.due = self._clock.monotonic() + self._resend_seconds
        return True

    def _doubt(self) -> None:
        """Forget what nobody has said for long: who judges now tells its end, or it comes by itself."""
        if self._firing and self._clock.monotonic() - self._said > TRUSTED_SECONDS:
            self._log.warning("alertmanager.not_told_on", count=len(self._firing))
            self.forget()

    def _forget(self, peer: _Peer, now: datetime) -> None:
        """An end that could not be told for long has come by itself at that peer."""
        longest = timedelta(seconds=(_ROUNDS_AHEAD + 1) * self._resend_seconds)
        for key in [key for key, (_, ended_at) in peer.ends.items() if now - ended_at > longest]:
            del peer.ends[key]
            peer.told.pop(key, None)

    @staticmethod
    def _row(alert: Alert, ends_at: datetime) -> dict[str, Any]:
        row: dict[str, Any] = {
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": _stamp(alert.since_at),
            # an end before the start is refused: two clocks may disagree
            "endsAt": _stamp(max(ends_at, alert.since_at + timedelta(milliseconds=1))),
        }
        if alert.url:
            row["generatorURL"] = alert.url
        return row

    async def _post(self, peer: _Peer, rows: list[dict[str, Any]]) -> bool:
        body = json.dumps(rows, ensure_ascii=False).encode()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS + _OVERTIME_SECONDS):
                answer = await self._poster.post(f"{peer.url}{_PATH}", self._headers, body, timeout_seconds=TIMEOUT_SECONDS)
        except HttpError as error:
            return self._judge(peer, str(error))
        except TimeoutError:
            return self._judge(peer, f"no answer within {TIMEOUT_SECONDS:g} s")
        ok = 200 <= answer.status < 300  # noqa: PLR2004  # the class of success
        return self._judge(peer, None if ok else f"answered {answer.status}")

    def _judge(self, peer: _Peer, fault: str | None) -> bool:
        """Count a request, and tell when a peer begins or ceases to fail: not each of its failures."""
        self._meter.delivery(KIND, "delivered" if fault is None else "retried")
        if fault is not None and not peer.failing:
            self._log.warning("alertmanager.failing", url=_shown(peer.url), reason=fault)
        elif fault is None and peer.failing:
            self._log.info("alertmanager.recovered", url=_shown(peer.url))
        peer.failing = fault is not None
        return fault is None


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(url: str) -> str:
    """The place without what may be secret in a URL."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
