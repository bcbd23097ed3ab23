"""A whole mailwatch as its operators have it: a configuration file, a key ring, a database, the daemon as a process, the CLI."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from servers.process import free_port

CONFIG = """
[store]
url = "{store}"
node = "{name}"
{password}
[web]
listen = "127.0.0.1:{port}"
{web}
[secrets]
keyring = {{ file = "{root}/keyring.json" }}
[probing]
interval_seconds = {interval}
timeout_seconds = {timeout}
max_in_flight = {max_in_flight}
[confirm]
min_seconds = 1
max_seconds = 2
secret_seconds = 60
[backoff.transient]
first_seconds = 2
max_seconds = 8
[verify]
successes = 2
min_seconds = {verify_seconds}
spacing_seconds = 2
[providers.lab]
hosts = ["localhost"]
max_connections = 200
logins_per_minute = 60000
burst = 500
per_address_bans = {bans}
[incidents]
circuits = {circuits}
canary_seconds = {canary_seconds}
ramp_doubles_seconds = {ramp_doubles_seconds}
[network]
allow_private_hosts = true
ca_file = "{ca}"
{canaries}
"""


class Node:
    """One node below *root*.  `interval` and `timeout` in seconds; without `circuits` every mailbox is retried by itself.

    *canaries* are places, as `host:port`, that tell whether our own network works.  Where no server hangs, a long `timeout` keeps a
    machine that is busy for some seconds from passing for a server that is.  All waiting here is for what comes in a moment when
    all is well; how long it may take at most is generous, since that is the machine's.
    """

    def __init__(
        self,
        root,
        ca_file,
        *,
        interval=10,
        timeout=10,
        verify_seconds=3,
        max_in_flight=100,
        store=None,
        password=None,
        bans="false",
        circuits="false",
        canary_seconds=15,
        ramp_doubles_seconds=10,
        canaries=(),
        extra="",
        web="",
        name="a",
    ):
        self.root = Path(root)
        self.root.mkdir(exist_ok=True)
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = self.root / "mailwatch.db"
        self.store = store or f"sqlite:///{self.database}"
        self.config = self.root / "mailwatch.toml"
        text = CONFIG.format(
            store=self.store,
            name=name,
            password=f'password = {{ file = "{password}" }}' if password else "",
            port=self.port,
            web=web,
            root=self.root,
            interval=interval,
            timeout=timeout,
            verify_seconds=verify_seconds,
            max_in_flight=max_in_flight,
            bans=bans,
            circuits=circuits,
            canary_seconds=canary_seconds,
            ramp_doubles_seconds=ramp_doubles_seconds,
            canaries=f"canaries = {json.dumps(list(canaries))}" if canaries else "",
            ca=ca_file,
        )
        self.config.write_text(text + extra)
        self.config.chmod(0o600)
        self.log = self.root / "daemon.log"
        self.process = None
        if not (self.root / "keyring.json").exists():
            self.cli("key", "generate", "--out", str(self.root / "keyring.json"))
        self.cli("db", "migrate", *self._config)

    @property
    def _config(self):
        return ("--config", str(self.config))

    def cli(self, *arguments, text=None, expect=0):
        """Run a verb; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "mailwatch", *arguments],
            input=text,
            capture_output=True,
            text=True,
            env=self._environment(),
            timeout=300,
        )
        assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def verb(self, *arguments, **options):
        """Run a verb of this node: with its configuration."""
        return self.cli(*arguments, *self._config, **options)

    def add_users(self, users, imap_url, smtp_url=None, *, domain="mail.test", password=None):
        """Import *users* with the passwords `pw-USER` (or what *password* makes of them)."""
        rows = ["address,imap,smtp,username,auth,secret"]
        for user in users:
            secret = password(user) if password else f"pw-{user}"
            rows.append(f"{user}@{domain},{imap_url},{smtp_url or ''},{user},password,{secret}")
        path = self.root / "import.csv"
        path.write_text("\n".join(rows) + "\n")
        self.verb("mailbox", "import", str(path))

    def long_watched(self, *, overdue_seconds=0):
        """Make it look as if all mailboxes had been connected for long, and had become due within the last *overdue_seconds*."""
        now = int(time.time() * 1e6)
        with sqlite3.connect(self.database) as connection:
            connection.execute(
                "UPDATE standings SET state = 'connected', rest = ?, due_at = ? - abs(random()) % ?",
                (json.dumps({"proven": True}), now, int(overdue_seconds * 1e6) + 1),
            )
        connection.close()

    def start(self, *, wait=True, before=(), program=("-m", "mailwatch"), environment=None):
        """Start the daemon; returns when it is ready.

        *before* is a command that starts commands (prlimit, strace); *program* is what Python runs instead of mailwatch itself.
        """
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*before, sys.executable, *program, "run", *self._config],
                stdout=log,
                stderr=log,
                env=self._environment() | (environment or {}),
            )
        if wait:
            self.wait(self.is_ready, "the daemon to be ready")
        return self

    def stop(self, number=signal.SIGTERM, timeout=180):
        """Signal the daemon and wait; its exit code."""
        if self.process is None:
            return None
        self.process.send_signal(number)
        code = self.process.wait(timeout)
        self.process = None
        return code

    def is_ready(self):
        """Whether /-/ready says so."""
        assert self.process.poll() is None, f"the daemon ended: {self.log.read_text()[-3000:]}"
        try:
            return self.get("/-/ready")[0] == 200
        except OSError:
            return False

    def refused(self, *arguments):
        """(exit code, standard error) of a daemon that does not get as far as being ready; *arguments* instead of `run`."""
        done = subprocess.run(
            [sys.executable, "-m", "mailwatch", *(arguments or ("run",)), *self._config],
            capture_output=True,
            text=True,
            env=self._environment(),
            timeout=180,
        )
        return done.returncode, done.stderr

    def get(self, path):
        """(status, body) of a GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        """{(name, frozenset of labels): value}."""
        samples = {}
        for family in text_string_to_metric_families(self.get("/metrics")[1]):
            for sample in family.samples:
                samples[sample.name, frozenset(sample.labels.items())] = sample.value
        return samples

    def metric(self, name, **labels):
        """The sum of a metric's samples with these labels."""
        wanted = set(labels.items())
        return sum(value for (found, having), value in self.metrics().items() if found == name and wanted <= having)

    def status(self):
        """What `/api/v1/status` says."""
        return json.loads(self.get("/api/v1/status")[1])

    def states(self):
        """{state: count} as the database has it."""
        return dict(self.query("SELECT state, count(*) FROM standings GROUP BY state"))

    def query(self, sql, *parameters):
        """Rows of the database, read beside the daemon."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=60) as connection:
            return connection.execute(sql, parameters).fetchall()

    def history(self, address):
        """The transitions of a mailbox, from the CLI."""
        return json.loads(self.verb("mailbox", "history", address, "--json"))["history"]

    def wait(self, condition, what, seconds=240):
        """Until *condition()* is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.2)
        states = self.states() if self.database.exists() else None
        raise AssertionError(f"waited {seconds} s for {what}; states: {states}; log: {self.log.read_text()[-3000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _environment(self):
        return {key: value for key, value in os.environ.items() if not key.startswith("MAILWATCH_")} | {"NO_COLOR": "1"}
