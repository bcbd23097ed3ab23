"""A campaign through outage, person and operator: the whole daemon over a real Dovecot, its sender told by webhook and by the gate."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest

from fakes.certificates import Certificates
from fakes.outbox import SECRET
from fakes.receiver import Receiver
from integration.node import Node

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
ANA, BEN = "u00001@mail.test", "u00002@mail.test"
SENDER = """
[webhooks.sender]
url = "{url}"
secret = {{ file = "{secret}" }}
[campaigns]
ramp_after_seconds = 1
ramp_share = 1.0
"""


class Sender:
    """What a sending platform's code does: asks the gate, listens to its webhook, keeps its place."""

    def __init__(self, node, receiver):
        self._node, self._receiver = node, receiver
        self._token = node.verb("token", "create", "sender", "--role", "act").strip()

    def ask(self, method, path, body=None):
        """(status, document) of a request to the API."""
        request = urllib.request.Request(self._node.url + path, method=method, data=json.dumps(body).encode() if body else None)
        request.add_header("authorization", f"Bearer {self._token}")
        request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def reason(self, mailbox, campaign="autumn"):
        """What the gate says."""
        return self.ask("GET", f"/api/v1/mailboxes/{mailbox}/sending?campaign={campaign}")[1].get("reason")

    def told(self, kind):
        """The contents of every event of this type that arrived, each once."""
        events = {number: json.loads(body) for number, body in self._receiver.got["/hook"]}
        return [event["data"] for event in events.values() if event["type"] == kind]


def campaign(node):
    return json.loads(node.verb("campaign", "show", "autumn", "--json"))


def story(node, dovecot, receiver):
    node.add_users(["u00001", "u00002"], f"imaps://localhost:{dovecot.imaps_port}")
    node.verb("campaign", "add", "autumn", "--mailbox", ANA, "--mailbox", BEN)
    node.start()
    sender = Sender(node, receiver)
    node.wait(lambda: node.states() == {"connected": 2}, "both to be connected")
    node.wait(lambda: sender.reason(ANA) == "connected", "the gate to allow it")
    assert sender.ask("PATCH", "/api/v1/campaigns/autumn", {"position": "row 4711"})[0] == 200

    # An outage pauses the campaign, and its end lets it go on from its place, slowly.
    dovecot.crash()
    node.wait(lambda: len(sender.told("campaign.paused")) == 1, "the sender to be told of the pause")
    pause = sender.told("campaign.paused")[0]
    assert (pause["origin"], pause["cause"], pause["position"]) == ("automatic", "connection_refused", "row 4711")
    node.wait(lambda: sender.reason(ANA) in ("reconnecting", "campaign_paused"), "the gate to say no")
    node.wait(lambda: node.metric("mailwatch_campaigns", state="paused", pause_reason="automatic") == 1, "the gauge to follow")
    dovecot.start()
    node.wait(lambda: len(sender.told("campaign.resumed")) == 1, "the sender to be told that it may go on")
    resumed = sender.told("campaign.resumed")[0]
    assert resumed["position"] == "row 4711"
    assert [point["ratio"] for point in resumed["ramp"]] == [0.25, 1.0]
    assert node.states() == {"connected": 2}
    node.wait(lambda: sender.reason(ANA) in ("ramping", "connected"), "the gate to allow it again")

    # A person's own pause is never undone, whatever mailboxes do.
    node.verb("campaign", "pause", "autumn", "--reason", "wrong price")
    node.wait(lambda: sender.reason(ANA) == "campaign_paused", "the gate to hold it back")
    assert sender.reason(ANA, "another") in ("ramping", "connected")
    node.verb("mailbox", "hold", BEN, "--reason", "warmup_pause")
    node.wait(lambda: sender.reason(BEN) == "held", "the hold at the gate")
    node.verb("mailbox", "release", BEN)
    node.wait(lambda: node.states() == {"connected": 2}, "the held one to be verified")
    assert campaign(node)["state"] == "paused"
    node.verb("campaign", "resume", "autumn")
    node.wait(lambda: len(sender.told("campaign.resumed")) == 2, "the sender to be told that a person let it go on")

    # An operator's disconnect pauses at once; the mailbox comes back by itself, the campaign by a person's word.
    node.verb("mailbox", "disconnect", ANA)
    node.wait(lambda: sender.reason(ANA) == "inactive", "the disconnect at the gate")
    assert campaign(node)["state"] == "paused"
    node.verb("mailbox", "reconnect", ANA)
    node.wait(lambda: node.states() == {"connected": 2}, "it to be verified")
    waiting = campaign(node)
    assert (waiting["state"], waiting["pauses"][0]["origin"]) == ("paused", "operator")
    assert waiting["pauses"][0]["ready_at"] is not None
    node.verb("campaign", "resume", "autumn")
    node.wait(lambda: len(sender.told("campaign.resumed")) == 3, "the sender to be told of the third return")
    assert campaign(node)["state"] == "active"

    # What was paused can be left out of the campaign's figures, and is what the sender was told.
    spans = [json.loads(line) for line in node.verb("campaign", "spans", "autumn").splitlines()]
    assert [span["reasons"][0] for span in spans] == ["connection_refused", "wrong price", "operator_disconnect"]
    assert [span["since_at"] for span in spans] == [one["since"] for one in sender.told("campaign.paused")]
    assert [span["until_at"] for span in spans] == [one["since"] for one in sender.told("campaign.resumed")]
    node.wait(lambda: node.metric("mailwatch_outbox_pending") == 0, "the outbox to be empty")
    assert node.metric("mailwatch_deliveries_total", kind="webhook", result="delivered") >= 6
    assert sender.ask("GET", "/api/v1/mailboxes/nobody@mail.test/sending")[0] == 404
    assert node.stop() == 0
    text = node.log.read_text()
    assert "gate.crashed" not in text
    assert SECRET[6:] not in text


async def test_a_campaign_pauses_waits_and_goes_on_as_its_people_and_its_mailboxes_have_it(start_dovecot, tmp_path):
    dovecot = start_dovecot(with_relay=False)
    certificates = Certificates(tmp_path / "certificates")
    both = tmp_path / "both.pem"
    both.write_bytes(dovecot.ca_file.read_bytes() + certificates.ca_file.read_bytes())
    secret = tmp_path / "webhook"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    async with Receiver(SECRET, certificates.server()).running() as receiver:
        extra = SENDER.format(url=receiver.url("/hook"), secret=secret)
        with Node(tmp_path / "node", both, interval=2, extra=extra) as node:
            await asyncio.to_thread(story, node, dovecot, receiver)
        assert not receiver.forged
