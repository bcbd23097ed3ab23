"""A mailbox with everything a mailbox can have is removed while the daemon runs: nothing is left of its address, its user name, its secret.

What is looked through: the bytes of the database, its log and its index; every list of the API; the metrics; the page; what webhooks
carry; what the daemon logs from then on.
"""

import asyncio
import base64
import json
import ssl
import subprocess
import urllib.parse
from urllib.parse import urlsplit

import pytest

from fakes.outbox import SECRET
from fakes.receiver import Receiver
from integration.oauth_place import oauth_place
from integration.operators import Person, Program
from servers.presence import need_dovecot

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.waiting]

STAYS = "u00003@mail.test"
BEN_SECRET = "7hx-ben's own secret/+?"
SENDER = """
[webhooks.sender]
url = "{url}"
secret = {{ file = "{secret}" }}
"""


def spellings(text):
    """A text as it is, in base64 wherever it begins in what is encoded, in hexadecimal, as in a URL."""
    raw = text.encode()
    inner = []
    for shift in range(3):  # where it begins within three bytes; the first and the last letters depend on what stands beside it
        whole = base64.b64encode(b"\0" * shift + raw + b"\0" * ((-shift - len(raw)) % 3))
        inner.append(whole[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6])
    for_urls = [one.replace(b"+", b"-").replace(b"/", b"_") for one in inner]
    return {raw, *inner, *for_urls, raw.hex().encode(), urllib.parse.quote(text).encode()}


class Traces:
    """What must not be found any more."""

    def __init__(self, *texts):
        self._texts = {text: spellings(text) for text in texts}

    def inside(self, content):
        """Which of the texts stand there, in whatever spelling; upper and lower case are one where they are to mail."""
        content = content if isinstance(content, bytes) else content.encode()
        lower = content.lower()
        return [
            text
            for text, needles in self._texts.items()
            if text.lower().encode() in lower or any(needle in content for needle in needles)
        ]

    def in_database(self, node):
        """The same for every file of the database: {file: texts}; on PostgreSQL for its dump."""
        if node.store.startswith("sqlite"):
            found = {path.name: self.inside(path.read_bytes()) for path in node.root.glob("mailwatch.db*")}
            assert found
        else:
            found = {"dump": self.inside(node.dump())}
        return {name: texts for name, texts in found.items() if texts}


def prepare(place, admin, person):
    """Give both mailboxes all that one can have; (their ids, what must not be left)."""
    node = place.node
    node.wait(lambda: json.loads(node.get("/api/v1/status")[1])["states"].get("connected") == 3, "all to be connected")
    ana, ben = place.id_of("u00001@mail.test"), place.id_of("u00002@mail.test")
    traces = Traces("u00001", "u00002", BEN_SECRET, *(token for token in place.grant(ana) if token))
    # a history, by people and by servers, and a bulk action with results that went wrong
    both = ((ana, "u00001@mail.test"), (ben, "u00002@mail.test"))

    def act(name):
        for mailbox, address in both:
            status, shown = admin.ask("POST", f"/api/v1/mailboxes/{mailbox}/{name}", idempotency_key=f"{name} {address}")
            assert (status, shown["address"]) == (200, address)

    act("disconnect")
    wanted = {"action": "probe", "filter": {"q": "u0000"}, "expected": 3}
    status, job = admin.ask("POST", "/api/v1/mailboxes:batch", wanted, idempotency_key="bulk")
    assert status == 202
    node.wait(lambda: admin.get(f"/api/v1/jobs/{job['id']}")["ended_at"] is not None, "the job to end")
    assert admin.get(f"/api/v1/jobs/{job['id']}")["failed"] == 2
    act("reconnect")
    act("probe")
    place.dovecot.set_password("u00002", "another")
    node.wait(lambda: admin.get(f"/api/v1/mailboxes/{ben}")["cause"] == "invalid_credentials", "a refusal of ben")
    place.dovecot.set_password("u00002", BEN_SECRET)
    assert admin.ask("PUT", f"/api/v1/mailboxes/{ben}/secret", {"secret": BEN_SECRET})[0] == 200
    node.wait(lambda: admin.get(f"/api/v1/mailboxes/{ben}")["state"] == "connected", "ben to be back")
    node.wait(lambda: admin.get(f"/api/v1/mailboxes/{ana}")["state"] == "connected", "ana to be back")
    # one link for its owner, one consent that is under way
    assert admin.ask("POST", f"/api/v1/mailboxes/{ana}/reconnect-link", idempotency_key="link")[0] == 201
    status, begun = person.ask("POST", f"/api/v1/mailboxes/{ana}/reconnect", {"consent": True}, idempotency_key="consent")
    assert (status, begun["authorize_url"].startswith(place.front.url)) == (201, True)
    # a new one under an idempotency key whose answer names it
    again = {"address": "u00002@mail.test", "imap": "imaps://localhost:1", "secret": BEN_SECRET}
    assert admin.ask("POST", "/api/v1/mailboxes", again, idempotency_key="add")[0] == 409
    return ana, ben, job["id"], traces


def everything_told(node, admin, person, job):
    """{where: what it says} of every place that lists something."""
    paths = ["audit", "transitions", "mailboxes", "campaigns", "campaigns/autumn", "campaigns/autumn/pauses", "brake", "incidents"]
    paths += [
        "webhooks",
        "webhooks/deliveries",
        "troubles",
        "findings",
        f"jobs/{job}",
        f"jobs/{job}/items",
        "mailboxes:count",
        "tokens",
    ]
    told = {path: json.dumps(admin.ask("GET", f"/api/v1/{path}")[1]) for path in paths}
    told["events"] = admin.stream(after=node.oldest_event() - 1)
    assert "mailbox.removed" in told["events"]
    told["metrics"] = node.get("/metrics")[1]
    told["metrics of mailboxes"] = node.get("/metrics/mailboxes")[1]
    for path in ("/mailboxes", "/audit", "/campaigns/autumn", "/settings/deliveries", "/findings", "/incidents"):
        told[path] = person.get(path)
    return told


def story(place, receiver):
    node = place.node
    admin = Program(node, role="admin", name="script")
    node.verb("user", "add", "ada", "--role", "admin", "--password-stdin", text="correct-horse-battery-staple\n")
    node.verb("campaign", "add", "autumn", "--mailbox", "u00001@mail.test", "--mailbox", "u00002@mail.test", "--mailbox", STAYS)
    node.start()
    person = Person(node, "ada", "correct-horse-battery-staple")
    ana, ben, job, traces = prepare(place, admin, person)
    sealed = node.sealed(ana, ben)
    assert len(sealed) >= 2
    refresh = place.grant(ana)[0]
    assert place.provider.introspect(refresh)["active"]
    assert set(traces.in_database(node)) <= {"mailwatch.db", "mailwatch.db-wal", "mailwatch.db-shm", "dump"} != set()
    node.wait(lambda: admin.get("/api/v1/webhooks")["pending"] > 5, "webhooks to queue")
    assert place.dovecot.accepted("u00002") > 0

    # The server stands still, so that a probe of ben hangs; then both are removed.
    place.dovecot.process.freeze()
    assert admin.ask("POST", f"/api/v1/mailboxes/{ben}/probe")[0] == 200
    node.wait(lambda: node.leased(ben), "a probe of ben to be under way")
    logged = node.log.stat().st_size
    for mailbox, address in ((ana, "u00001@mail.test"), (ben, "U00002@Mail.Test")):
        assert admin.ask("DELETE", f"/api/v1/mailboxes/{mailbox}", {"address": "nobody@mail.test"})[0] == 422
        assert admin.ask("DELETE", f"/api/v1/mailboxes/{mailbox}", {"address": address})[0] == 204
    assert traces.in_database(node) == {}  # at once
    assert not place.provider.introspect(refresh)["active"]  # the consent too
    # The probe that was under way ends by itself, and writes nothing.
    node.wait(lambda: node.metric("mailwatch_probes_in_flight") == 0, "the probe under way to end")
    place.dovecot.process.thaw()
    node.wait(lambda: admin.get(f"/api/v1/mailboxes/{STAYS}")["state"] == "connected", "the one that stays to be well")
    rows = node.rows_naming(ana, ben)
    assert set(rows) <= {"audit", "job_items", "events"}, rows

    # A webhook that waited is delivered without it, after a restart too (which also ends the rest that a failing receiver is given).
    receiver.script["/hook"] = 204
    assert node.stop() == 0
    node.start()
    for delivery in admin.get("/api/v1/webhooks/deliveries")["deliveries"]:
        assert admin.ask("POST", f"/api/v1/webhooks/deliveries/{delivery['id']}/replay")[0] == 202
    node.wait(lambda: admin.get("/api/v1/webhooks")["pending"] == 0, "all to be delivered")
    bodies = [body for _, body in receiver.got["/hook"]]
    assert {json.loads(body)["type"] for body in bodies} >= {"mailbox.removed", "campaign.paused"}
    assert [traces.inside(body) for body in bodies if traces.inside(body)] == []

    # The same requests once more: nothing is done again, and nothing tells.
    status, told = admin.ask("POST", f"/api/v1/mailboxes/{ben}/disconnect", idempotency_key="disconnect u00002@mail.test")
    assert status in (404, 410), (status, told)
    said = everything_told(node, admin, person, job)
    assert {where: traces.inside(words) for where, words in said.items() if traces.inside(words)} == {}
    assert traces.in_database(node) == {}
    assert node.stop() == 0
    assert traces.in_database(node) == {}
    with node.log.open("rb") as log:
        log.seek(logged)
        assert traces.inside(log.read()) == []
    secrets = Traces(BEN_SECRET, refresh, *sealed)
    assert secrets.inside(node.log.read_bytes()) == []
    assert secrets.in_database(node) == {}


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request):
    """(options of the node, what it takes to look into its database from outside)."""
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("postgres"), request.getfixturevalue("postgres_url")


def looked_into(node, store):
    """Ways into the database beside the daemon."""
    if store is None:

        def rows(sql):
            return node.query(sql)
    else:
        server, url = store
        database = urlsplit(url).path[1:]

        def rows(sql):
            return [tuple(line.split("|")) for line in server.sql(sql, database=database).splitlines()]

        def dump():
            server.sql("vacuum", database=database)
            made = subprocess.run(
                ["pg_dump", "-h", str(server.root), "-p", str(server.port), "-U", "postgres", database],
                capture_output=True,
                check=True,
            )
            return made.stdout

        node.dump = dump

    def named(*ids):
        """{table: rows} that name one of the mailboxes."""
        tables = ["transitions", "secrets", "grants", "consents", "conversations", "latencies", "campaign_links", "standings"]
        tables += ["refusals", "events", "pauses", "job_items", "audit"]
        some = ", ".join(f"'{one}'" for one in ids)
        counts = {table: int(rows(f"SELECT count(*) FROM {table} WHERE mailbox_id IN ({some})")[0][0]) for table in tables}
        return {table: count for table, count in counts.items() if count}

    node.rows_naming = named
    node.oldest_event = lambda: int(rows("SELECT min(id) FROM events")[0][0])
    node.leased = lambda mailbox: bool(
        rows(f"SELECT 1 FROM standings WHERE mailbox_id = '{mailbox}' AND lease IS NOT NULL")  # a probe holds it
    )
    node.sealed = lambda *ids: [text for one in ids for (text,) in rows(f"SELECT sealed FROM secrets WHERE mailbox_id = '{one}'")]


async def test_a_removed_mailbox_leaves_no_trace(store, authority, tmp_path):
    need_dovecot()
    secret = tmp_path / "webhook"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    options = {}
    if store is not None:
        parts = urlsplit(store[1])
        password = tmp_path / "password"
        password.write_text(urllib.parse.unquote(parts.password))
        password.chmod(0o600)
        options = {"store": f"postgresql://{parts.username}@{parts.hostname}:{parts.port}{parts.path}", "password": password}
    async with Receiver(SECRET, server_context(authority, tmp_path)).running() as receiver:
        receiver.script["/hook"] = 503
        extra = SENDER.format(url=receiver.url("/hook", "localhost"), secret=secret)

        def whole():
            with oauth_place(tmp_path / "place", authority, extra=extra, **options) as place:
                looked_into(place.node, store)
                place.add("u00001", place.provider.consent("u00001").reveal())
                place.dovecot.set_password("u00002", BEN_SECRET)
                for user, password in (("u00002", BEN_SECRET), ("u00003", "pw-u00003")):
                    place.add(user, password, auth="password", username=user, oauth_app=None)
                story(place, receiver)

        await asyncio.to_thread(whole)
    assert not receiver.forged


def server_context(authority, root):
    """A TLS context for the receiver, by the authority that the daemon trusts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue().write(root, "receiver"))
    return context
