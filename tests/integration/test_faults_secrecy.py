"""A whole run with secrets that can be recognised: they are in no sink - and a mailbox that is removed leaves nothing, even in the middle."""

import asyncio
import base64
import json
import threading
import time
import urllib.parse
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.certificates import Certificates
from fakes.dialogues import imap
from fakes.peer import ScriptedServer
from integration.node import Node
from integration.operators import NAME, PASSWORD, Person, Program
from integration.simulated import Simulation

pytestmark = [pytest.mark.slow, pytest.mark.waiting]

#: All providers are one host here: what one refuses must not keep the others' newcomers waiting.
APP = """
[budget]
host_rejected_logins = 100
[oauth.google]
client_id = "{client_id}"
client_secret = {{ file = "{secret_file}" }}
token_url = "{token_url}"
"""


def forms_of(secret, address):
    """Every form in which a secret may turn up."""
    raw = secret.encode()
    blob = b"\0" + address.encode() + b"\0" + raw
    bearer = b"user=" + address.encode() + b"\1auth=Bearer " + raw + b"\1\1"
    texts = {secret, urllib.parse.quote(secret, safe=""), raw.hex(), json.dumps(secret)[1:-1]}
    return {text.encode() for text in texts} | {base64.b64encode(one).rstrip(b"=") for one in (raw, blob, bearer)}


def shown_to_people_and_programs(node):
    """{path: what it shows} of every view of the page and every reading route of the API."""
    node.verb("user", "add", NAME, "--role", "admin", "--password-stdin", text=PASSWORD)
    admin, person = Program(node, role="admin", name="reader"), Person(node, NAME, PASSWORD)
    ids = [row[0] for row in node.query("SELECT mailbox_id FROM standings WHERE cause IS NOT NULL")]
    one_by_one = [f"/api/v1/mailboxes/{each}{part}" for each in ids for part in ("", "/history", "/sending")]
    names = (
        "mailboxes?limit=200",
        "campaigns",
        "transitions",
        "audit",
        "troubles",
        "incidents",
        "findings",
        "webhooks",
        "tokens",
        "users",
    )
    views = ("mailboxes", "incidents", "campaigns", "findings", "audit", "settings", *(f"mailboxes/{each}" for each in ids))
    shown = {path: admin.get(path) for path in (*one_by_one, *(f"/api/v1/{name}" for name in names))}
    shown |= {f"/{view}": person.get(f"/{view}") for view in views}
    shown["/api/v1/events"] = admin.stream(after=0)
    return {path: json.dumps(each).encode() + str(each).encode() for path, each in shown.items()}


def test_a_whole_run_leaves_no_secret_in_any_sink(tmp_path):
    trouble = [
        {"at": 0, "kind": "wrong_secret", "provider": "hoster-b", "count": 3, "duration": 600},
        {"at": 0, "kind": "app_password_required", "provider": "yahoo", "count": 2},
        {"at": 3, "kind": "token_error", "provider": "google", "duration": 5},
        {"at": 6, "kind": "drop_after_login", "provider": "hoster-a", "duration": 6},
        {"at": 10, "kind": "revoke_grant", "provider": "google", "count": 2},
    ]
    with Simulation(tmp_path, [], providers="google,hoster-a,hoster-b,yahoo", mailboxes=60) as simulation:
        with simulation.node(tmp_path, interval=2, add=False) as node:
            google = simulation.described["providers"]["google"]
            client_secret = tmp_path / "client-secret"
            client_secret.write_text(google["client_secret"])
            client_secret.chmod(0o600)
            app = APP.format(client_id=google["client_id"], secret_file=client_secret, token_url=google["token_url"])
            node.config.write_text(node.config.read_text() + app + '[log]\nlevel = "debug"\n')
            simulation.add_to(node)
            node.start()
            simulation.play(*trouble)
            time.sleep(20)  # it is over
            node.wait(lambda: len(node.query("SELECT 1 FROM standings WHERE cause IS NOT NULL")) >= 5, "enough to go wrong")
            node.wait(lambda: node.states().get("connected", 0) >= 40, "the others to be well")
            pid = Path(f"/proc/{node.process.pid}")
            sinks = {
                "environment": (pid / "environ").read_bytes(),
                "command line": (pid / "cmdline").read_bytes(),
                **{path: node.get(path)[1].encode() for path in ("/", "/metrics", "/-/ready", "/api/v1/status")},
            }
            sinks |= shown_to_people_and_programs(node)
            blocked = node.query(
                "SELECT m.address FROM mailboxes m JOIN standings s ON s.mailbox_id = m.id WHERE s.cause IS NOT NULL"
            )
            assert len(blocked) >= 3, "too little went wrong to show anything"
            for (address,) in blocked:
                sinks[f"show {address}"] = node.verb("mailbox", "show", address, "--json").encode()
                sinks[f"history {address}"] = node.verb("mailbox", "history", address).encode()
            for arguments in (("mailbox", "list"), ("mailbox", "list", "--json"), ("mailbox", "export"), ("history", "export")):
                sinks[" ".join(arguments)] = node.verb(*arguments).encode()
            sinks["config show"] = node.cli("config", "show", str(node.config)).encode()
            node.verb("db", "backup", str(tmp_path / "backup.db"))
            sinks |= {path.name: path.read_bytes() for path in tmp_path.glob("*.db*")}
            assert node.stop() == 0
            sinks |= {f"{path.name} afterwards": path.read_bytes() for path in tmp_path.glob("mailwatch.db*")}
            sinks["log"] = node.log.read_bytes()
        assert len(sinks["log"]) > 10_000
        secrets = {form for each in simulation.mailboxes for form in forms_of(each["secret"], each["address"])}
        secrets |= forms_of(google["client_secret"], google["client_id"])
        found = [(place, form) for place, content in sinks.items() for form in secrets if form in content]
        assert found == []


@contextmanager
def slow_server(certificates):
    """(an IMAP server that answers a login when told, the event that tells it so); served by a thread of its own."""
    ready, told, over, known = threading.Event(), threading.Event(), threading.Event(), []

    async def hesitate(peer):
        tag = peer.server.heard[-1].split(b" ")[0]
        while not told.is_set():
            await asyncio.sleep(0.05)
        await peer.say(tag + b" OK welcome\r\n")

    async def serve():
        async with ScriptedServer(imap({"AUTHENTICATE": hesitate}), tls=certificates.server()).running() as server:
            known.append(server)
            ready.set()
            while not over.is_set():
                await asyncio.sleep(0.1)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(60)
        yield known[0], told
    finally:
        over.set()
        thread.join(60)


def test_of_a_mailbox_removed_while_it_is_probed_nothing_comes_after(tmp_path):
    certificates = Certificates(tmp_path)
    with (
        slow_server(certificates) as (server, answers),
        Node(tmp_path, certificates.ca_file, interval=2, timeout=120) as node,  # the removal comes before it is over
    ):
        node.add_users(["gone"], f"imaps://localhost:{server.port}")
        (mailbox,) = (row[0] for row in node.query("SELECT id FROM mailboxes"))
        node.start()
        node.wait(lambda: any(b"AUTHENTICATE" in line for line in server.heard), "a probe to be at its login")
        node.verb("mailbox", "remove", "gone@mail.test", "--yes", "gone@mail.test")
        connections = server.connections
        answers.set()
        node.wait(lambda: '"result.fenced"' in node.log.read_text(), "the result of the running probe to be dropped")
        time.sleep(6)
        assert server.connections == connections, "the running probe was the last"
        assert '"mailbox.transitioned"' not in node.log.read_text()
        for table in ("mailboxes", "standings", "secrets", "transitions"):
            assert node.query(f"SELECT count(*) FROM {table}") == [(0,)]
        assert list(node.query("SELECT mailbox_id FROM audit WHERE action LIKE '%remove%'")) == [(mailbox,)]
        node.wait(lambda: node.metric("mailwatch_probes_in_flight") == 0, "the gauge to follow")
        assert node.stop() == 0
        left = [path.name for path in tmp_path.glob("mailwatch.db*") if b"gone" in path.read_bytes()]
        assert left == []
