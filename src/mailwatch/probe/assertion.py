"""Assertions of a service account: a signed JWT that asks for a token on behalf of one mailbox (RFC 7523, 2.1).

With Google's domain-wide delegation an administrator lets the account act for every mailbox of the domain; `sub` names the one.
"""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from mailwatch.core.oauth import OAuthApp, ServiceAccountKey, mail_scopes
from mailwatch.core.secret import Secret
from mailwatch.probe.failures import ImpairedError

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIME: Final = timedelta(minutes=10)  #: of the assertion, used within a second; Google takes up to an hour
_SKEW: Final = timedelta(seconds=30)  #: a clock of ours that is ahead would make assertions of the future


class Signer:
    """Signs for one application; raises ImpairedError when its key is no RSA key: that is our fault, not a mailbox's."""

    def __init__(self, app: OAuthApp) -> None:
        self._app = app
        if app.service_account is None:
            raise ImpairedError("service_account_unusable")
        try:
            self._account = ServiceAccountKey.parse(app.service_account)
            self._key = RSAKey.import_key(self._account.private_key.reveal())
        except (ValueError, JoseError):
            raise ImpairedError("service_account_unusable") from None  # its words could quote the key

    def assertion(self, subject: str, now: datetime) -> Secret:
        """A JWT (RS256) that asks for a token of *subject*."""
        header = {"alg": "RS256", "typ": "JWT"}
        if self._account.key_id is not None:
            header["kid"] = self._account.key_id
        issued_at = now - _SKEW
        claims = {
            "iss": self._account.client_email,
            "sub": subject,
            "aud": self._app.token_url,
            "scope": " ".join(mail_scopes(self._app)),
            "iat": int(issued_at.timestamp()),
            "exp": int((issued_at + _LIFETIME).timestamp()),
        }
        return Secret(jwt.encode(header, claims, self._key, algorithms=["RS256"]))


def body_of(assertion: Secret) -> str:
    """The form that brings *assertion* to the token endpoint."""
    return urlencode({"grant_type": GRANT_TYPE, "assertion": assertion.reveal()})
