"""The simulated providers as a process of their own, and a node that watches them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from integration.node import Node

_PROGRAM = Path(__file__).with_name("directed_sim.py")

#: What the daemon is told about the simulated providers: they all live on this host.
PROVIDER = """
[providers.{name}]
domains = [{domains}]
max_connections = 200
logins_per_minute = 60000
burst = 500
per_address_bans = false
"""


class Simulation:
    """`python -m mailwatch.sim` with *steps* as its script, which begins with it; a context manager.

    What must meet the daemon at work is not told beforehand, since nobody knows when that is: `play` it then.
    """

    def __init__(self, root, steps, *, providers="hoster-a,hoster-b,yahoo", mailboxes=100, seed=1):
        script = root / "script.json"
        script.write_text(json.dumps(steps))
        self._command = [
            *(sys.executable, str(_PROGRAM), "--accounts"),
            *("--providers", providers, "--mailboxes", str(mailboxes), "--seed", str(seed), "--script", str(script)),
        ]
        self.totals = None

    def __enter__(self):
        self.process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.described = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.end()

    @property
    def mailboxes(self):
        return self.described["mailboxes"]

    def play(self, *steps):
        """Have further steps carried out, their `at` counted from now."""
        self.process.stdin.write(json.dumps(steps) + "\n")
        self.process.stdin.flush()

    def end(self):
        """End it; its ledger's totals by provider."""
        if self.totals is None:
            self.process.send_signal(signal.SIGTERM)
            out, _ = self.process.communicate(timeout=120)
            self.totals = json.loads(out.splitlines()[-1])["totals"]
        return self.totals

    def node(self, root, *, ca_file=None, add=True, **options):
        """A node with all of its mailboxes; *ca_file* instead of the simulation's own; without *add* they are there already."""
        domains = {}
        for mailbox in self.mailboxes:
            domains.setdefault(mailbox["provider"], set()).add(mailbox["address"].partition("@")[2])
        tables = "".join(
            PROVIDER.format(name=name, domains=", ".join(f'"{domain}"' for domain in sorted(those)))
            for name, those in domains.items()
        )
        node = Node(root, ca_file or self.described["ca_file"], extra=tables, **options)
        if add:
            self.add_to(node)
        return node

    def add_to(self, node):
        """Import all of its mailboxes."""
        rows = node.root / "import.jsonl"
        keys = ("address", "imap", "smtp", "username", "auth", "secret", "oauth_app")
        lines = [{key: mailbox[key] for key in keys if mailbox[key] is not None} for mailbox in self.mailboxes]
        rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
        node.verb("mailbox", "import", str(rows), "--format", "jsonl")
