"""Whether the tokens that a consent brought are the right ones: lasting, for mail, and of the mailbox's own login.  Pure.

The most common slip by far is a browser that was signed in as somebody else.
"""

import re
from typing import Final

from mailwatch.core.mailbox import Mailbox
from mailwatch.core.oauth import OAuthApp, missing_scopes, same_login
from mailwatch.ports.consents import Tokens

_ADDRESS: Final = re.compile(r"[^\s@\"'<>(),;:]+(?:@[^\s@\"'<>(),;:]+)+")


def unfit(app: OAuthApp, mailbox: Mailbox, tokens: Tokens) -> str | None:
    """What is wrong with *tokens* for *mailbox*, and what to do; None when nothing is.

    Who signed in is judged only as far as it was told.
    """
    missing = missing_scopes(app, tokens.scopes)
    if missing:
        return f"not everything was allowed: {', '.join(missing)} is missing; start again, and leave every box ticked"
    if tokens.refresh_token is None:
        return (
            "the provider gave an access that does not last (no refresh token); start again, or let whoever runs mailwatch "
            f"look at the scopes of [oauth.{app.name}]"
        )
    names = told_names(tokens)
    if names and not any(same_login(name, own) for name in names for own in (mailbox.address, mailbox.username)):
        return (
            f"the account that signed in is {names[0]}, and this mailbox is {mailbox.address}; "
            f"sign out there or choose the other account, then give consent as {mailbox.address}"
        )
    return None


def told_names(tokens: Tokens) -> tuple[str, ...]:
    """Whom the provider says it is; none when it does not tell."""
    return () if tokens.address is None else (tokens.address, *sorted(tokens.aliases))


def without_addresses(words: str) -> str:
    """*words* fit to be stored: of each address enough to know one's own by (b…@example.org), too little to know a stranger's.

    Whoever signed in by mistake may be a mailbox here too, and be removed one day with all its traces.
    """
    return _ADDRESS.sub(lambda found: f"{found[0][:1]}…@{found[0].rpartition('@')[2]}", words)


def denial(error: str, description: str) -> str:
    """What an error of the authorize endpoint means to the person (RFC 6749, 4.1.2.1); both texts were cleaned."""
    if error == "access_denied":
        meaning = "consent was not given at the provider; start again, and allow it there"
    elif error in {"consent_required", "interaction_required", "login_required"}:
        meaning = "the provider wants an administrator's approval, or a new sign-in, first"
    elif error in {"server_error", "temporarily_unavailable"}:
        meaning = "the provider cannot do it just now; try again in a few minutes"
    else:
        meaning = "the provider refused; try again, or ask whoever runs mailwatch"
    return f"{meaning} ({': '.join(part for part in (error, description) if part)})"
