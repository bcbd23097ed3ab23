"""What requests are made of: moments, whole numbers, texts without control characters."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from pydantic import Field, Strict, TypeAdapter, ValidationError

from mailwatch.web.api.fields import WHOLE, Moment, SecretText, Words

MOMENT = TypeAdapter(Moment)
NUMBER = TypeAdapter(Annotated[int, Strict(), Field(ge=1), WHOLE])


@pytest.mark.parametrize("text", ["2026-12-01T08:00:00Z", "2026-12-01t09:00:00+01:00", "2026-12-01T08:00:00.0z"])
def test_a_moment_of_rfc_3339_is_taken_as_utc(text):
    assert MOMENT.validate_python(text) == datetime(2026, 12, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", [0, "0", "2026-12-01", "2026-12-01T08:00:00", "2026-13-01T08:00:00Z", "0001-01-01T00:00:00+23:59", None, ""]
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValidationError):
        MOMENT.validate_python(text)


def test_a_whole_number_may_be_written_as_json_allows():
    assert [NUMBER.validate_python(given) for given in (1, 2.0)] == [1, 2]
    for given in ("1", True, 1.5, 0, None):
        with pytest.raises(ValidationError):
            NUMBER.validate_python(given)


@pytest.mark.parametrize("text", ["a\nb", "\0", "\x7f", "\ud800", "x" * 201])
def test_a_text_breaks_nothing(text):
    with pytest.raises(ValidationError):
        TypeAdapter(Words).validate_python(text)


@pytest.mark.parametrize("text", ["", "two\nlines", "nul\0"])
def test_a_secret_is_one_line_and_its_error_does_not_show_it(text):
    with pytest.raises(ValidationError):
        TypeAdapter(SecretText).validate_python(text)
