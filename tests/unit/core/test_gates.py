"""Which mailboxes are paced together."""

from builders import a_mailbox
from mailwatch.core.gates import gate_of, gate_of_host


def test_all_mailboxes_of_a_known_provider_share_its_gate():
    assert gate_of(a_mailbox(provider="google")) == "google"


def test_elsewhere_each_host_is_a_gate_of_its_own():
    assert gate_of(a_mailbox(imap="imaps://Mail.Example.ORG")) == "host:mail.example.org"


def test_a_mailbox_that_only_sends_waits_at_its_submission_host():
    assert gate_of(a_mailbox(imap=None)) == "host:smtp.example.org"


def test_a_mailbox_without_endpoints_waits_at_its_domain():
    assert gate_of(a_mailbox(imap=None, smtp=None)) == "host:example.org"


def test_the_gate_of_a_host_is_that_of_its_mailboxes():
    assert gate_of_host("Mail.Example.ORG") == gate_of(a_mailbox(imap="imaps://mail.example.org"))
