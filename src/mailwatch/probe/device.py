"""The device flow: the person types a short code on any other device, and we ask until it is done (RFC 8628)."""

from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from oauthlib.oauth2 import DeviceClient

from mailwatch.core.evidence import clean
from mailwatch.core.oauth import OAuthApp, consent_scopes
from mailwatch.core.secret import Secret
from mailwatch.ports.consents import ConsentError, DeviceStart

_INTERVAL_SECONDS: Final = 5.0  #: when the server names none (RFC 8628, 3.2)
_SLOW_DOWN_SECONDS: Final = 5.0  #: more between two questions, from then on (RFC 8628, 3.5)
_LONGEST_SECONDS: Final = 1800.0
_MAX_CODE: Final = 40
#: What ends the flow (RFC 8628, 3.5), in words for the person.
_ENDS: Final = {
    "access_denied": "consent was not given at the provider; start again, and allow it there",
    "expired_token": "the code was not typed in time; start again",
}


def start_body(app: OAuthApp) -> str:
    """The form that begins a flow."""
    form = {"client_id": app.client_id}
    if scopes := consent_scopes(app):
        form["scope"] = " ".join(scopes)
    return urlencode(form)


def started(fields: dict[str, Any]) -> DeviceStart | None:
    """What the server began; None when its answer lacks a part."""
    code, user_code = fields.get("device_code"), fields.get("user_code")
    url = fields.get("verification_uri") or fields.get("verification_url")  # the latter is Google's spelling
    if not all(isinstance(value, str) and value for value in (code, user_code, url)):
        return None
    assert isinstance(code, str)
    if urlsplit(str(url)).scheme not in {"https", "http"}:
        return None
    return DeviceStart(
        Secret(code),
        clean(str(user_code), _MAX_CODE),
        clean(str(url)),
        _seconds(fields.get("interval"), _INTERVAL_SECONDS),
        _seconds(fields.get("expires_in"), _LONGEST_SECONDS),
    )


def poll_body(app: OAuthApp, start: DeviceStart) -> str:
    """The form that asks whether it is done."""
    client = DeviceClient(app.client_id)
    return str(client.prepare_request_body(start.device_code.reveal(), include_client_id=True))


def slower(start: DeviceStart) -> float:
    """The longer interval after the server asked for one, or did not answer."""
    return start.interval_seconds + _SLOW_DOWN_SECONDS


def patience(start: DeviceStart, error: object) -> float | None:
    """How long to wait when *error* only means not yet; None when the flow is over."""
    if error == "authorization_pending":
        return start.interval_seconds
    return slower(start) if error == "slow_down" else None


def refusal(error: object) -> ConsentError | None:
    """The end that *error* means, None when it is not of this flow."""
    words = _ENDS.get(str(error))
    return None if words is None else ConsentError(words)


def _seconds(value: object, fallback: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return fallback
    return min(max(float(value), 1.0), _LONGEST_SECONDS)
