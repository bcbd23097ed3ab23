"""A real Prometheus on loopback with the shipped rules, all of their waits scaled down alike."""

import contextlib
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from servers.process import ServerProcess, free_port, wait_until

PROGRAM = "/usr/bin/prometheus"
ALERTS = Path(__file__).resolve().parents[2] / "alerts"
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
#: What a busy machine may bring about by itself, with waits scaled down to seconds: a scrape that comes too late, a daemon that is
#: starved.  They tell of mailwatch's own process, never of a mailbox, a provider or a person.
OF_THE_MACHINE = frozenset({"MailwatchDown", "MailwatchNodeDown", "MailwatchEventLoopBlocked"})


def hurried(text: str, factor: float) -> str:
    """Rules whose `interval`, `for` and `keep_firing_for` are so many times shorter; what they look at stays as it is."""

    def shorter(found: re.Match[str]) -> str:
        seconds = float(found["amount"]) * _UNITS[found["unit"]] / factor
        return f"{found['key']}: {max(1, round(seconds * 1000))}ms"

    return re.sub(
        r"(?P<key>\b(?:interval|for|keep_firing_for)): (?P<amount>\d+)(?P<unit>[smh])$", shorter, text, flags=re.MULTILINE
    )


class Prometheus:
    """Scrapes one target as the job `mailwatch` and tells one Alertmanager."""

    def __init__(self, root: Path, *, target: str, alertmanager: str, factor: float = 60.0) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        for path in ALERTS.glob("mailwatch.*.yml"):
            (root / path.name).write_text(hurried(path.read_text(), factor))
        made = {
            "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [str(root / "mailwatch.*.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
            "scrape_configs": [{"job_name": "mailwatch", "static_configs": [{"targets": [target]}]}],
        }
        (root / "prometheus.yml").write_text(yaml.safe_dump(made))
        command = [
            PROGRAM,
            f"--config.file={root / 'prometheus.yml'}",
            f"--storage.tsdb.path={root / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            # four times that an alert holds at Alertmanager unless it is told again: longer than a busy machine makes it wait
            "--rules.alert.resend-delay=15s",
        ]
        self.process = ServerProcess("prometheus", command, log=root / "prometheus.log")

    def start(self) -> None:
        """Start, and wait until it is ready."""
        self.process.start(self.port)
        wait_until(lambda: self._get("/-/ready") is not None, "Prometheus ready")

    def firing(self) -> list[dict[str, str]]:
        """The labels of the alerts that fire."""
        body = self._get("/api/v1/alerts") or b'{"data":{"alerts":[]}}'
        alerts: list[dict[str, Any]] = json.loads(body)["data"]["alerts"]
        return [alert["labels"] for alert in alerts if alert["state"] == "firing"]

    def _get(self, path: str) -> bytes | None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}{path}", timeout=60) as answer:
            return answer.read()
        return None
