"""Settings as the core's values."""

import pytest

from mailwatch.config import SecretReferenceError, Settings, to_oauth_apps, to_pace, to_paces, to_policy, to_watch_rules
from mailwatch.config.reaching import Provider
from mailwatch.core.mailbox import Depth
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import BackoffPolicy, BudgetPolicy, ConfirmPolicy, Policy, VerifyPolicy
from mailwatch.core.secret import Secret
from mailwatch.core.watching import WatchRules


def test_the_default_settings_are_the_default_policy():
    assert to_policy(Settings()) == Policy()


def test_every_number_finds_its_place():
    settings = Settings.model_validate(
        {
            "probing": {"interval_seconds": 61, "timeout_seconds": 31, "depth": "submit"},
            "confirm": {"min_seconds": 1, "max_seconds": 2, "secret_seconds": 63, "unknown_tries": 4},
            "backoff": {
                "transient": {"first_seconds": 5, "max_seconds": 6, "factor": 7, "jitter_ratio": 0.8},
                "throttled": {"first_seconds": 9, "max_seconds": 10, "factor": 1.1, "jitter_ratio": 0.12},
                "survival_seconds": 13,
            },
            "verify": {"successes": 14, "min_seconds": 15, "spacing_seconds": 16},
            "budget": {"rejected_logins": 1, "window_seconds": 3618, "host_rejected_logins": 19, "host_window_seconds": 620},
            "blocked": {"recheck_seconds": 621},
        }
    )
    assert to_policy(settings) == Policy(
        interval_seconds=61,
        timeout_seconds=31,
        depth=Depth.SUBMIT,
        confirm=ConfirmPolicy(1, 2, 63, 4),
        transient=BackoffPolicy(5, 6, 7, 0.8),
        throttled=BackoffPolicy(9, 10, 1.1, 0.12),
        verify=VerifyPolicy(14, 15, 16),
        budget=BudgetPolicy(1, 3618, 19, 620),
        survival_seconds=13,
        recheck_seconds=621,
    )


def test_nobody_is_watched_unless_the_settings_say_so():
    assert to_watch_rules(Settings()) == WatchRules()
    assert WatchRules().labels == ()
    probing = {"watch": ["tier=gold"], "watch_max": 7, "watch_renew_seconds": 8, "interval_seconds": 9}
    assert to_watch_rules(Settings.model_validate({"probing": probing})) == WatchRules(("tier=gold",), 7, 8, 9)


def test_only_the_keys_that_were_set_change_a_built_in_pace():
    known = Pace(max_connections=50, logins_per_minute=600, burst=20, per_address_bans=False)
    assert to_pace(Provider(burst=3), known) == Pace(50, 600, 3, per_address_bans=False)
    assert to_pace(Provider(per_address_bans=True), known) == Pace(50, 600, 20, per_address_bans=True)
    assert to_pace(Provider()) == Pace()


def test_built_in_and_configured_providers_stand_side_by_side():
    settings = Settings.model_validate({"providers": {"mine": {"burst": 9}, "google": {"max_connections": 2}}})
    paces = to_paces(settings, {"google": Pace(burst=7), "yahoo": Pace(burst=8)})
    assert paces == {"google": Pace(max_connections=2, burst=7), "yahoo": Pace(burst=8), "mine": Pace(burst=9)}


def test_oauth_applications_get_their_secrets_and_endpoints():
    settings = Settings.model_validate(
        {
            "oauth": {
                "g": {"kind": "google", "client_id": "1"},
                "m": {"kind": "microsoft", "client_id": "2", "tenant": "contoso", "client_secret": {"env": "S"}},
                "c": {"client_id": "3", "token_url": "https://c.example/token", "scopes": ["a", "b"]},
            }
        }
    )
    apps = to_oauth_apps(settings, {"S": "secret"})
    assert apps["g"].token_url == "https://oauth2.googleapis.com/token"
    assert apps["m"].token_url == "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"
    assert apps["m"].client_secret == Secret("secret")
    assert (apps["c"].token_url, apps["c"].scopes, apps["c"].client_secret) == ("https://c.example/token", ("a", "b"), None)
    with pytest.raises(SecretReferenceError):
        to_oauth_apps(settings, {})


def test_the_endpoints_of_known_providers_are_filled_in_and_may_be_replaced():
    settings = Settings.model_validate(
        {
            "oauth": {
                "g": {"kind": "google", "client_id": "1", "revoke_url": "https://g.example/revoke"},
                "m": {"kind": "microsoft", "client_id": "2", "tenant": "contoso"},
                "c": {"client_id": "3", "token_url": "https://c.example/token", "userinfo_url": "https://c.example/me"},
            }
        }
    )
    google, microsoft, custom = to_oauth_apps(settings, {}).values()
    assert (google.authorize_url, google.device_url) == ("https://accounts.google.com/o/oauth2/v2/auth", None)
    assert google.revoke_url == "https://g.example/revoke"
    assert microsoft.authorize_url == "https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize"
    assert microsoft.device_url == "https://login.microsoftonline.com/contoso/oauth2/v2.0/devicecode"
    assert microsoft.revoke_url is None
    assert (custom.authorize_url, custom.userinfo_url) == (None, "https://c.example/me")


def service_account(key):
    app = {"kind": "google", "client_id": "1", "grant": "service_account", "service_account": {"env": "KEY"}}
    return to_oauth_apps(Settings.model_validate({"oauth": {"g": app}}), {"KEY": key})["g"]


def test_a_service_accounts_key_is_looked_at_when_it_is_read_and_never_quoted():
    key = '{"client_email": "m@p.iam.gserviceaccount.com", "private_key": "-----BEGIN PRIVATE KEY-----\\nx"}'
    assert service_account(key).service_account == Secret(key)
    with pytest.raises(SecretReferenceError, match="no private_key in it") as caught:
        service_account('{"client_email": "canary@p.iam.gserviceaccount.com"}')
    assert "canary" not in str(caught.value)
