"""Which alerts there are: one an incident, one for each owner and cause, and labels that stay as long as the trouble."""

from dataclasses import replace

import pytest

from builders import NOW, later
from mailwatch.core.causes import WIRE_CAUSES, Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.delivery.alerts import WaitingGroup, WaitingMailbox, Wording, incident_alerts, mailbox_alerts, waiting_alerts

GOOGLE = Scope(ScopeKind.PROVIDER, "google")
WORDING = Wording({"job": "mailwatch", "cluster": "eu"}, "https://mw.example.org")


def an_incident(scope=GOOGLE, cause=Cause.CONNECTION_TIMEOUT, failed=300, share=0.9, **changes):
    return Incident("inc_1", scope, cause, NOW, NOW, failed, share, **changes)


def told(incident, wording=WORDING):
    return incident_alerts([incident], lambda scope: scope.name, wording)


def test_an_incident_is_one_alert_naming_provider_cause_count_and_next_step():
    (alert,) = told(an_incident())
    assert alert.labels == {
        "alertname": "MailwatchIncident",
        "incident": "inc_1",
        "provider": "google",
        "cause": "connection_timeout",
        "severity": "critical",
        "job": "mailwatch",
        "cluster": "eu",
    }
    assert alert.annotations["description"].startswith("300 mailboxes are disconnected at provider google: connection_timeout.")
    assert alert.annotations["next_step"]
    assert alert.annotations["count"] == "300"
    assert alert.since_at == NOW
    assert alert.url == "https://mw.example.org/incidents/inc_1"


def test_an_incident_that_grows_wider_and_is_reopened_stays_the_same_alert():
    first = told(an_incident(Scope(ScopeKind.ENDPOINT, "google"), failed=30, share=0.3))[0]
    later_on = told(an_incident(failed=900, share=1.0, reopened=2))[0]
    assert first.key == later_on.key
    assert first != later_on


def test_what_is_over_is_no_alert():
    assert told(an_incident(closed_at=later(60))) == []


@pytest.mark.parametrize(
    ("scope", "failed", "share", "severity"),
    [
        (GOOGLE, 10, 0.2, "critical"),
        (GOOGLE, 9, 1.0, "warning"),
        (GOOGLE, 5000, 0.1, "warning"),
        (Scope(ScopeKind.DOMAIN, "example.org"), 40, 1.0, "critical"),
        (EGRESS, 0, 1.0, "critical"),
        (Scope(ScopeKind.OAUTH_APP, "outreach"), 5, 0.1, "critical"),
    ],
)
def test_a_few_mailboxes_or_a_small_share_wake_nobody(scope, failed, share, severity):
    assert told(an_incident(scope, failed=failed, share=share))[0].labels["severity"] == severity


def test_our_own_network_is_told_in_words():
    (alert,) = told(an_incident(EGRESS, Cause.LOCAL_NETWORK_DOWN, 0))
    assert "at our own network: local_network_down" in alert.annotations["description"]


def test_who_waits_for_a_person_is_one_alert_for_each_cause():
    groups = [
        WaitingGroup(Cause.INVALID_CREDENTIALS, 20, NOW),
        WaitingGroup(Cause.BASIC_AUTH_DISABLED, 1, NOW),
        WaitingGroup(Cause.MFA_REQUIRED, 0, NOW),
    ]
    alerts = waiting_alerts(groups, WORDING)
    assert [(alert.labels["owner"], alert.labels["cause"]) for alert in alerts] == [
        ("mailbox_owner", "invalid_credentials"),
        ("tenant_admin", "basic_auth_disabled"),
    ]
    assert alerts[0].annotations["description"].startswith("20 mailboxes are stopped by invalid_credentials.")
    assert alerts[1].annotations["description"].startswith("1 mailbox is stopped by")
    assert alerts[0].url == "https://mw.example.org/mailboxes?state=blocked&cause=invalid_credentials"


def test_more_of_the_same_is_the_same_alert():
    few, many = (waiting_alerts([WaitingGroup(Cause.MFA_REQUIRED, count, NOW)])[0] for count in (1, 50))
    assert few.key == many.key


def test_a_mailbox_is_an_alert_only_where_a_named_person_must_act():
    causes = {
        "mb_1": Cause.INVALID_CREDENTIALS,
        "mb_2": Cause.PROTOCOL_DISABLED,
        "mb_3": Cause.TLS_REQUIRED,
        "mb_4": Cause.TLS_CERTIFICATE_EXPIRED,
    }
    alerts = mailbox_alerts([WaitingMailbox(name, cause, "google", NOW, "ana") for name, cause in causes.items()], WORDING)
    assert [(alert.labels["mailbox"], alert.labels["owner"]) for alert in alerts] == [
        ("mb_1", "mailbox_owner"),
        ("mb_2", "tenant_admin"),
    ]
    assert alerts[0].labels["person"] == "ana"
    assert alerts[0].annotations["next_step"]
    assert "person" not in mailbox_alerts([WaitingMailbox("mb_1", Cause.MFA_REQUIRED, "other", NOW)])[0].labels


def test_a_label_of_the_configuration_covers_none_of_the_alerts_own():
    (alert,) = told(an_incident(), Wording({"cause": "x", "severity": "none"}))
    assert alert.labels["cause"] == "connection_timeout"
    assert alert.labels["severity"] == "critical"


def test_without_a_page_there_is_no_link():
    assert told(an_incident(), Wording())[0].url == ""


@pytest.mark.parametrize("cause", sorted(WIRE_CAUSES))
def test_every_cause_has_words_and_a_next_step(cause):
    (alert,) = told(replace(an_incident(), cause=cause))
    assert len(alert.annotations["description"]) > 60
    assert alert.annotations["next_step"].endswith(".")
