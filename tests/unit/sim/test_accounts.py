"""Accounts and their inboxes."""

from mailwatch.core.mailbox import AuthKind
from mailwatch.sim.accounts import Account, Accounts, Inbox

MAIL = b"Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\nX-Probe: 1\r\n\r\nbody\r\n"


def test_an_account_is_found_whatever_the_case_of_its_address():
    accounts = Accounts()
    account = accounts.add(Account("anna@hoster.example", "hoster", AuthKind.PASSWORD, "pw"))
    assert accounts.get("Anna@Hoster.Example") is account
    assert accounts.get("ben@hoster.example") is None
    assert [*accounts] == [account]
    assert len(accounts) == 1


def test_no_password_shows_in_a_repr():
    assert "pw-1" not in repr(Account("anna@hoster.example", "hoster", AuthKind.PASSWORD, "pw-1"))


def test_a_mail_has_its_header_apart_and_its_fields_decoded():
    message = Inbox().deliver(MAIL)
    assert message.header.endswith(b"X-Probe: 1\r\n\r\n")
    assert message.field_text("subject") == "grüße"
    assert message.field_text("absent") == ""


def test_watchers_hear_of_new_mail_until_they_stop():
    inbox, heard = Inbox(), []
    inbox.watch(heard.append)
    inbox.deliver(MAIL)
    inbox.unwatch(heard.append)
    inbox.deliver(MAIL)
    assert heard == [1]


def test_expunging_reports_falling_numbers_and_keeps_uids():
    inbox = Inbox()
    for _ in range(3):
        inbox.deliver(MAIL)
    inbox.messages[0].flags.add("\\Deleted")
    inbox.messages[2].flags.add("\\Deleted")
    assert inbox.expunge() == [3, 1]
    assert [message.uid for message in inbox.messages] == [2]
    assert inbox.uid_next == 4
