"""How each kind of provider speaks when all is well: greetings, capabilities and acknowledgements.

Worded as the providers word them in public (their documents and protocol traces); host names and ids are invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class Dialect(StrEnum):
    """Whose words a simulated provider uses."""

    GOOGLE = "google"
    MICROSOFT = "microsoft"
    YAHOO = "yahoo"
    HOSTER = "hoster"  #: a small hoster with Dovecot and Postfix


@dataclass(frozen=True, slots=True)
class Manner:
    """The everyday phrases of a dialect; `{host}` is the server's name, `{address}` the account's."""

    imap_greeting: str
    imap_extras: str  #: capabilities beside those the server really has
    imap_login_ok: str
    imap_bye: str
    smtp_greeting: str
    smtp_hello: str
    smtp_extras: tuple[str, ...]
    smtp_login_ok: str
    smtp_accepted: str
    smtp_bye: str
    smtp_auth_mechanisms: str
    token_prefix: str  #: access tokens begin so
    rotates: bool  #: each refresh brings a new refresh token


MANNERS: Final[Mapping[Dialect, Manner]] = MappingProxyType(
    {
        Dialect.GOOGLE: Manner(
            imap_greeting="Gimap ready for requests from 127.0.0.1 x7mb1234567",
            imap_extras="UNSELECT NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS",
            imap_login_ok="{address} authenticated (Success)",
            imap_bye="LOGOUT Requested",
            smtp_greeting="{host} ESMTP x7sm1234567 - gsmtp",
            smtp_hello="{host} at your service, [127.0.0.1]",
            smtp_extras=("SIZE 35882577", "8BITMIME", "ENHANCEDSTATUSCODES", "PIPELINING", "CHUNKING", "SMTPUTF8"),
            smtp_login_ok="235 2.7.0 Accepted",
            smtp_accepted="250 2.0.0 OK  1700000000 x7sm1234567 - gsmtp",
            smtp_bye="221 2.0.0 closing connection x7sm1234567 - gsmtp",
            smtp_auth_mechanisms="LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH",
            token_prefix="ya29.",
            rotates=False,
        ),
        Dialect.MICROSOFT: Manner(
            imap_greeting="The Microsoft Exchange IMAP4 service is ready. [QQBNADcAUABSADAAMQ]",
            imap_extras="UIDPLUS MOVE ID UNSELECT CHILDREN NAMESPACE LITERAL+",
            imap_login_ok="AUTHENTICATE completed.",
            imap_bye="Microsoft Exchange Server IMAP4 server signing off.",
            smtp_greeting="{host} Microsoft ESMTP MAIL Service ready",
            smtp_hello="{host} Hello [127.0.0.1]",
            smtp_extras=("SIZE 157286400", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "8BITMIME", "BINARYMIME", "CHUNKING"),
            smtp_login_ok="235 2.7.0 Authentication successful",
            smtp_accepted="250 2.0.0 OK <a1b2c3@{host}> [Hostname={host}]",
            smtp_bye="221 2.0.0 Service closing transmission channel",
            smtp_auth_mechanisms="LOGIN XOAUTH2 OAUTHBEARER PLAIN",
            token_prefix="EwB4A8l6BAAU",
            rotates=True,
        ),
        Dialect.YAHOO: Manner(
            imap_greeting="[CAPABILITY {capabilities}] IMAP4rev1 imapgate-0.7.68_31 imapgw",
            imap_extras="ID MOVE NAMESPACE UIDPLUS LITERAL+ CHILDREN UNSELECT",
            imap_login_ok="AUTHENTICATE completed - Mailbox size in bytes is 1024",
            imap_bye="IMAP4rev1 Server logging out",
            smtp_greeting="{host} ESMTP ready",
            smtp_hello="{host} Hello [127.0.0.1]",
            smtp_extras=("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SIZE 41697280"),
            smtp_login_ok="235 2.0.0 OK",
            smtp_accepted="250 OK , completed",
            smtp_bye="221 Service Closing transmission",
            smtp_auth_mechanisms="PLAIN LOGIN XOAUTH2 OAUTHBEARER",
            token_prefix="aBcD.",
            rotates=False,
        ),
        Dialect.HOSTER: Manner(
            imap_greeting="[CAPABILITY {capabilities}] Dovecot ready.",
            imap_extras="LOGIN-REFERRALS ID ENABLE LITERAL+",
            imap_login_ok="[CAPABILITY {capabilities}] Logged in",
            imap_bye="Logging out",
            smtp_greeting="{host} ESMTP Postfix (Debian/GNU)",
            smtp_hello="{host}",
            smtp_extras=("PIPELINING", "SIZE 10240000", "ETRN", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8"),
            smtp_login_ok="235 2.7.0 Authentication successful",
            smtp_accepted="250 2.0.0 Ok: queued as 4A1B2C3D4E",
            smtp_bye="221 2.0.0 Bye",
            smtp_auth_mechanisms="PLAIN LOGIN XOAUTH2 OAUTHBEARER",
            token_prefix="tok.",
            rotates=True,
        ),
    }
)
