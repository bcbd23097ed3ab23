"""Signatures, judged by the reference implementation of Standard Webhooks."""

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from fakes.outbox import SECRET, an_endpoint
from mailwatch.delivery.signing import signed_headers

OTHER = "whsec_" + base64.b64encode(b"o" * 64).decode()
BODY = '{"type":"campaign.paused","data":{"sentence":"ünïcödé — ok"}}'.encode()


def headers(*secrets, now=None):
    return signed_headers(an_endpoint(secrets=secrets), "evt_7", BODY, now or datetime.now(UTC))


def test_the_reference_implementation_takes_the_message():
    assert Webhook(SECRET).verify(BODY, headers(SECRET))["type"] == "campaign.paused"


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_while_secrets_are_exchanged_either_is_enough(secret):
    assert Webhook(secret).verify(BODY, headers(SECRET, OTHER))


def test_another_secret_body_or_id_is_refused():
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(BODY, headers(SECRET))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", headers(SECRET))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers(SECRET) | {"webhook-id": "evt_8"})


def test_a_message_recorded_long_ago_is_refused():
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(BODY, headers(SECRET, now=datetime(2026, 1, 1, tzinfo=UTC)))


def test_the_secret_is_in_no_header():
    text = str(headers(SECRET, OTHER))
    assert SECRET[6:] not in text
    assert "mailwatch/" in text
