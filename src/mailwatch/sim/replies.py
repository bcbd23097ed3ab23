"""The words of each fault, by protocol and dialect, as the real servers word them.

Taken from the providers' documents and from public reports of these replies, with names, ids and addresses replaced.  An IMAP
reply's lines get the command's tag, but for those that begin with `* `; an SMTP reply stands as it is.  `{host}`, `{address}`,
`{milliseconds}` and `{seconds}` are filled in.  A dialect without words of its own uses the hoster's.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mailwatch.core.mailbox import Protocol
from mailwatch.sim.dialects import Dialect
from mailwatch.sim.faults import Fault, FaultKind

_K = FaultKind
_G, _M, _Y, _H = Dialect.GOOGLE, Dialect.MICROSOFT, Dialect.YAHOO, Dialect.HOSTER
_POSTFIX_REFUSED: Final = "535 5.7.8 Error: authentication failed: "
_GOOGLE_HELP: Final = "https://support.google.com/mail"

_IMAP: Final[Mapping[FaultKind, Mapping[Dialect, str]]] = MappingProxyType(
    {
        _K.GARBAGE: {_H: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"},
        _K.OVERLOADED: {
            _G: "* BYE Temporary System Error",
            _M: "* BYE Server Unavailable. 15",
            _Y: "* BYE [UNAVAILABLE] Server is busy - Please try again later",
            _H: "* BYE Connection queue full",
        },
        _K.MAINTENANCE: {
            _M: "* BYE Server Unavailable. 15\n* BYE Connection closed.",
            _H: "* BYE [UNAVAILABLE] Server is down for maintenance, please try again later",
        },
        _K.CONNECTION_LIMIT: {
            _G: "NO [ALERT] Too many simultaneous connections. (Failure)",
            _M: "* BYE Connection is closed. 10",
            _Y: "NO [LIMIT] LOGIN Too many simultaneous connections",
            _H: "NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
        },
        _K.DROP_AFTER_LOGIN: {
            _G: "* BYE System error",
            _H: "* BYE Internal error occurred. Refer to server log for more information.",
        },
        _K.LOGIN_THROTTLED: {
            _G: "NO [ALERT] Account exceeded command or bandwidth limits. (Failure)",
            _M: "BAD Request is throttled. Suggested Backoff Time: {milliseconds} milliseconds\n* BYE Connection closed. 14",
            _Y: "NO [LIMIT] LOGIN Rate limit hit.",
            _H: "NO [LIMIT] Too many login attempts, try again later",
        },
        _K.COMMANDS_THROTTLED: {
            _G: "NO [OVERQUOTA] Account exceeded command or bandwidth limits.",
            _M: "BAD Request is throttled. Suggested Backoff Time: {milliseconds} milliseconds\n* BYE Connection closed. 14",
            _Y: "NO [LIMIT] SELECT Rate limit hit.",
            _H: "NO [LIMIT] Rate limit exceeded, try again in {seconds} seconds",
        },
        _K.TEMPORARY_AUTH_FAILURE: {
            _G: "NO [UNAVAILABLE] Temporary System Problem. Please try again later. (Failure)",
            _M: "NO Server Unavailable. 15",
            _Y: "NO [SERVERBUG] LOGIN Server error - Please try again later",
            _H: "NO [UNAVAILABLE] Temporary authentication failure. [{host}:2026-01-15 10:21:33]",
        },
        _K.WRONG_SECRET: {
            _G: "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
            _M: "NO LOGIN failed.",
            _Y: "NO [AUTHENTICATIONFAILED] (#MBR1212) Incorrect username or password.",
            _H: "NO [AUTHENTICATIONFAILED] Authentication failed.",
        },
        _K.EVERYBODY_REFUSED: {_H: "NO [AUTHENTICATIONFAILED] Authentication failed."},
        _K.ACCESS_TOKEN_REFUSED: {
            _G: "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
            _M: "NO AUTHENTICATE failed.",
            _Y: "NO [AUTHENTICATIONFAILED] AUTHENTICATE Invalid credentials",
            _H: "NO [AUTHENTICATIONFAILED] Authentication failed.",
        },
        _K.APP_PASSWORD_REQUIRED: {
            _G: "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
            _H: "NO [AUTHENTICATIONFAILED] Two-factor authentication is enabled: please create an app password",
        },
        _K.BASIC_AUTH_DISABLED: {
            _M: 'NO LOGIN failed. [Error="AuthFailed:LogonDenied-BasicAuthBlocked" AuthResultFromPopImapEnd=0]',
            _H: "NO [ALERT] Password authentication has been disabled by your administrator. Please sign in with OAuth.",
        },
        _K.IMAP_DISABLED: {
            _G: "NO [ALERT] IMAP access is disabled for your domain. Please contact your domain administrator"
            " for questions about this feature. (Failure)",
            _H: "NO IMAP is disabled",
        },
        _K.WEB_LOGIN_REQUIRED: {
            _G: "NO [WEBALERT https://accounts.google.com/signin/continue?sarp=1] Web login required. (Failure)\n"
            "NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)",
            _M: "NO LOGIN failed. Account is blocked. Login to your account via a web browser to verify your identity.",
            _Y: "NO [AUTHENTICATIONFAILED] (#MBR1240) Please verify your account",
            _H: "NO [ALERT] Please sign in to webmail and confirm that it was you",
        },
        _K.ACCOUNT_DISABLED: {
            _G: "NO [ALERT] Account has been disabled. (Failure)",
            _H: "NO [CONTACTADMIN] Login disabled for this user",
        },
        _K.PASSWORD_EXPIRED: {_H: "NO [EXPIRED] That password has expired."},
    }
)

_SMTP: Final[Mapping[FaultKind, Mapping[Dialect, str]]] = MappingProxyType(
    {
        _K.GARBAGE: {_H: "* OK [CAPABILITY IMAP4rev1] Dovecot ready."},
        _K.OVERLOADED: {
            _G: "421 4.4.5 Server busy, try again later.",
            _M: "421 4.3.2 Service not active [{host}]",
            _Y: "421 4.3.2 Service temporarily unavailable, closing transmission channel",
            _H: "421 4.3.2 All server ports are busy",
        },
        _K.MAINTENANCE: {_H: "421 4.3.2 System going down for maintenance, try again in 30 minutes"},
        _K.CONNECTION_LIMIT: {
            _M: "421 4.3.2 The maximum number of concurrent connections has exceeded a limit, closing transmission channel",
            _H: "421 4.7.0 {host} Error: too many connections from 127.0.0.1",
        },
        _K.DROP_AFTER_LOGIN: {_H: "421 4.3.0 {host} Server local data error"},
        _K.LOGIN_THROTTLED: {
            _G: f"454-4.7.0 Too many login attempts, please try again later. For more information, go to\n"
            f"454 4.7.0 {_GOOGLE_HELP}/answer/7126229 - gsmtp",
            _M: "421 4.7.0 Too many errors on this connection, closing transmission channel",
            _H: "450 4.7.1 Error: too many AUTH commands from 127.0.0.1",
        },
        _K.COMMANDS_THROTTLED: {
            _G: "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating\n"
            "421-4.7.28 from your account. To protect our users from spam, mail sent from it has been\n"
            "421-4.7.28 temporarily rate limited. For more information, go to\n"
            f"421 4.7.28  {_GOOGLE_HELP}/?p=UnsolicitedRateLimitError x7sm1234567 - gsmtp",
            _M: "421 4.4.2 Message submission rate for this client has exceeded the configured limit",
            _Y: "421 Max message per connection reached, closing transmission channel",
            _H: "452 4.4.5 Rate limit exceeded, try again later.",
        },
        _K.TEMPORARY_AUTH_FAILURE: {
            _G: "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later.",
            _M: "454 4.7.0 Temporary authentication failure. [{host}]",
            _H: "454 4.7.0 Temporary authentication failure: Connection lost to authentication server",
        },
        _K.WRONG_SECRET: {
            _G: f"535-5.7.8 Username and Password not accepted. For more information, go to\n"
            f"535 5.7.8  {_GOOGLE_HELP}/?p=BadCredentials x7sm1234567 - gsmtp",
            _M: "535 5.7.3 Authentication unsuccessful [{host}]",
            _Y: "535 5.7.0 (#AUTH005) Bad credentials",
            _H: _POSTFIX_REFUSED + "(reason unavailable)",
        },
        _K.EVERYBODY_REFUSED: {_H: _POSTFIX_REFUSED + "authentication failure"},
        _K.ACCESS_TOKEN_REFUSED: {
            _G: f"535-5.7.8 Username and Password not accepted. For more information, go to\n"
            f"535 5.7.8  {_GOOGLE_HELP}/?p=BadCredentials x7sm1234567 - gsmtp",
            _M: "535 5.7.3 Authentication unsuccessful [{host}]",
            _H: _POSTFIX_REFUSED + "authentication failure",
        },
        _K.APP_PASSWORD_REQUIRED: {
            _G: f"534-5.7.9 Application-specific password required. For more information, go to\n"
            f"534 5.7.9  {_GOOGLE_HELP}/?p=InvalidSecondFactor x7sm1234567 - gsmtp",
            _H: "535 5.7.0 Two-factor authentication is enabled for this account; use an app password",
        },
        _K.BASIC_AUTH_DISABLED: {
            _M: "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [{host}]",
            _H: "535 5.7.8 Basic authentication disabled by administrator",
        },
        _K.SMTP_AUTH_DISABLED: {
            _M: "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
            " Visit https://aka.ms/smtp_auth_disabled for more information. [{host}]",
            _H: "535 5.7.8 SMTP access is disabled for your account",
        },
        _K.WEB_LOGIN_REQUIRED: {
            _G: "534-5.7.14 <https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=AKgnsbQ> Please\n"
            "534-5.7.14 log in via your web browser and then try again.\n534-5.7.14  Learn more at\n"
            f"534 5.7.14  {_GOOGLE_HELP}/answer/78754 x7sm1234567 - gsmtp",
            _H: "535 5.7.8 Suspicious login detected, please sign in to webmail and confirm that it was you",
        },
        _K.ACCOUNT_DISABLED: {
            _M: "535 5.7.139 Authentication unsuccessful, the user account is disabled. [{host}]",
            _H: "525 5.7.13 login is disabled for this account",
        },
        _K.PASSWORD_EXPIRED: {
            _M: "535 5.7.139 Authentication unsuccessful, the user password has expired.",
            _H: "535 5.7.8 Password expired, please change it in webmail",
        },
        _K.QUOTA_FULL: {
            _G: f"452-4.2.2 The email account is out of storage space.\n"
            f"452 4.2.2  {_GOOGLE_HELP}/?p=OverQuotaTemp x7sm1234567 - gsmtp",
            _M: "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException",
            _H: "552 5.2.2 <{address}>: Quota exceeded (mailbox for user is full)",
        },
        _K.SENDING_LIMIT: {
            _G: "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\n550-5.4.5 sending limits go to\n"
            "550 5.4.5  https://support.google.com/a/answer/166852 x7sm1234567 - gsmtp",
            _M: "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients. (AS:46601)",
            _H: "550 5.4.5 Daily sending limit exceeded for {address}",
        },
    }
)
#: After these the server hangs up, too.
_SEVERING: Final = frozenset({_K.OVERLOADED, _K.MAINTENANCE, _K.DROP_AFTER_LOGIN, _K.GARBAGE})


def words_for(fault: FaultKind | Fault, protocol: Protocol, dialect: Dialect, **facts: str) -> str:
    """What a server of *dialect* says for *fault*."""
    kind = fault.kind if isinstance(fault, Fault) else fault
    seconds = (fault.seconds if isinstance(fault, Fault) else None) or 30.0
    table = _IMAP if protocol is Protocol.IMAP else _SMTP
    by_dialect = table.get(kind) or table[_K.WRONG_SECRET]
    own = fault.words if isinstance(fault, Fault) else None
    text = own or by_dialect.get(dialect) or by_dialect.get(_H) or next(iter(by_dialect.values()))
    return text.format(milliseconds=round(seconds * 1000), seconds=round(seconds), **facts)


def severs(kind: FaultKind, text: str) -> bool:
    """Whether the server closes the connection after saying *text* for *kind*."""
    return kind in _SEVERING or text.startswith("421") or "* BYE" in text
