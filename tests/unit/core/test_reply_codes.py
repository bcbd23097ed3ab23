"""Codes by themselves: decisive ones, plain ones, vague ones, and a bare code in its place."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.replies import read
from mailwatch.core.reply_codes import decisive_code, imap_status, plain_code, reply_code, vague_code
from mailwatch.core.standing import Confidence


def smtp(text, phase=Phase.SUBMIT, command=None):
    return read(Evidence("smtp", phase, text, command=command))


def imap(text, phase=Phase.AUTH):
    return read(Evidence("imap", phase, text))


@pytest.mark.parametrize(
    ("reading", "cause"),
    [
        (smtp("550 5.4.5 x"), Cause.SENDING_LIMIT),
        (smtp("530 5.7.10 x"), Cause.TLS_REQUIRED),
        (smtp("538 x", Phase.AUTH), Cause.TLS_REQUIRED),
        (imap("a NO [EXPIRED] x"), Cause.PASSWORD_EXPIRED),
    ],
)
def test_a_decisive_code_needs_no_words(reading, cause):
    found = decisive_code(reading)
    assert found is not None
    assert (found[0], found[3]) == (cause, Confidence.HIGH)


def test_a_bad_senders_code_is_not_decisive_for_servers_use_it_for_a_missing_login():
    reading = smtp("550 5.1.8 x", command="mail")
    assert decisive_code(reading) is None
    found = plain_code(reading)
    assert found is not None
    assert found[0] is Cause.SENDING_BLOCKED


def test_a_class_without_its_own_row_has_the_meaning_of_subject_and_detail():
    assert plain_code(smtp("450 4.2.2 x"))[0] is plain_code(smtp("550 5.2.2 x"))[0] is Cause.MAILBOX_FULL


def test_530_wants_a_login_whatever_its_enhanced_code_says():
    assert plain_code(smtp("530 5.5.1 x")) is None


def test_501_with_an_address_code_blames_the_address_syntax():
    assert plain_code(smtp("501 5.1.3 x"))[0] is Cause.PROTOCOL_ERROR


def test_limit_at_a_login_is_a_matter_of_rate_and_elsewhere_says_nothing():
    assert plain_code(imap("a NO [LIMIT] x"))[0] is Cause.RATE_LIMITED
    assert plain_code(imap("a NO [LIMIT] x", Phase.SELECT)) is None


def test_an_other_code_is_trusted_little():
    assert vague_code(smtp("451 4.3.0 x")) == (Cause.SERVER_UNAVAILABLE, "rfc3463.4.3.0", "4.3.0", Confidence.LOW)
    assert vague_code(smtp("451 x")) is None


@pytest.mark.parametrize(
    ("text", "command", "cause"),
    [
        ("550 x", "rcpt", Cause.MAILBOX_MISSING),
        ("550 5.7.1 x", "rcpt", Cause.ACCESS_DENIED),
        ("550 x", "data", Cause.SENDING_BLOCKED),
        ("550 x", "mail", Cause.ACCESS_DENIED),
        ("499 x", "mail", Cause.SERVER_UNAVAILABLE),
        ("599 x", "mail", Cause.UNKNOWN),
    ],
)
def test_a_bare_code_is_read_in_its_place_and_an_unheard_one_by_its_class(text, command, cause):
    assert reply_code(smtp(text, command=command))[0] is cause


def test_without_a_code_nothing_is_said():
    assert reply_code(imap("a NO x")) is None


@pytest.mark.parametrize(
    ("text", "phase", "cause"),
    [
        ("a BAD x", Phase.AUTH, Cause.PROTOCOL_ERROR),
        ("a NO x", Phase.AUTH, Cause.INVALID_CREDENTIALS),
        ("a NO x", Phase.STARTTLS, Cause.TLS_HANDSHAKE_FAILED),
        ("* BYE x", Phase.GREETING, Cause.SERVER_UNAVAILABLE),
        ("* BYE x", Phase.IDLE, Cause.CONNECTION_DROPPED),
    ],
)
def test_a_bare_status_is_read_in_its_place(text, phase, cause):
    assert imap_status(imap(text, phase))[0] is cause


def test_no_to_a_folder_says_nothing_by_itself():
    assert imap_status(imap("a NO x", Phase.SELECT)) is None
