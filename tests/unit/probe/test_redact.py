"""Cutting secrets out of text."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from mailwatch.probe.redact import Redactor


def knowing(secret: str, username: str = "anna") -> Redactor:
    redactor = Redactor()
    redactor.learn(username, secret)
    return redactor


def test_a_secret_is_cut_in_each_form_that_it_travels_in() -> None:
    secret = 'p"a\\s s%w/rd'
    redactor = knowing(secret)
    sasl = base64.b64encode(f"\0anna\0{secret}".encode()).decode()
    for form in (
        secret,
        'p\\"a\\\\s s%w/rd',
        "p%22a%5Cs%20s%25w%2Frd",
        "p%22a%5Cs+s%25w%2Frd",
        base64.b64encode(secret.encode()).decode(),
        sasl,
    ):
        assert redactor.keep(f"you said {form} to me") == "you said *** to me"
    assert "***" in redactor.keep(f"you said {sasl[:24]}… to me")


def test_a_secret_behind_line_breaks_and_controls_is_cut_as_well() -> None:
    assert "two words" not in knowing("two words").keep("echo two\twords and two\r\nwords")


def test_a_short_secret_is_cut_as_a_word_and_leaves_the_rest_readable() -> None:
    assert knowing("no").keep("no: authentication is not possible now, no") == "***: authentication is not possible now, ***"


def test_without_a_secret_text_is_only_cleaned() -> None:
    assert Redactor().keep(b"caf\xe9 \x1b[31m\r\nnext") == "caf\ufffd \ufffd[31m next"


def test_the_head_of_a_secret_at_the_cut_is_not_kept() -> None:
    secret = "correct-horse-battery"
    text = secret * 500
    kept = knowing(secret).keep(text)
    assert "correct" not in kept
    assert len(kept) <= 512


@given(st.text(min_size=4, max_size=30), st.text(max_size=40), st.text(max_size=40))
def test_no_secret_of_printable_characters_survives(secret: str, before: str, after: str) -> None:
    kept = knowing(secret).keep(f"{before}{secret}{after}")
    assert secret not in kept or secret in "*" * 40


def test_a_secret_is_cut_as_other_programs_write_it() -> None:
    secret = "1//0gA+b/c=d&<e>"
    redactor = knowing(secret)
    for form in (
        "1\\/\\/0gA+b\\/c=d&<e>",  # JSON as PHP writes it
        "1//0gA+b/c=d&amp;&lt;e&gt;",
        "1%2f%2f0gA%2bb%2fc%3dd%26%3ce%3e",
    ):
        assert redactor.keep(f"you said {form} to me") == "you said *** to me"


def test_the_head_of_a_secret_where_a_text_was_cut_off_is_not_kept() -> None:
    redactor = knowing("correct-horse-battery")
    assert redactor.keep("NO correct-horse-battery, correct-ho", cut=True) == "NO ***, ***"
    assert redactor.keep("NO correct-ho") == "NO correct-ho"
    assert redactor.keep("NO way", cut=True) == "NO way"
