"""[campaigns] and [webhooks.NAME]: the policy and the receivers they make."""

import base64

import pytest
from pydantic import ValidationError

from mailwatch.config import SecretReferenceError, Settings
from mailwatch.config.policy import to_campaign_policy, to_webhooks
from mailwatch.core.campaigns import CampaignPolicy, Channel, Mode, PauseOn
from mailwatch.core.secret import Secret

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 32).decode()


def settings(**webhook):
    hook = {"url": "https://crm.example.org/hook", "secret": {"env": "KEY"}} | webhook
    return Settings.model_validate({"webhooks": {"crm": hook}})


def test_the_default_settings_are_the_default_policy():
    assert to_campaign_policy(Settings()) == CampaignPolicy()


def test_every_number_finds_its_place():
    given = {
        "mode": "suggest",
        "pause_on": "all",
        "channel": "smtp",
        "brake_ratio": 0.5,
        "brake_window_seconds": 60,
        "brake_floor": 3,
        "ramp_after_seconds": 7,
        "ramp_start_ratio": 0.1,
        "ramp_share": 0.2,
        "ramp_max_seconds": 9,
    }
    made = to_campaign_policy(Settings.model_validate({"campaigns": given}))
    assert made == CampaignPolicy(Mode.SUGGEST, PauseOn.ALL, Channel.SMTP, 0.5, 60, 3, 7, 0.1, 0.2, 9)


def test_a_webhook_gets_its_secrets_and_its_events():
    made = to_webhooks(settings(previous_secret={"env": "OLD"}, events=["campaign.paused"]), {"KEY": KEY, "OLD": OLD})["crm"]
    assert (made.name, made.url, made.types) == ("crm", "https://crm.example.org/hook", {"campaign.paused"})
    assert made.secrets == (Secret(KEY), Secret(OLD))
    assert to_webhooks(settings(), {"KEY": KEY})["crm"].types == frozenset()


@pytest.mark.parametrize("secret", ["hunter2hunter2hunter2hunter2", "whsec_c2hvcnQ="])
def test_a_secret_that_cannot_sign_is_refused_with_the_cure_and_without_the_secret(secret):
    with pytest.raises(SecretReferenceError, match="openssl rand") as caught:
        to_webhooks(settings(), {"KEY": secret})
    assert secret.removeprefix("whsec_") not in str(caught.value)


@pytest.mark.parametrize(
    "webhook",
    [
        {"url": "http://crm.example.org/hook"},
        {"url": "https://user:secret@crm.example.org/"},
        {"secret": "whsec_inline"},
        {"events": ["campaign.stopped"]},
        {"other": 1},
    ],
)
def test_what_cannot_be_a_webhook_is_refused(webhook):
    with pytest.raises(ValidationError):
        settings(**webhook)


@pytest.mark.parametrize("key", [{"brake_ratio": 0}, {"ramp_start_ratio": 0}, {"mode": "maybe"}, {"brake_floor": -1}])
def test_numbers_out_of_bounds_are_refused(key):
    with pytest.raises(ValidationError):
        Settings.model_validate({"campaigns": key})
