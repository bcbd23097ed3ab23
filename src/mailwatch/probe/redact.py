"""Cutting secrets out of text before anything keeps it: whatever a server echoes, in every form in which we sent it.

A hostile or chatty server may repeat a password or a token in its reply.  All text of a session passes through one `Redactor`
that knows the secrets of that session; what it lets through is safe to store, log and show.
"""

import base64
import html
import json
import re
from typing import Final
from urllib.parse import quote, quote_plus

from mailwatch.core.evidence import MAX_TEXT, clean

MASK: Final = "***"
_READ: Final = 8192  #: characters of a reply that are looked at; far above what is kept
_SHORTEST: Final = 4  #: a shorter secret is cut only as a word of its own, or it would eat every reply
_PERCENT: Final = re.compile(r"%[0-9A-F]{2}")
_BASE64_RUN: Final = re.compile(r"[A-Za-z0-9+/_=-]{8,}")


def _base64(text: str | bytes) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text).decode("ascii")


class Redactor:
    """Knows the secrets of one session and the payloads they travel in.

    `learn` a secret before it is used; the forms are worked out when the first text is cut, which on a healthy probe is never.
    """

    __slots__ = ("_forms", "_payloads", "_secrets", "_word_forms")

    def __init__(self) -> None:
        self._secrets: list[tuple[str, str]] = []
        self._forms: tuple[str, ...] | None = None
        self._word_forms: tuple[re.Pattern[str], ...] = ()
        self._payloads: tuple[str, ...] = ()

    def learn(self, username: str, secret: str) -> None:
        """From now on *secret*, and the SASL payloads it makes with *username*, are cut out."""
        if secret and (username, secret) not in self._secrets:
            self._secrets.append((username, secret))
            self._forms = None

    def redact(self, text: str) -> str:
        """*text* with every form of every secret replaced by ***."""
        if not self._secrets:
            return text
        if self._forms is None:
            self._prepare()
        for form in self._forms or ():
            if form in text:
                text = text.replace(form, MASK)
        for pattern in self._word_forms:
            text = pattern.sub(MASK, text)
        return _BASE64_RUN.sub(self._mask_payload, text)

    def keep(self, text: str | bytes, limit: int = MAX_TEXT, *, cut: bool = False) -> str:
        """Text of a peer, cut and cleaned (`core.evidence.clean`): at most *limit* characters that may be stored and shown.

        *cut*: the end of what the peer said is missing in *text*.
        """
        if isinstance(text, bytes):
            text = text[: 2 * _READ].decode("utf-8", "replace")
        whole = text[:_READ]
        if cut or len(text) > _READ:
            whole = self._without_head(whole)
        return self.redact(clean(self.redact(whole), 4 * limit))[:limit]

    def _without_head(self, text: str) -> str:
        """*text* without the head of a secret at its end, which the cut hides from the search for the whole."""
        if self._forms is None:
            self._prepare()
        for form in self._forms or ():
            for length in range(min(len(form), len(text)), _SHORTEST - 1, -1):
                if text.endswith(form[:length]):
                    return text[:-length] + MASK
        return text

    def _mask_payload(self, run: re.Match[str]) -> str:
        found = run[0].rstrip("=")
        return MASK if any(found in payload for payload in self._payloads) else run[0]

    def _prepare(self) -> None:
        forms: set[str] = set()
        words: set[str] = set()
        payloads: set[str] = set()
        for username, secret in self._secrets:
            escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
            in_json = json.dumps(secret)[1:-1]
            plain = {secret, escaped, in_json, in_json.replace("/", "\\/"), html.escape(secret), html.escape(secret, quote=False)}
            for in_url in (quote(secret, safe=""), quote_plus(secret)):
                plain |= {in_url, _PERCENT.sub(lambda found: found[0].lower(), in_url)}
            (forms if len(secret) >= _SHORTEST else words).update(plain)
            gs2_name = username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801, 4
            payloads.update(
                (
                    _base64(secret),
                    _base64(f"\0{username}\0{secret}"),
                    _base64(f"{username}\0{username}\0{secret}"),
                    _base64(f"user={username}\1auth=Bearer {secret}\1\1"),
                    _base64(f"n,a={gs2_name},\1auth=Bearer {secret}\1\1"),
                )
            )
        self._forms = tuple(sorted(forms, key=len, reverse=True))
        self._word_forms = tuple(re.compile(rf"(?<!\w){re.escape(word)}(?!\w)") for word in sorted(words, key=len, reverse=True))
        self._payloads = tuple(payloads)
