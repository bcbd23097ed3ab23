"""What the codes of SMTP and IMAP mean.

`ENHANCED`: the IANA registry of SMTP Enhanced Status Codes (RFC 3463, 3886, 4954, 5248, 6710, 7293, 7372, 7504, 7505, 8616,
8689) and the x.y.z that Exchange Online adds (learn.microsoft.com, NDR codes); keyed by subject.detail, with the class where it
changes the meaning. `IMAP_CODES`: the IANA registry of IMAP response codes (RFC 5530, 9051 and extensions). A code is
*decisive* when no wording beside it can mean something else; all others speak only when the words do not.
"""

from collections.abc import Mapping
from typing import Final

from mailwatch.core.causes import Cause

#: Codes that decide before the generic words are read.
DECISIVE_ENHANCED: Final[Mapping[str, Cause]] = {
    "x.7.10": Cause.TLS_REQUIRED,  # RFC 5248: encryption needed
    "x.7.11": Cause.TLS_REQUIRED,  # RFC 5248: encryption required for the requested mechanism
    "5.4.5": Cause.SENDING_LIMIT,  # Google: daily sending quota
    "5.1.90": Cause.SENDING_LIMIT,  # Exchange Online: recipient rate limit
    "5.7.232": Cause.SENDING_LIMIT,
    "5.7.233": Cause.SENDING_LIMIT,
    "5.1.10": Cause.MAILBOX_MISSING,
    "5.2.251": Cause.MAILBOX_FULL,  # Exchange Online: a sender slowed down for what it keeps doing wrong
    "5.2.252": Cause.ACCESS_DENIED,
    "5.2.253": Cause.ACCOUNT_DISABLED,
    "x.7.20": Cause.SENDING_BLOCKED,  # RFC 7372: no passing DKIM signature
    "x.7.21": Cause.SENDING_BLOCKED,
    "x.7.22": Cause.SENDING_BLOCKED,
    "x.7.23": Cause.SENDING_BLOCKED,  # RFC 7372: SPF failed
    "5.7.24": Cause.SENDING_BLOCKED,
    "x.7.25": Cause.IP_BLOCKED,  # RFC 7372: reverse DNS failed
    "5.7.26": Cause.SENDING_BLOCKED,
    "5.7.27": Cause.SENDING_BLOCKED,
    "4.7.28": Cause.RATE_LIMITED,
}

#: Codes that decide when no words did.
ENHANCED: Final[Mapping[str, Cause]] = {
    # x.1: addressing
    "5.1.1": Cause.MAILBOX_MISSING,
    "4.1.1": Cause.SERVER_UNAVAILABLE,  # Postfix: an address that could not be verified yet
    "x.1.2": Cause.MAILBOX_MISSING,
    "x.1.3": Cause.MAILBOX_MISSING,
    "x.1.4": Cause.MAILBOX_MISSING,
    "x.1.6": Cause.MAILBOX_MISSING,
    "5.1.7": Cause.ACCESS_DENIED,
    "4.1.7": Cause.SERVER_UNAVAILABLE,  # Postfix: a sender's address that could not be verified yet
    "x.1.8": Cause.SENDING_BLOCKED,
    "x.1.9": Cause.SERVER_UNAVAILABLE,
    "x.1.10": Cause.MAILBOX_MISSING,  # RFC 7505: null MX
    # x.2: mailbox
    "4.2.1": Cause.RATE_LIMITED,  # Gmail: receiving mail too quickly; RFC 3463: disabled
    "5.2.1": Cause.ACCOUNT_DISABLED,
    "x.2.2": Cause.MAILBOX_FULL,
    "x.2.3": Cause.PROTOCOL_ERROR,
    "x.2.4": Cause.SERVER_UNAVAILABLE,
    # x.3: mail system
    "x.3.1": Cause.SERVER_UNAVAILABLE,
    "4.3.2": Cause.SERVER_UNAVAILABLE,
    "x.3.3": Cause.PROTOCOL_ERROR,
    "x.3.4": Cause.PROTOCOL_ERROR,  # message too big
    "x.3.5": Cause.SERVER_UNAVAILABLE,
    "x.3.6": Cause.SERVER_UNAVAILABLE,
    # x.4: network and routing
    "4.4.1": Cause.CONNECTION_TIMEOUT,
    "x.4.2": Cause.CONNECTION_DROPPED,
    "x.4.3": Cause.DNS_FAILURE,
    "4.4.4": Cause.DNS_FAILURE,
    "5.4.4": Cause.MAILBOX_MISSING,  # RFC 3463: no route to the domain, for good
    "4.4.5": Cause.SERVER_UNAVAILABLE,
    "x.4.6": Cause.PROTOCOL_ERROR,
    "x.4.7": Cause.SERVER_UNAVAILABLE,
    "5.4.6": Cause.PROTOCOL_ERROR,
    "5.4.300": Cause.SERVER_UNAVAILABLE,  # Exchange Online: the message expired in a queue
    "x.4.310": Cause.DNS_FAILURE,
    "x.4.312": Cause.DNS_FAILURE,
    "x.4.316": Cause.CONNECTION_REFUSED,
    "x.4.317": Cause.TLS_HANDSHAKE_FAILED,
    "x.4.318": Cause.CONNECTION_DROPPED,
    # x.5: protocol
    "x.5.1": Cause.PROTOCOL_ERROR,
    "x.5.2": Cause.PROTOCOL_ERROR,
    "x.5.3": Cause.SENDING_LIMIT,  # too many recipients
    "x.5.4": Cause.PROTOCOL_ERROR,
    "x.5.5": Cause.PROTOCOL_ERROR,
    "x.5.6": Cause.PROTOCOL_ERROR,  # RFC 4954: authentication exchange line is too long
    # x.6: content
    "x.6.1": Cause.PROTOCOL_ERROR,
    "x.6.2": Cause.PROTOCOL_ERROR,
    "x.6.3": Cause.PROTOCOL_ERROR,
    "x.6.4": Cause.PROTOCOL_ERROR,
    "x.6.5": Cause.PROTOCOL_ERROR,
    "x.6.6": Cause.PROTOCOL_ERROR,
    "x.6.7": Cause.PROTOCOL_ERROR,
    "x.6.8": Cause.PROTOCOL_ERROR,
    "x.6.9": Cause.PROTOCOL_ERROR,
    "x.6.10": Cause.PROTOCOL_ERROR,
    "x.6.11": Cause.PROTOCOL_ERROR,
    # x.7: security and policy
    "5.7.2": Cause.ACCESS_DENIED,
    "5.7.3": Cause.INVALID_CREDENTIALS,  # Exchange: authentication unsuccessful / not possible
    "x.7.4": Cause.MECHANISM_UNSUPPORTED,
    "x.7.5": Cause.SERVER_UNAVAILABLE,  # cryptographic failure
    "x.7.6": Cause.MECHANISM_UNSUPPORTED,
    "x.7.7": Cause.PROTOCOL_ERROR,
    "x.7.8": Cause.INVALID_CREDENTIALS,
    "x.7.9": Cause.MECHANISM_UNSUPPORTED,  # RFC 4954: mechanism too weak
    "x.7.12": Cause.MECHANISM_UNSUPPORTED,  # RFC 4954: a password transition is needed
    "x.7.13": Cause.ACCOUNT_DISABLED,  # RFC 5248: user account disabled
    "x.7.14": Cause.ACCESS_DENIED,  # RFC 5248: trust relationship required
    "x.7.15": Cause.RATE_LIMITED,  # RFC 6710: priority too low
    "x.7.16": Cause.SENDING_LIMIT,
    "x.7.17": Cause.MAILBOX_MISSING,  # RFC 7293: mailbox owner has changed
    "x.7.18": Cause.MAILBOX_MISSING,
    "x.7.19": Cause.PROTOCOL_ERROR,
    "4.7.24": Cause.SENDING_BLOCKED,
    "4.7.26": Cause.SENDING_BLOCKED,
    "4.7.27": Cause.SENDING_BLOCKED,
    "5.7.28": Cause.SENDING_BLOCKED,  # RFC 9009 registry: mail flood
    "x.7.29": Cause.SENDING_BLOCKED,  # ARC validation failure; Gmail: no TLS
    "4.7.30": Cause.SENDING_BLOCKED,  # Gmail: DKIM missing
    "x.7.32": Cause.SENDING_BLOCKED,  # Gmail: From is not aligned
    "x.7.40": Cause.SENDING_BLOCKED,  # Gmail: no DMARC record
    "5.7.57": Cause.INVALID_CREDENTIALS,
    "5.7.60": Cause.ACCESS_DENIED,
    "5.7.64": Cause.ACCESS_DENIED,
    "5.7.124": Cause.ACCESS_DENIED,
    "5.7.129": Cause.ACCESS_DENIED,
    "5.7.133": Cause.ACCESS_DENIED,
    "5.7.134": Cause.ACCESS_DENIED,
    "5.7.135": Cause.ACCESS_DENIED,
    "x.7.321": Cause.TLS_REQUIRED,  # Exchange Online, DANE: STARTTLS not offered
    "x.7.322": Cause.TLS_CERTIFICATE_EXPIRED,
    "x.7.323": Cause.TLS_CERTIFICATE_UNTRUSTED,
    "x.7.324": Cause.TLS_CERTIFICATE_UNTRUSTED,
    "x.7.325": Cause.TLS_CERTIFICATE_UNTRUSTED,
    "5.7.501": Cause.SENDING_BLOCKED,
    "5.7.502": Cause.SENDING_BLOCKED,
    "5.7.503": Cause.SENDING_BLOCKED,
    "5.7.504": Cause.ACCESS_DENIED,
    "5.7.505": Cause.ACCESS_DENIED,
    "5.7.506": Cause.PROTOCOL_ERROR,
    "5.7.507": Cause.IP_BLOCKED,
    "5.7.508": Cause.RATE_LIMITED,
    "5.7.509": Cause.SENDING_BLOCKED,
    "5.7.510": Cause.ACCESS_DENIED,
    "5.7.511": Cause.IP_BLOCKED,
    "5.7.512": Cause.PROTOCOL_ERROR,
    "5.7.513": Cause.IP_BLOCKED,
    "5.7.515": Cause.SENDING_BLOCKED,
    "5.7.519": Cause.PROTOCOL_ERROR,
    "5.7.520": Cause.SENDING_BLOCKED,
    "5.7.606": Cause.IP_BLOCKED,
    "5.7.705": Cause.SENDING_BLOCKED,
    "5.7.708": Cause.SENDING_BLOCKED,
    "5.7.750": Cause.SENDING_BLOCKED,
    "4.7.500": Cause.SERVER_UNAVAILABLE,
    "4.7.650": Cause.IP_BLOCKED,
    "4.7.651": Cause.IP_BLOCKED,
    "4.7.652": Cause.CONNECTION_LIMIT,
    "4.7.700": Cause.SERVER_UNAVAILABLE,
}

#: Codes that say "other" or "policy", not what: they decide only when not even weak words did.
VAGUE_ENHANCED: Final[Mapping[str, Cause]] = {
    "4.0.0": Cause.SERVER_UNAVAILABLE,
    "x.1.0": Cause.MAILBOX_MISSING,
    "x.2.0": Cause.SERVER_UNAVAILABLE,
    "5.2.0": Cause.ACCESS_DENIED,
    "4.3.0": Cause.SERVER_UNAVAILABLE,
    "5.3.0": Cause.SERVER_UNAVAILABLE,
    "x.4.0": Cause.SERVER_UNAVAILABLE,
    "x.6.0": Cause.PROTOCOL_ERROR,
    "4.7.0": Cause.SERVER_UNAVAILABLE,
    "4.7.1": Cause.RATE_LIMITED,
    "5.4.1": Cause.MAILBOX_MISSING,
    "4.5.0": Cause.SERVER_UNAVAILABLE,
    "5.5.0": Cause.PROTOCOL_ERROR,
}

#: Reply codes whose meaning does not depend on the place (RFC 5321 4.2.3, RFC 4954 4.7 and 6, RFC 5248, RFC 7504).
REPLY_CODES: Final[Mapping[int, Cause]] = {
    211: Cause.UNKNOWN,
    221: Cause.CONNECTION_DROPPED,
    334: Cause.OAUTH_TOKEN_EXPIRED,
    421: Cause.SERVER_UNAVAILABLE,
    422: Cause.MAILBOX_FULL,
    430: Cause.INVALID_CREDENTIALS,
    431: Cause.SERVER_UNAVAILABLE,
    432: Cause.SERVER_UNAVAILABLE,
    441: Cause.SERVER_UNAVAILABLE,
    442: Cause.CONNECTION_DROPPED,
    446: Cause.PROTOCOL_ERROR,
    447: Cause.CONNECTION_TIMEOUT,
    449: Cause.SERVER_UNAVAILABLE,
    450: Cause.SERVER_UNAVAILABLE,
    451: Cause.SERVER_UNAVAILABLE,
    452: Cause.SERVER_UNAVAILABLE,
    454: Cause.SERVER_UNAVAILABLE,
    455: Cause.PROTOCOL_ERROR,
    471: Cause.SENDING_BLOCKED,
    500: Cause.PROTOCOL_ERROR,
    501: Cause.PROTOCOL_ERROR,
    502: Cause.PROTOCOL_ERROR,
    503: Cause.PROTOCOL_ERROR,
    504: Cause.PROTOCOL_ERROR,
    510: Cause.MAILBOX_MISSING,
    511: Cause.MAILBOX_MISSING,
    512: Cause.DNS_FAILURE,
    513: Cause.ACCESS_DENIED,
    515: Cause.MAILBOX_MISSING,
    517: Cause.ACCESS_DENIED,
    521: Cause.IP_BLOCKED,  # RFC 7504: host does not accept mail
    522: Cause.MAILBOX_FULL,
    523: Cause.PROTOCOL_ERROR,
    525: Cause.ACCOUNT_DISABLED,
    530: Cause.INVALID_CREDENTIALS,
    534: Cause.MECHANISM_UNSUPPORTED,
    535: Cause.INVALID_CREDENTIALS,
    538: Cause.TLS_REQUIRED,
    541: Cause.SENDING_BLOCKED,
    550: Cause.ACCESS_DENIED,
    551: Cause.MAILBOX_MISSING,
    552: Cause.MAILBOX_FULL,
    553: Cause.ACCESS_DENIED,
    554: Cause.ACCESS_DENIED,
    555: Cause.PROTOCOL_ERROR,
    556: Cause.MAILBOX_MISSING,  # RFC 7504: domain does not accept mail
    571: Cause.SENDING_BLOCKED,
}

#: Reply codes that mean something else in one place: (place, code).
REPLY_CODES_BY_PLACE: Final[Mapping[tuple[str, int], Cause]] = {
    ("early", 500): Cause.PROTOCOL_ERROR,
    ("early", 550): Cause.IP_BLOCKED,
    ("early", 553): Cause.IP_BLOCKED,
    ("early", 554): Cause.IP_BLOCKED,
    ("early", 571): Cause.IP_BLOCKED,
    ("early", 521): Cause.IP_BLOCKED,
    ("starttls", 454): Cause.TLS_HANDSHAKE_FAILED,
    ("starttls", 500): Cause.TLS_REQUIRED,
    ("starttls", 501): Cause.TLS_REQUIRED,
    ("starttls", 502): Cause.TLS_REQUIRED,
    ("starttls", 503): Cause.TLS_REQUIRED,
    ("auth", 500): Cause.MECHANISM_UNSUPPORTED,
    ("auth", 502): Cause.MECHANISM_UNSUPPORTED,
    ("auth", 504): Cause.MECHANISM_UNSUPPORTED,
    ("auth", 550): Cause.INVALID_CREDENTIALS,
    ("auth", 553): Cause.INVALID_CREDENTIALS,
    ("auth", 554): Cause.INVALID_CREDENTIALS,
    ("auth", 432): Cause.PASSWORD_EXPIRED,  # RFC 2554: a password transition is needed
    ("submit", 552): Cause.MAILBOX_FULL,
    ("rcpt", 452): Cause.SENDING_LIMIT,  # RFC 5321, 4.5.3.1.10: too many recipients
    ("rcpt", 550): Cause.MAILBOX_MISSING,
    ("rcpt", 553): Cause.MAILBOX_MISSING,
    ("rcpt", 554): Cause.MAILBOX_MISSING,
    ("data", 550): Cause.SENDING_BLOCKED,
    ("data", 554): Cause.SENDING_BLOCKED,
    ("mail", 551): Cause.ACCESS_DENIED,  # RFC 5321, 3.4: "user not local" is said of a recipient alone
    ("starttls", 554): Cause.TLS_HANDSHAKE_FAILED,
    ("starttls", 403): Cause.TLS_HANDSHAKE_FAILED,
}

#: IMAP response codes that decide before the generic words are read.
DECISIVE_IMAP_CODES: Final[Mapping[str, Cause]] = {
    "PRIVACYREQUIRED": Cause.TLS_REQUIRED,
    "EXPIRED": Cause.PASSWORD_EXPIRED,
    "WEBALERT": Cause.WEB_LOGIN_REQUIRED,
}

#: IMAP response codes that decide when no words did.
IMAP_CODES: Final[Mapping[str, Cause]] = {
    "AUTHENTICATIONFAILED": Cause.INVALID_CREDENTIALS,
    "AUTHORIZATIONFAILED": Cause.ACCESS_DENIED,
    "NOPERM": Cause.ACCESS_DENIED,
    "OVERQUOTA": Cause.MAILBOX_FULL,
    "NONEXISTENT": Cause.MAILBOX_MISSING,
    "TRYCREATE": Cause.MAILBOX_MISSING,
    "UNAVAILABLE": Cause.SERVER_UNAVAILABLE,
    "SERVERBUG": Cause.SERVER_UNAVAILABLE,
    "INUSE": Cause.SERVER_UNAVAILABLE,
    "CORRUPTION": Cause.SERVER_UNAVAILABLE,
    "CONTACTADMIN": Cause.ACCOUNT_DISABLED,
    "CLIENTBUG": Cause.PROTOCOL_ERROR,
    "PARSE": Cause.PROTOCOL_ERROR,
    "BADCHARSET": Cause.PROTOCOL_ERROR,
    "BADURL": Cause.PROTOCOL_ERROR,
    "TOOBIG": Cause.PROTOCOL_ERROR,
    "UNKNOWN-CTE": Cause.PROTOCOL_ERROR,
    "BADCOMPARATOR": Cause.PROTOCOL_ERROR,
    "BADEVENT": Cause.PROTOCOL_ERROR,
    "CANNOT": Cause.ACCESS_DENIED,
    "LIMIT": Cause.UNKNOWN,  # an implementation limit of some kind
    "THROTTLED": Cause.RATE_LIMITED,
    "ALREADYEXISTS": Cause.UNKNOWN,
    "EXPUNGEISSUED": Cause.UNKNOWN,
    "NOTSAVED": Cause.UNKNOWN,
    "HASCHILDREN": Cause.UNKNOWN,
    "CLOSED": Cause.CONNECTION_DROPPED,
    "UNKNOWN": Cause.UNKNOWN,
    "REFERRAL": Cause.SERVER_UNAVAILABLE,
    "METADATA": Cause.UNKNOWN,
    "NOTIFICATIONOVERFLOW": Cause.RATE_LIMITED,
    "COMPRESSIONACTIVE": Cause.PROTOCOL_ERROR,
    "USEATTR": Cause.UNKNOWN,
    "MODIFIED": Cause.UNKNOWN,
    "READ-ONLY": Cause.ACCESS_DENIED,
    "ALERT": Cause.UNKNOWN,
}
