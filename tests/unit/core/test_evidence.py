"""What a server said, made safe to keep."""

import html
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import IMAP, SMTP, a_report, failed, healthy, impaired
from mailwatch.core.causes import Cause
from mailwatch.core.evidence import BEFORE_LOGIN, MAX_TEXT, Phase, clean


@given(st.one_of(st.text(), st.binary(), st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"]))))
def test_cleaned_text_can_be_stored_printed_and_rendered_everywhere(text):
    cleaned = clean(text)
    assert len(cleaned) <= MAX_TEXT
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert json.loads(json.dumps(cleaned, ensure_ascii=False)) == cleaned
    html.escape(cleaned).encode()
    assert not set(cleaned) & set(map(chr, [*range(32), *range(127, 160), 0x2028, 0x2029, 0x202E, 0xFEFF]))


@given(st.text(max_size=200))
def test_cleaning_what_is_clean_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


def test_lines_are_joined_by_a_blank():
    assert clean("535-5.7.8 Bad\r\n535 5.7.8 credentials\t!\r\n") == "535-5.7.8 Bad 535 5.7.8 credentials !"


def test_bytes_that_are_no_text_are_marked():
    assert clean(b"caf\xe9") == "caf\ufffd"


def test_words_in_any_script_stay_as_they_are():
    assert clean("認証に失敗しました — ошибка входа") == "認証に失敗しました — ошибка входа"


def test_a_long_text_is_cut_without_being_read_whole():
    assert clean("x" * 100_000_000, 10) == "x" * 10


@pytest.mark.parametrize("phase", [Phase.AUTH, Phase.SELECT, Phase.SUBMIT, Phase.IDLE, Phase.QUIT, Phase.TOKEN])
def test_a_phase_at_or_behind_the_login_is_not_before_it(phase):
    assert phase not in BEFORE_LOGIN


def test_a_report_names_its_first_impairment_and_counts_its_refusals():
    report = a_report(failed(Cause.INVALID_CREDENTIALS), impaired(SMTP, "out_of_descriptors"))
    assert report.impairment == "out_of_descriptors"
    assert report.rejected_logins == 1
    assert a_report(healthy(IMAP)).impairment is None
