"""Replies are taken apart: codes, places, tokens."""

import base64

import pytest

from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.replies import decode_challenge, fold, read, words_of
from mailwatch.core.signatures.rule import PLACES


@pytest.mark.parametrize(
    ("word", "folded"),
    [
        ("Désactivé", "desactive"),
        ("GESPERRT", "gesperrt"),
        ("hasło", "haslo"),
        ("Straße", "strasse"),
        ("…", "..."),
        ("l'Authentification", "authentification"),
        ("l'a", "l'a"),
    ],
)
def test_words_are_compared_without_case_and_accents(word, folded):
    assert fold(word) == folded


def test_what_is_no_word_of_the_server_becomes_no_token():
    text = "550-5.7.1 <a@example.com>: see https://example.com/disabled 550 5.7.1 from 192.0.2.1 mx.example.com"
    reading = read(Evidence("smtp", None, text))
    assert reading.tokens == ("@", "see", "550", "from")
    assert (reading.code, reading.enhanced) == (550, "5.7.1")


def test_tokens_remember_where_they_stand():
    text = "535 5.7.8 Ihr Passwort ist abgelaufen"
    reading = read(Evidence("smtp", None, text))
    assert [text[first:last] for first, last in reading.spans] == ["Ihr", "Passwort", "ist", "abgelaufen"]


def test_chinese_is_read_sign_by_sign():
    assert words_of("密码错误 abc") == ["密", "码", "错", "误", "abc"]


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("a1 NO [ALERT] x", "NO", "ALERT"),
        ("* BYE [UNAVAILABLE] x", "BYE", "UNAVAILABLE"),
        ("NO, [AUTHENTICATIONFAILED] x", "NO", "AUTHENTICATIONFAILED"),
        ("[OVERQUOTA] x", None, "OVERQUOTA"),
        ("LOGIN failed [AUTHORIZATIONFAILED]", None, "AUTHORIZATIONFAILED"),
        ('Response status "OK" expected, but "NO" received. Data: [b\'x\']', "NO", None),
        ("a1 BAD unable to handle request: Connection refused", None, None),
        ("No such user", None, None),
    ],
)
def test_imap_replies_are_taken_apart(text, status, code):
    reading = read(Evidence("imap", None, text))
    assert (reading.status, reading.response_code) == (status, code)


def test_fields_that_are_given_are_not_guessed_again():
    reading = read(Evidence("imap", None, "[ALERT] x", status="BYE", response_code="limit"))
    assert (reading.status, reading.response_code) == ("BYE", "LIMIT")


def test_qmails_code_at_the_end_is_found():
    assert read(Evidence("smtp", None, "553 sorry, no mailbox here by that name. (#5.1.1)")).enhanced == "5.1.1"


@pytest.mark.parametrize(
    ("evidence", "places"),
    [
        (Evidence("smtp", Phase.AUTH, "535 x"), {"smtp", "auth", "5xx", "reply"}),
        (Evidence("smtp", Phase.STARTTLS, "454 x"), {"smtp", "early", "starttls", "4xx", "reply"}),
        (Evidence("imap", Phase.IDLE, "* BYE x"), {"imap", "session", "bye", "reply"}),
        (Evidence("network", Phase.CONNECT, "refused"), {"early"}),
        (Evidence("oauth", None), {"token"}),
    ],
)
def test_the_place_is_known(evidence, places):
    found = read(evidence).place
    assert {name for name, bit in PLACES.items() if found & bit} == places


def test_a_challenge_is_decoded_with_or_without_padding():
    coded = base64.b64encode(b'{"status":"401"}').decode()
    assert decode_challenge(f"334 {coded}") == decode_challenge(f"+ {coded.rstrip('=')}") == '{"status":"401"}'
    assert decode_challenge("334 UGFzc3dvcmQ6") is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"error":"Invalid_Grant"}', "invalid_grant"),
        ('{"error":{"code":401,"status":"UNAUTHENTICATED"}}', "unauthenticated"),
        ("xoauth2handler got: {u'error': u'invalid_grant'}", "invalid_grant"),
        ('{"error":"invalid_client","error_description":"cut off in the mid', "invalid_client"),
        ("<html>error</html>", None),
    ],
)
def test_the_error_of_a_token_endpoint_is_found(text, error):
    assert read(Evidence("oauth", Phase.TOKEN, text)).oauth_error == error


def test_all_aadsts_numbers_are_found_in_order():
    assert read(Evidence("oauth", Phase.TOKEN, "AADSTS50076: x AADSTS700082: y")).aadsts == (50076, 700082)
