"""The server's own words are found inside what a client program says of them."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.replies import read
from mailwatch.core.wrappings import NOTHING, inside, past_boilerplate


@pytest.mark.parametrize(
    ("text", "code", "enhanced", "words"),
    [
        ("SMTP 5xx error: permanent error (535): 5.7.8 Not accepted", 535, "5.7.8", "Not accepted"),
        (
            'Expected response code "250" but got code "550", with message "550 5.1.1 No such user".',
            550,
            "5.1.1",
            'No such user".',
        ),
        ("Failed to send [SMTP: bad answer (code: 550, response: Prohibited)]", 550, None, "response: Prohibited)]"),
        ("smtplib.SMTPDataError: (554, b'5.7.1 Spam')", 554, "5.7.1", "Spam')"),
        (
            "host mx[192.0.2.1] said: 421 Too busy (in reply to RCPT TO command)",
            421,
            None,
            "Too busy (in reply to RCPT TO command)",
        ),
        ("com.sun.mail.smtp.SMTPSendFailedException: 553 5.1.8 not allowed", 553, "5.1.8", "not allowed"),
        ("Mailbox unavailable. The server response was: 5.7.54 Unable to relay", None, "5.7.54", "Unable to relay"),
    ],
)
def test_an_smtp_reply_is_found_in_its_wrapping(text, code, enhanced, words):
    found = inside(text, "smtp", None)
    assert (found.code, found.enhanced, text[found.start :].lstrip()) == (code, enhanced, words)


@pytest.mark.parametrize(
    "text",
    [
        "connect to mail.example.com port 587 failed",
        "Connection to smtp.example.com:465 timed out",
        "waited 500 seconds",
        "mail.c:450 cannot open",
    ],
)
def test_a_number_that_is_no_reply_code_is_left_alone(text):
    assert inside(text, "smtp", None).code is None


def test_words_before_a_code_that_ends_the_text_are_kept():
    found = inside('message sending failed: 4.7.1 Ratelimit "user" exceeded (451)', "smtp", None)
    assert (found.code, found.enhanced, found.start) == (451, "4.7.1", 0)


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("Command: LOGIN; response: #2# [NO, SASL failed]", "NO", "SASL failed]"),
        ("The server replied to the 'MOVE' command with a 'BAD' response: Internal", "BAD", ": Internal"),
        ("LOGIN command error: BAD [b'Could not parse']", "BAD", "[b'Could not parse']"),
        ('Login failed: no response: code: None, info: Some("LOGIN failed.")', "NO", 'Some("LOGIN failed.")'),
        ("Error login on [host] with user [u] auth [LOGIN]: 2 NO Wrong password", "NO", "Wrong password"),
    ],
)
def test_an_imap_reply_is_found_in_its_wrapping(text, status, words):
    found = inside(text, "imap", None)
    assert (found.status, text[found.start :].lstrip()) == (status, words)


def test_an_english_no_is_no_status():
    assert inside("there is no such thing", "imap", None) is NOTHING
    assert inside("NO SUCH THING HERE", "imap", None) is NOTHING


def test_a_library_that_speaks_as_a_server_is_not_believed():
    reading = read(Evidence("imap", Phase.IDLE, "* BYE JavaMail Exception: java.net.SocketException: Broken pipe"))
    assert reading.own_stack
    assert reading.status is None
    assert diagnose(reading.evidence).cause is Cause.CONNECTION_DROPPED


def test_that_the_server_hung_up_after_a_refusal_is_no_more_than_its_end():
    refused = "Retrying PLAIN authentication after AUTHENTICATE failed.; Can not authenticate to IMAP server: [CLOSED] IMAP connection broken"
    assert diagnose(Evidence("imap", Phase.AUTH, refused)).cause is Cause.INVALID_CREDENTIALS
    alone = "Can not authenticate to IMAP server: [CLOSED] IMAP connection broken (authenticate)"
    assert diagnose(Evidence("imap", Phase.AUTH, alone)).cause is Cause.CONNECTION_DROPPED


def test_a_mailbox_specification_says_nothing():
    text = "imap_open(): Couldn't open stream {mail.example.com:993/imap/novalidate-cert}. Wrong password"
    assert diagnose(Evidence("imap", Phase.AUTH, text)).cause is Cause.INVALID_CREDENTIALS


def test_the_reason_stands_behind_the_words_of_the_rfc():
    text = "550 Requested action not taken: mailbox unavailable Dynamic address blocked"
    assert text[past_boilerplate(text, 4) :].strip() == "Dynamic address blocked"
    assert past_boilerplate("550 Requested action not taken: mailbox unavailable", 4) == 4


def test_a_refused_token_is_no_wrong_password():
    text = "Host1 failure: Error login on [h] with user [u] auth [XOAUTH2 accesstoken]: 2 NO AUTHENTICATE failed."
    assert diagnose(Evidence("imap", Phase.AUTH, text)).cause is Cause.OAUTH_TOKEN_EXPIRED


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Server Unavailable. 15\n* BYE Connection closed.", Cause.SERVER_UNAVAILABLE),
        ("Too many simultaneous connections\n* BYE Logging out", Cause.CONNECTION_LIMIT),
        ("[ALERT] Mailbox does not exist\n* BYE Bye", Cause.MAILBOX_MISSING),
    ],
)
def test_the_reason_may_stand_before_a_bye_that_gives_none(text, cause):
    assert diagnose(Evidence("imap", Phase.IDLE, text, session_worked=True)).cause is cause


@pytest.mark.parametrize(
    "text",
    [
        "Error reading mailbox:\n* BYE Connection closed.",  # a client's own words
        "IMAP said * BYE Session expired",
        "* OK Still here\n* BYE Logging out",
    ],
)
def test_a_bye_speaks_for_itself_when_no_reason_stands_before_it(text):
    found = diagnose(Evidence("imap", Phase.IDLE, text, session_worked=True)).cause
    assert found in {Cause.SESSION_EXPIRED, Cause.CONNECTION_DROPPED}


def test_a_refused_login_below_a_clients_own_words_is_the_servers_answer():
    assert inside("Could not connect with these settings LOGIN failed.", "imap", None).status == "NO"
    assert inside("Temporary problem. LOGIN failed.", "imap", None) == NOTHING
