"""Assertions: signed by the key, for one mailbox, for a few minutes."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import RSAKey

from mailwatch.core.oauth import GrantKind, OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.probe.assertion import Signer, body_of
from mailwatch.probe.failures import ImpairedError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = RSAKey.generate_key(2048)


def app(private_key: str | None = None, **fields: str) -> OAuthApp:
    pem = KEY.as_pem(private=True).decode() if private_key is None else private_key
    account = {"client_email": "robot@p.iam.gserviceaccount.com", "private_key": pem, **fields}
    return OAuthApp(
        "w",
        OAuthKind.GOOGLE,
        "1",
        None,
        "https://oauth2.googleapis.com/token",
        grant=GrantKind.SERVICE_ACCOUNT,
        service_account=Secret(json.dumps(account)),
    )


def test_an_assertion_names_who_asks_for_whom_and_for_how_long() -> None:
    assertion = Signer(app(private_key_id="k1")).assertion("anna@example.org", NOW)
    token = jwt.decode(assertion.reveal(), KEY, algorithms=["RS256"])
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    issued_at = int(NOW.timestamp()) - 30
    assert token.claims == {
        "iss": "robot@p.iam.gserviceaccount.com",
        "sub": "anna@example.org",
        "aud": "https://oauth2.googleapis.com/token",
        "scope": "https://mail.google.com/",
        "iat": issued_at,
        "exp": issued_at + 600,
    }
    with pytest.raises(BadSignatureError):
        jwt.decode(assertion.reveal(), RSAKey.generate_key(2048), algorithms=["RS256"])


def test_it_travels_as_a_jwt_bearer_grant() -> None:
    form = parse_qs(body_of(Secret("a.b.c")))
    assert form == {"grant_type": ["urn:ietf:params:oauth:grant-type:jwt-bearer"], "assertion": ["a.b.c"]}


@pytest.mark.parametrize("broken", ["-----BEGIN PRIVATE KEY-----\nc4n4ry\n-----END PRIVATE KEY-----\n", "c4n4ry"])
def test_a_key_that_cannot_be_used_is_our_fault_and_is_not_quoted(broken: str) -> None:
    with pytest.raises(ImpairedError) as caught:
        Signer(app(broken))
    assert caught.value.impairment == "service_account_unusable"
    assert caught.value.__suppress_context__


def test_an_application_without_a_key_cannot_sign() -> None:
    with pytest.raises(ImpairedError):
        Signer(OAuthApp("w", OAuthKind.GOOGLE, "1", None, "https://x/token", grant=GrantKind.SERVICE_ACCOUNT))
