"""What people read when the network, the provider or a limit is at fault: sentences and steps, by cause."""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.wording import Wording

_CARE: Final = "There is no need to worry"

TECHNICAL: Final[dict[Cause, Wording]] = {
    Cause.DNS_FAILURE: Wording(
        "The mail server's name cannot be resolved. mailwatch keeps retrying with growing pauses. You need to act only if it"
        " lasts over an hour or many domains fail at once.",
        f"{_CARE}: the address book of the internet could not find your mail server for a moment. We keep trying and reconnect"
        " the mailbox by ourselves.",
        (
            "Check that the host name of the mailbox is spelled correctly.",
            "Ask two public resolvers for it: `dig +short HOST @1.1.1.1` and `dig +short HOST @9.9.9.9`.",
            (
                "If both know it, repair the resolver of this machine; if neither does, tell the owner of the domain that its"
                " DNS is broken."
            ),
        ),
    ),
    Cause.CONNECTION_REFUSED: Wording(
        "The server's machine answers but nothing listens on the port. mailwatch keeps retrying with growing pauses. You need"
        " to do nothing unless the port is wrong.",
        f"{_CARE}: your mail server is not taking connections right now. We keep trying and reconnect the mailbox as soon as it"
        " does.",
        (
            "Check host and port of the mailbox (IMAP 993, submission 465 or 587).",
            "Look at the provider's status page; wait until the service listens again.",
        ),
    ),
    Cause.CONNECTION_TIMEOUT: Wording(
        "The server does not answer in time, or no route leads to it. mailwatch keeps retrying with growing pauses. You need to"
        " do nothing unless it lasts.",
        f"{_CARE}: your mail server is slow to answer at the moment. We keep trying and reconnect the mailbox by ourselves.",
        (
            "Check that outgoing connections to the port are not filtered by our own firewall or hosting company.",
            "Look at the provider's status page; if only one host is affected, tell its operator.",
        ),
    ),
    Cause.CONNECTION_DROPPED: Wording(
        "The server closed an established connection without giving a reason. mailwatch connects again with growing pauses. You"
        " need to do nothing.",
        f"{_CARE}: the connection to your mail server was cut. We reconnect the mailbox by ourselves.",
        (
            "Do nothing while it is a single mailbox: it heals by itself.",
            (
                "If it happens again and again at one host, compare the times with our number of connections there: some"
                " servers cut silently what others refuse with words."
            ),
        ),
    ),
    Cause.SESSION_EXPIRED: Wording(
        "The server announced the planned end of an idle or old session. mailwatch opens a new one silently. You need to do"
        " nothing.",
        "Everything is fine: your mail server ended a session as planned, and a new one is already being opened.",
        ("Do nothing.",),
    ),
    Cause.TLS_CERTIFICATE_EXPIRED: Wording(
        "The server's certificate has expired or is not valid yet. mailwatch stopped logging in, watches the certificate and logs"
        " in again once it is renewed. The provider must renew it.",
        "For your safety we stopped logging in: the security certificate of your mail server has run out. Your provider has to"
        " renew it; we watch for that and reconnect the mailbox then.",
        (
            "Check that the clock of this machine is right.",
            (
                "Tell the operator of the server that the certificate has expired: `openssl s_client -connect HOST:PORT"
                " -servername HOST`."
            ),
            "Never switch certificate checking off: the password would go to whoever answers.",
        ),
    ),
    Cause.TLS_CERTIFICATE_UNTRUSTED: Wording(
        "The server's certificate cannot be trusted: unknown issuer, wrong host name or revoked. mailwatch stopped logging in."
        " Correct the host name, or have the operator install a full, public certificate chain.",
        "For your safety we stopped logging in: your mail server could not prove that it is the real one. Our team looks into"
        " it together with the provider.",
        (
            "Use the host name that the certificate is issued for (often the hosting company's own name, not your domain).",
            "If the issuer is a private one of yours, set `[network] ca_file`.",
            "If the chain is incomplete, tell the operator to send the intermediate certificates.",
        ),
    ),
    Cause.TLS_HANDSHAKE_FAILED: Wording(
        "Encryption could not be agreed upon: TLS version, cipher, or a port that speaks no TLS. mailwatch keeps retrying with"
        " growing pauses. Check port and TLS mode if it never worked.",
        f"{_CARE}: a secure connection to your mail server could not be set up. We keep trying, and our team checks the settings.",
        (
            (
                "Check that port and TLS mode belong together: 993 and 465 are `imaps`/`smtps`, 143 and 587 are"
                " `imap+starttls`/`smtp+starttls`."
            ),
            "If the server offers only TLS 1.1 or older, ask its operator to update it.",
        ),
    ),
    Cause.TLS_REQUIRED: Wording(
        "The server wants encryption before the login, or does not offer the STARTTLS that the settings ask for. mailwatch"
        " stopped logging in. Change the endpoint to an encrypted one.",
        "The way we connect to this mailbox has to be changed on our side. Our team takes care of it; you do not need to do"
        " anything.",
        (
            "Change the mailbox's endpoint to `imaps://HOST:993` and `smtps://HOST:465` (or `smtp+starttls://HOST:587`).",
            "If the server offers no TLS at all, ask its operator to enable it; do not send passwords in clear.",
        ),
    ),
    Cause.PROTOCOL_ERROR: Wording(
        "The server did not understand us, or is no IMAP or SMTP server. mailwatch stopped retrying. Check host and port; if"
        " they are right, the conversation in the evidence shows which command it refused.",
        "Your mail server and our system did not understand each other. Our team takes care of it; you do not need to do anything.",
        (
            "Check that host and port belong to the protocol (no POP3, no web server).",
            "Run `mailwatch check ADDRESS` and read the conversation: which line did the server refuse?",
            "If it is a fault of ours, report it with that conversation.",
        ),
    ),
    Cause.SERVER_UNAVAILABLE: Wording(
        "The provider has a temporary fault, is overloaded or in maintenance. mailwatch keeps retrying with growing pauses, or"
        " at the time the server named. You need to do nothing.",
        f"{_CARE}: your e-mail provider has a temporary problem. We keep trying and reconnect the mailbox as soon as it is over.",
        ("Do nothing; look at the provider's status page if it lasts for hours.",),
    ),
    Cause.CONNECTION_LIMIT: Wording(
        "The server counts too many connections at the same time. mailwatch waits for a long quiet time before the next one."
        " Lower `max_connections` of this provider if it happens again.",
        f"{_CARE}: too many programs were connected to your mailbox at once. We wait a while and reconnect it by ourselves.",
        (
            "Find who else is connected: phones, desktop programs, other services of the customer.",
            "Lower `[providers.NAME] max_connections`; it must leave room for the customer's own devices.",
        ),
    ),
    Cause.RATE_LIMITED: Wording(
        "The server asks for fewer logins, commands or bytes. mailwatch waits for a long quiet time, or as long as the server"
        " named. Slow this provider's probing down if it happens again.",
        f"{_CARE}: your provider asked us to slow down, so we wait a while. The mailbox is reconnected by itself afterwards.",
        (
            "Lower `[providers.NAME] logins_per_minute` or raise `[probing] interval_seconds`.",
            "Look at `mailwatch analyze`: a finding `probing_pressure` shows bursts of our own making.",
        ),
    ),
    Cause.IP_BLOCKED: Wording(
        "The server refuses our address, not the mailbox. mailwatch stopped logging in from here, because each try prolongs"
        " such a block. Have the address delisted, or use another one.",
        "Your provider is blocking our network at the moment; your mailbox itself is fine. Our team takes care of it.",
        (
            "Read which list or ban is named in the evidence, and ask there for delisting.",
            "Check reverse DNS of our address, and whether some other program behind it sends spam or wrong passwords.",
            "Ask the provider to allow our address range, or route this provider through another address.",
        ),
        {
            "microsoft": (
                "Ask for delisting at https://sender.office.com (message code 5.7.606 to 5.7.649).",
                "For other codes use https://olcsupport.office.com.",
            ),
            "google": ("Read https://support.google.com/mail/answer/81126 and wait: Google lifts address limits by itself.",),
            "yahoo": ("Use the form at https://senders.yahooinc.com/contact.",),
        },
    ),
}
