"""The provider's side of a consent, over HTTP: where to send the person, the tokens for a code, who it was, revocation.

`ports.consents.ConsentEndpoints` for Google, Microsoft and servers that a custom application names.  Requests are made by oauthlib,
without I/O of its own, and travel over `http`; what a provider answers is cut and cleaned before it stands in an error.
"""

from typing import Any, Final
from urllib.parse import urlencode

from oauthlib.common import add_params_to_uri
from oauthlib.oauth2 import WebApplicationClient

from mailwatch.core.oauth import OAuthApp, OAuthKind, consent_scopes
from mailwatch.core.secret import Secret
from mailwatch.ports.consents import ConsentError, DeviceStart, Tokens
from mailwatch.ports.delivery import HttpAnswer
from mailwatch.probe import device
from mailwatch.probe.failures import ImpairedError
from mailwatch.probe.http import NO_ANSWER, JudgedHttp
from mailwatch.probe.identity import login_names
from mailwatch.probe.redact import Redactor
from mailwatch.probe.token_endpoint import consent_lifetime, json_object, lifetime, post_form

_MAX_WORDS: Final = 300  #: of a provider's description
_OK: Final = 200
#: What each error of RFC 6749 5.2 means to the person at the browser; {app} is the application's name.
_REFUSALS: Final = {
    "invalid_grant": "the sign-in had run out or was used already; start again",
    "invalid_client": "the provider does not accept mailwatch's own registration ({app}); its administrator must renew it",
    "unauthorized_client": "the registration of mailwatch ({app}) may not sign people in this way; its administrator must allow it",
    "invalid_scope": "the provider does not know what [oauth.{app}] asks for; its administrator must correct the scopes",
}


class HttpConsentEndpoints:
    """Speaks with authorisation servers over *http*."""

    def __init__(self, http: JudgedHttp) -> None:
        self._http = http

    def authorize_url(
        self, app: OAuthApp, *, state: str, challenge: str, redirect_uri: str, address: str, choose: bool = False
    ) -> str:
        """Where the person is sent (RFC 6749 4.1.1 with PKCE S256, RFC 7636); raises ConsentError where there is no such place."""
        if app.authorize_url is None:
            raise ConsentError(f"[oauth.{app.name}] has no authorize_url: nobody can be sent to give consent; set it")
        asked = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(consent_scopes(app)),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "login_hint": address,
        }
        prompts = ["select_account"] if choose else []
        if app.kind is OAuthKind.GOOGLE:
            # without both, who has consented before gets an access token for an hour and no refresh token
            asked["access_type"] = "offline"
            prompts.append("consent")
        if prompts:
            asked["prompt"] = " ".join(prompts)
        return str(add_params_to_uri(app.authorize_url, [(name, value) for name, value in asked.items() if value]))

    async def exchange(self, app: OAuthApp, *, code: Secret, verifier: Secret, redirect_uri: str) -> Tokens:
        """The tokens for a code (RFC 6749 4.1.3), and who signed in; raises ConsentError."""
        body = WebApplicationClient(app.client_id).prepare_request_body(
            code=code.reveal(), redirect_uri=redirect_uri, code_verifier=verifier.reveal(), include_client_id=True
        )
        answer = await self._post(app, app.token_url, body)
        fields = json_object(answer.body)
        if answer.status != _OK or not isinstance(fields.get("access_token"), str):
            raise refusal(app, answer, code, verifier)
        return await self._tokens(app, fields)

    async def start_device(self, app: OAuthApp) -> DeviceStart:
        """Begin a device flow (RFC 8628); raises ConsentError where the provider has none."""
        if app.device_url is None:
            raise ConsentError(f"[oauth.{app.name}] has no device_url: its provider is signed in at in a browser")
        answer = await self._post(app, app.device_url, device.start_body(app))
        start = device.started(json_object(answer.body)) if answer.status == _OK else None
        if start is None:
            raise refusal(app, answer)
        return start

    async def poll_device(self, app: OAuthApp, start: DeviceStart) -> Tokens | float:
        """The tokens, or how many seconds to wait before asking again, now and from then on."""
        try:
            answer = await self._post(app, app.token_url, device.poll_body(app, start))
        except ConsentError:
            return device.slower(start)  # RFC 8628, 3.5: after a time-out ask less often
        fields = json_object(answer.body)
        if answer.status == _OK and isinstance(fields.get("access_token"), str):
            return await self._tokens(app, fields)
        wait = device.patience(start, fields.get("error"))
        if wait is None:
            raise device.refusal(fields.get("error")) or refusal(app, answer, start.device_code)
        return wait

    async def revoke(self, app: OAuthApp, refresh_token: Secret) -> bool:
        """Revoke a grant where the provider allows (RFC 7009); whether it did.  Never raises."""
        if app.revoke_url is None:
            return False
        form = {"token": refresh_token.reveal(), "token_type_hint": "refresh_token", "client_id": app.client_id}
        try:
            answer = await self._post(app, app.revoke_url, urlencode(form))
        except ConsentError:
            return False
        return answer.status == _OK

    async def close(self) -> None:
        """Close kept connections."""
        await self._http.close()

    async def _tokens(self, app: OAuthApp, fields: dict[str, Any]) -> Tokens:
        access_token = Secret(fields["access_token"])
        names = login_names(app, fields.get("id_token"))
        if not names and app.userinfo_url is not None:
            names = login_names(app, await self._userinfo(app.userinfo_url, access_token))
        granted = fields.get("scope")
        refresh_token = fields.get("refresh_token")
        return Tokens(
            access_token,
            lifetime(fields.get("expires_in")),
            Secret(refresh_token) if isinstance(refresh_token, str) and refresh_token else None,
            # none named: all that were asked for (RFC 6749, 5.1)
            frozenset(granted.split()) if isinstance(granted, str) and granted else frozenset(consent_scopes(app)),
            names[0] if names else None,
            frozenset(names[1:]),
            consent_lifetime(fields),
        )

    async def _userinfo(self, url: str, access_token: Secret) -> dict[str, Any]:
        """Who signed in (OpenID Connect Core 1.0, 5.3); empty when it is not told."""
        headers = {"Accept": "application/json", "Authorization": f"Bearer {access_token.reveal()}"}
        try:
            answer = await self._http.fetch("GET", url, headers=headers)
        except (*NO_ANSWER, ImpairedError):
            return {}
        return json_object(answer.body) if answer.status == _OK else {}

    async def _post(self, app: OAuthApp, url: str, body: str) -> HttpAnswer:
        try:
            return await post_form(self._http, app, url, body)
        except ImpairedError:
            raise ConsentError("the provider's URL is http://: what is sent could be read on the way; use https://") from None
        except NO_ANSWER:
            raise ConsentError("the provider's sign-in server did not answer; try again in a few minutes") from None


def refusal(app: OAuthApp, answer: HttpAnswer, *secrets: Secret) -> ConsentError:
    """What the provider's refusal means, with its own words behind it."""
    redactor = Redactor()
    for secret in (*secrets, app.client_secret):
        if secret is not None:
            redactor.learn("", secret.reveal())
    fields = json_object(answer.body)
    for name in ("access_token", "refresh_token", "id_token"):
        if isinstance(fields.get(name), str):
            redactor.learn("", fields[name])
    error, words = str(fields.get("error") or ""), fields.get("error_description")
    told = redactor.keep(words, _MAX_WORDS) if isinstance(words, str) and words else redactor.keep(error, _MAX_WORDS)
    meaning = _REFUSALS.get(error, "the provider refused; try again, or ask whoever runs mailwatch").format(app=app.name)
    return ConsentError(f"{meaning} (HTTP {answer.status}{': ' + told if told else ''})")
