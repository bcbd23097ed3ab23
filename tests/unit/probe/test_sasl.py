"""SASL mechanisms: which, and what they send."""

import base64

import pytest

from mailwatch.core.mailbox import AuthKind
from mailwatch.core.secret import Secret
from mailwatch.probe import sasl
from mailwatch.probe.failures import ImpairedError
from mailwatch.probe.sasl import Login, challenge_text, choose, exchange


@pytest.mark.parametrize(
    ("kind", "offered", "mechanism"),
    [
        (AuthKind.PASSWORD, {"CRAM-MD5", "LOGIN", "PLAIN"}, "PLAIN"),
        (AuthKind.PASSWORD, {"LOGIN", "XOAUTH2"}, "LOGIN"),
        (AuthKind.PASSWORD, {"XOAUTH2", "OAUTHBEARER"}, None),
        (AuthKind.OAUTH, {"PLAIN", "OAUTHBEARER", "XOAUTH2"}, "XOAUTH2"),
        (AuthKind.OAUTH, {"OAUTHBEARER"}, "OAUTHBEARER"),
        (AuthKind.OAUTH, {"PLAIN"}, None),
    ],
)
def test_the_mechanism_suits_the_secret_and_is_on_offer(kind: AuthKind, offered: set[str], mechanism: str | None) -> None:
    assert choose(kind, offered) == mechanism


def test_each_mechanism_sends_what_its_document_says() -> None:
    password = Login("jösé,=", Secret("pä\\ss"), AuthKind.PASSWORD)
    sent = {
        name: [base64.b64decode(answer).decode() for answer in exchange(name, password).answers]
        for name in ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")
    }
    assert sent == {
        "PLAIN": ["\0jösé,=\0pä\\ss"],
        "LOGIN": ["jösé,=", "pä\\ss"],
        "XOAUTH2": ["user=jösé,=\1auth=Bearer pä\\ss\1\1"],
        "OAUTHBEARER": ["n,a=jösé=2C=3D,\1auth=Bearer pä\\ss\1\1"],
    }


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"])
def test_marks_that_would_end_a_field_early_are_not_sent(mechanism: str) -> None:
    with pytest.raises(ImpairedError, match="secret_unsendable"):
        exchange(
            mechanism, Login("anna\0evil" if mechanism in {"PLAIN", "LOGIN"} else "anna\1evil", Secret("x"), AuthKind.PASSWORD)
        )


def test_an_exchange_shows_no_secret() -> None:
    made = exchange(sasl.PLAIN, Login("anna", Secret("secret"), AuthKind.PASSWORD))
    assert made.answers[0].decode() not in repr(made)


def test_a_challenge_is_shown_decoded_whatever_it_is() -> None:
    assert challenge_text(base64.b64encode(b'{"status": "401", "scope": "mail"}')) == '{"status":"401","scope":"mail"}'
    assert challenge_text(base64.b64encode(b"not json\r\n")) == "not json"
    assert challenge_text(b"%%% no base64 \xff") != ""
    assert challenge_text(b"a") == "a"
    assert len(challenge_text(base64.b64encode(b"[" * 100_000))) <= 512
