"""A real Alertmanager on loopback, and a receiver of its webhooks that keeps what it is told."""

import contextlib
import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from servers.process import ServerProcess, free_port, wait_until

PROGRAM = "/usr/bin/prometheus-alertmanager"


class Receiver:
    """Where notifications arrive; `told(path)` are those for one receiver of the configuration."""

    def __init__(self) -> None:
        self._told: list[tuple[str, dict[str, Any]]] = []
        receiver = self

        class Takes(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver._told.append((self.path, json.loads(body)))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="receiver")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def told(self, path: str | None = None, status: str | None = None) -> list[dict[str, Any]]:
        """Notifications so far, by receiver and by whether they fire or are resolved."""
        return [one for to, one in list(self._told) if path in (None, to) and status in (None, one["status"])]

    @contextlib.contextmanager
    def running(self) -> Iterator["Receiver"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class Alertmanager:
    """One Alertmanager of its own directory; it may be stopped and started again."""

    def __init__(self, root: Path, configuration: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (root / "alertmanager.yml").write_text(configuration)
        command = [
            PROGRAM,
            f"--config.file={root / 'alertmanager.yml'}",
            f"--storage.path={root / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        self.process = ServerProcess("alertmanager", command, log=root / "alertmanager.log")

    def start(self) -> None:
        """Start, and wait until it is ready."""
        self.process.start(self.port)
        wait_until(self._ready, "Alertmanager ready")

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts it holds, with their status."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=60) as answer:
            return json.load(answer)

    def notified(self) -> float:
        """How many notifications it knows to have arrived: a receiver has one before Alertmanager knows that."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=60) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "alertmanager_notifications_total" and sample.labels.get("integration") == "webhook"
        )

    def _ready(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/-/ready", timeout=10) as answer:
            return answer.status == 200
        return False
