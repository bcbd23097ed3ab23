"""The kinds of texts keys hold."""

from datetime import date, datetime, time, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from mailwatch.config import section


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (section.Name, ["google", "my-host_1"], ["Google", "1x", "", "a" * 33, "a.b", "a\n"]),
        (
            section.Url,
            ["https://a.example/token", "https://a:8443/x?y=z"],
            ["http://a/b", "https://", "https://u@h/x", "https://a b"],
        ),
        (section.Host, ["a.b", "*.a.b", "xn--a.example"], ["A.b", "*", "*.", "a..b", "-a.b", "a b", "a.b\n", "*.*.b"]),
        (section.Domain, ["example.org"], ["*.example.org", "Example.org", ""]),
        (section.HostPort, ["a.b:1", "[::1]:2", "1.2.3.4:3"], ["a.b", "a.b:", "a.b:x", "*.b:1", ":1", "[x]:1"]),
        (section.Network, ["10.0.0.0/8", "fd00::/8", "10.1.2.3"], ["10.0.0.1/8", "x", "10.0.0.0/33"]),
        (section.Address, ["9.9.9.9", "2620:fe::fe"], ["dns.quad9.net", "9.9.9.9:53"]),
        (section.AbsolutePath, ["/a/b"], ["a/b", "", "/a\0"]),
        (
            section.Label,
            ["*", "tier", "tier=gold", "tier=", "two words=and more", "a=b=c"],
            ["", " ", "=gold", "**", "*=x", "a;b", "a=b;c", " tier", "tier =x"],
        ),
    ],
)
def test_each_kind_of_text_takes_the_good_and_refuses_the_bad(kind, good, bad):
    adapter = TypeAdapter(kind)
    for text in good:
        assert adapter.validate_python(text) == text
    for text in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(text)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        (date(2027, 1, 31), "2027-01-31T00:00:00+00:00"),
        (datetime(2027, 1, 31, 8), "2027-01-31T08:00:00+00:00"),  # as TOML has it without an offset
        (datetime(2027, 1, 31, 8, tzinfo=timezone(timedelta(hours=2))), "2027-01-31T06:00:00+00:00"),
        ("2027-01-31", "2027-01-31T00:00:00+00:00"),
        ("2027-01-31T08:00:00Z", "2027-01-31T08:00:00+00:00"),
    ],
)
def test_a_moment_may_be_a_day_or_a_date_time_with_or_without_offset(given, moment):
    assert TypeAdapter(section.MomentOrDay).validate_python(given, strict=True).isoformat() == moment


@pytest.mark.parametrize("given", ["", "soon", "2027-02-30", 2027, 1.5, True, None, time(8), "9999-12-31T23:00:00-23:00"])
def test_anything_else_is_no_moment(given):
    with pytest.raises(ValidationError, match="no date"):
        TypeAdapter(section.MomentOrDay).validate_python(given)
