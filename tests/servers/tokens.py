"""OAuth access tokens that the tests' Dovecot accepts: signed JWTs (RFC 7519), HS256, checked by it without any network."""

import base64
import hashlib
import hmac
import json
import time

ISSUER = "https://login.test"
CLIENT_ID = "mailwatch-tests"
SIGNING_KEY = b"a signing key for tests, 32 bytes and more"


def access_token(user: str, *, valid_seconds: float = 3600, key: bytes = SIGNING_KEY, issuer: str = ISSUER) -> str:
    """A token for *user*; with negative *valid_seconds* one that has expired, with another *key* or *issuer* a forged one."""
    now = int(time.time())
    issued_at = min(now, int(now + valid_seconds)) - 60
    claims = {"sub": user, "iss": issuer, "aud": CLIENT_ID, "iat": issued_at, "nbf": issued_at, "exp": int(now + valid_seconds)}
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return (signed + b"." + _encoded(hmac.digest(key, signed, hashlib.sha256))).decode()


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
