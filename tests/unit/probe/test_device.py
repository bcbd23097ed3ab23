"""The device flow's forms and answers."""

import pytest

from mailwatch.core.oauth import OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.ports.consents import DeviceStart
from mailwatch.probe import device

GOOD = {"device_code": "d", "user_code": "ABCD", "verification_uri": "https://x/device"}


def test_what_the_server_leaves_out_has_the_standards_value() -> None:
    start = device.started(GOOD)
    assert start is not None
    assert (start.interval_seconds, start.expires_in_seconds) == (5.0, 1800.0)


def test_googles_spelling_is_read_too() -> None:
    fields = {"device_code": "d", "user_code": "ABCD", "verification_url": "https://x/device"}
    assert device.started(fields) is not None


@pytest.mark.parametrize("changes", [{"device_code": None}, {"user_code": ""}, {"verification_uri": "javascript:alert(1)"}])
def test_half_an_answer_begins_nothing(changes: dict[str, object]) -> None:
    assert device.started({**GOOD, **changes}) is None


def test_what_a_server_wants_shown_is_cleaned() -> None:
    start = device.started({**GOOD, "user_code": "AB\r\n\x1b[31m" + "C" * 100})
    assert start is not None
    assert start.user_code.isprintable()
    assert len(start.user_code) <= 40


@pytest.mark.parametrize(("interval", "seconds"), [(0, 1.0), (1e9, 1800.0), ("7", 5.0), (True, 5.0)])
def test_no_server_can_make_us_hammer_or_wait_for_ever(interval: object, seconds: float) -> None:
    start = device.started({**GOOD, "interval": interval})
    assert start is not None
    assert start.interval_seconds == seconds


def test_slowing_down_lasts() -> None:
    start = DeviceStart(Secret("d"), "A", "https://x", 5.0, 60.0)
    assert device.patience(start, "authorization_pending") == 5.0
    assert device.patience(start, "slow_down") == device.slower(start) == 10.0
    assert device.patience(start, "access_denied") is None
    assert device.refusal("invalid_client") is None


def test_no_scope_is_asked_for_where_none_is_known() -> None:
    app = OAuthApp("a", OAuthKind.CUSTOM, "i d", None, "https://x/token")
    assert device.start_body(app) == "client_id=i+d"
