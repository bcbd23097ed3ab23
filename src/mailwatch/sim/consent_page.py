"""The consent page of a simulated provider: who you are, what is asked for, Allow or Deny; a click is enough.

It is served in clear, since no browser trusts the simulated authority; mailwatch never asks for it, only a browser on this machine
does.  What it hands out is a code, redeemed at the token endpoint with its PKCE verifier (RFC 6749 4.1, RFC 7636).
"""

import html
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from mailwatch.sim.provider import Provider

PATH: Final = "/authorize"
_KEPT: Final = ("client_id", "redirect_uri", "state", "scope", "code_challenge", "code_challenge_method", "response_type")
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to {name}</title><style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 10vh auto; padding: 0 1rem; color-scheme: light dark }}
input {{ font: inherit; width: 100%; padding: .5rem; box-sizing: border-box }}
button {{ font: inherit; padding: .5rem 1.25rem; margin: 1rem .5rem 0 0 }}
[role=alert] {{ color: #b00020 }}
</style></head><body><main>
<h1>{name}</h1><p>A simulated provider. <strong>mailwatch</strong> asks to read and send mail as:</p>
{alert}<form method="post" action="{path}">{hidden}
<label for="account">Account</label><input id="account" name="account" type="email" value="{account}" required>
<button name="decision" value="allow">Allow</button><button name="decision" value="deny" formnovalidate>Deny</button>
</form></main></body></html>
"""


def page(provider: Provider, asked: Mapping[str, str], alert: str = "") -> str:
    """The page for what the query *asked*."""
    hidden = "".join(f'<input type="hidden" name="{name}" value="{html.escape(asked.get(name, ""))}">' for name in _KEPT)
    return _PAGE.format(
        name=html.escape(provider.spec.name),
        path=PATH,
        alert=f'<p role="alert">{html.escape(alert)}</p>\n' if alert else "",
        hidden=hidden,
        account=html.escape(asked.get("account") or asked.get("login_hint", "")),
    )


def fault(provider: Provider, asked: Mapping[str, str]) -> str | None:
    """Why nobody can be sent back (RFC 6749, 4.1.2.1); None when all is as it should be."""
    if asked.get("client_id") != provider.client_id:
        return "no such client"
    if urlsplit(asked.get("redirect_uri", "")).scheme not in {"http", "https"}:
        return "no usable redirect_uri"
    if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        return "response_type=code with a PKCE challenge (S256) is needed"
    return None


def decided(provider: Provider, form: Mapping[str, str]) -> str | None:
    """Where the browser goes after a click; None when there is no such account here."""
    back = {"state": form.get("state", "")}
    if form.get("decision") != "allow":
        back |= {"error": "access_denied", "error_description": "The resource owner denied the request"}
    else:
        account = provider.accounts.get(form.get("account", "").strip())
        if account is None or account.provider != provider.spec.name:
            return None
        back["code"] = provider.tokens.code(
            account.address, challenge=form["code_challenge"], redirect_uri=form["redirect_uri"], scope=form.get("scope", "")
        )
    redirect_uri = form["redirect_uri"]
    return f"{redirect_uri}{'&' if urlsplit(redirect_uri).query else '?'}{urlencode(back)}"
