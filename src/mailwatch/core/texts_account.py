"""What people read about the account itself, about sending, and about mailwatch's own decisions: sentences and steps, by cause."""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.wording import Wording

_RECONNECT: Final = "Then press Reconnect, or run `mailwatch mailbox reconnect ADDRESS`."

ACCOUNT: Final[dict[Cause, Wording]] = {
    Cause.PROTOCOL_DISABLED: Wording(
        "IMAP, POP or SMTP login is switched off for this account or its tenant. mailwatch stopped logging in. The tenant's"
        " administrator must switch it on.",
        "Access for mail apps is switched off for this mailbox. Your administrator can switch it on in a minute; then press"
        " Reconnect.",
        ("Switch IMAP and authenticated SMTP on for the account.", _RECONNECT),
        {
            "microsoft": (
                (
                    "SMTP: https://admin.microsoft.com, Users, Active users, the user, Mail, Manage email apps, tick"
                    " Authenticated SMTP (https://aka.ms/smtp_auth_disabled)."
                ),
                (
                    "Tenant-wide: `Set-TransportConfig -SmtpClientAuthenticationDisabled $false`; one mailbox: `Set-CASMailbox"
                    " -Identity USER -SmtpClientAuthenticationDisabled $false -ImapEnabled $true`."
                ),
                _RECONNECT,
            ),
            "google": (
                "User: https://mail.google.com, Settings, Forwarding and POP/IMAP, Enable IMAP.",
                (
                    "Administrator: https://admin.google.com, Apps, Google Workspace, Gmail, End User Access"
                    " (https://support.google.com/a/answer/105694)."
                ),
                _RECONNECT,
            ),
            "zoho": ("https://mail.zoho.com, Settings, Mail Accounts, IMAP Access.", _RECONNECT),
            "yandex": ("https://mail.yandex.com, Settings, Email clients: tick IMAP.", _RECONNECT),
            "qq": ("QQ Mail, Settings, Account: turn on the IMAP/SMTP service.", _RECONNECT),
            "netease": ("Web mail, Settings, POP3/SMTP/IMAP: turn on the IMAP/SMTP service.", _RECONNECT),
        },
    ),
    Cause.ACCOUNT_DISABLED: Wording(
        "The account is suspended, locked, closed or has no licence. mailwatch stopped logging in. The tenant's administrator"
        " must restore it.",
        "This mailbox is switched off at your provider. Your administrator can restore it; press Reconnect afterwards.",
        ("Find out at the provider why the account is off: licence, payment, policy, too many wrong passwords.", _RECONNECT),
        {
            "microsoft": (
                "Check licence and sign-in status at https://admin.microsoft.com, Users, Active users.",
                "A lock for too many wrong passwords ends by itself; remove the wrong password first.",
                _RECONNECT,
            ),
            "google": (
                "Restore the user at https://admin.google.com, Directory, Users (https://support.google.com/a/answer/1110339).",
                _RECONNECT,
            ),
        },
    ),
    Cause.ACCESS_DENIED: Wording(
        "The login worked, but the account lacks a right: to this folder, to send as this address, or to relay. mailwatch"
        " stopped. The tenant's administrator must grant it.",
        "Your mailbox is not allowed to do something that sending needs. Your administrator can change that; our team tells"
        " which right is missing.",
        (
            "Read in the evidence which command was refused.",
            "Send with the mailbox's own address, or let the administrator grant Send As for the other one.",
            _RECONNECT,
        ),
        {
            "microsoft": ("Grant Send As at https://admin.exchange.microsoft.com, Mailboxes, Delegation.", _RECONNECT),
            "google": ("Add and verify the address under Settings, Accounts, Send mail as.", _RECONNECT),
        },
    ),
    Cause.MAILBOX_FULL: Wording(
        "The mailbox or its server has no space left. mailwatch tries again after long pauses. The mailbox owner must delete"
        " mail or buy space.",
        "Your mailbox is full. Please delete some mail or get more space; we notice it by ourselves and go on.",
        ("Empty trash and spam, delete large old mail, or raise the quota.",),
        {
            "google": ("See what uses the space at https://one.google.com/storage.",),
            "microsoft": (
                "See the quota at https://admin.exchange.microsoft.com, Mailboxes; enable the online archive if needed.",
            ),
        },
    ),
    Cause.MAILBOX_MISSING: Wording(
        "The mailbox, folder or address does not exist. mailwatch stopped. The tenant's administrator must create or correct"
        " it, or the mailbox is removed here.",
        "This address could not be found at your provider. It may have been renamed or deleted; please ask your administrator.",
        (
            "Check the spelling of the address and of the user name.",
            "In Microsoft 365 check that the user has a licence with a mailbox.",
            "Correct the mailbox here, or remove it if the address is gone for good.",
        ),
    ),
    Cause.SENDING_LIMIT: Wording(
        "The daily or hourly sending limit is used up. mailwatch lets the mailbox rest until it is available again. Nobody"
        " needs to act; lower the campaigns' volume if it returns.",
        "There is no need to worry: your mailbox has sent as much as your provider allows for now. Sending goes on by itself"
        " when the limit is reset.",
        ("Do nothing today.", "Lower the daily volume of the campaigns, or spread them over more mailboxes."),
        {
            "google": ("Limits: https://support.google.com/a/answer/166852.",),
            "microsoft": (
                "Limits: https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits.",
            ),
        },
    ),
    Cause.SENDING_BLOCKED: Wording(
        "The account, its domain or the message is barred for spam, reputation or failed SPF, DKIM, DMARC. mailwatch stopped"
        " sending tries. Find the reason, correct it and ask for release.",
        "Your provider is holding back outgoing mail from this mailbox. Our team looks into the reason and gets it released.",
        (
            "Check SPF, DKIM and DMARC of the domain.",
            "Check the campaign's content, links and list for complaints and dead addresses.",
            "Ask the provider for release, and start again with a low volume.",
        ),
        {
            "microsoft": (
                "Unblock the user at https://security.microsoft.com/restrictedentities.",
                "For a blocked tenant (5.7.705, 5.7.708) contact Microsoft support.",
            ),
            "google": (
                "Sender guidelines: https://support.google.com/mail/answer/81126; reputation: https://postmaster.google.com.",
            ),
            "yahoo": ("Sender requirements and contact: https://senders.yahooinc.com.",),
        },
    ),
    Cause.UNKNOWN: Wording(
        "The server's answer is none that mailwatch knows; its words are kept as evidence. mailwatch retries a few times, then"
        " asks a person. Read the evidence.",
        "Your mail server gave an unusual answer. We keep trying, and our team has a look at it.",
        (
            "Read the evidence, and run `mailwatch check ADDRESS` to see the whole conversation.",
            "Tell us the words: a rule for them is one line (docs/classification.md).",
        ),
    ),
}

PLATFORM: Final[dict[Cause, Wording]] = {
    Cause.LOCAL_NETWORK_DOWN: Wording(
        "Our own network, resolver or clock is broken; no mailbox is judged until it works. mailwatch keeps testing it. Repair"
        " the network of this machine.",
        "Our own network has a hiccup. Your mailbox is fine, nothing is lost, and our team is on it.",
        (
            "Check link, default route, resolver and clock of this machine.",
            "Check that a firewall does not filter ports 993, 465 and 587.",
        ),
    ),
    Cause.PLATFORM_MAINTENANCE: Wording(
        "A declared maintenance window is open; disconnections inside it belong to it and raise no alert. mailwatch verifies"
        " every mailbox afterwards. You need to do nothing.",
        "We are improving our platform right now, as planned. Your mailbox is reconnected by itself when we are done.",
        ("Do nothing; end the window with `mailwatch maintenance end` if it is over.",),
    ),
    Cause.PROCESSING_BACKLOG: Wording(
        "The platform is late with its own work, so this state is old. mailwatch catches up by itself. Add a node, or raise"
        " `[probing] max_in_flight`, if it stays late.",
        "Our system is a little behind at the moment, so what you see may be a few minutes old. It catches up by itself.",
        ("Look at `mailwatch_probe_lag_seconds` and `mailwatch_due_mailboxes`.", "Add a node or raise `[probing] max_in_flight`."),
    ),
    Cause.WARMUP_PAUSE: Wording(
        "The warm-up asked for a precautionary pause. mailwatch holds the mailbox until the pause ends or a person releases it.",
        "Your mailbox is taking a short break to protect its good reputation. It continues by itself, or our team releases it.",
        ("Wait for the end of the pause, or press Release.",),
    ),
    Cause.ANOMALY_PAUSE: Wording(
        "Unusual sending tripped a safety rule. mailwatch holds the mailbox until a person has looked at it. Check what was"
        " sent, then release it.",
        "We noticed something unusual and paused this mailbox to protect it. Our team checks it and lets it go on.",
        (
            "Look at what was sent, and whether the account was used by somebody else.",
            "Change the password if it was; then press Release.",
        ),
    ),
    Cause.STRATEGIC_PAUSE: Wording(
        "The mailbox is paused on purpose for deliverability: flapping, a limit close by, or a provider's incident. mailwatch"
        " releases it when the reason is gone, or when you do.",
        "We paused this mailbox for a while to keep your deliverability at its best. It continues by itself.",
        ("Wait, or press Release if the reason is gone.",),
    ),
    Cause.OPERATOR_DISCONNECT: Wording(
        "A person disconnected this mailbox. mailwatch leaves it alone and keeps everything. Press Reconnect when it shall work"
        " again.",
        "This mailbox was disconnected on purpose. Nothing is deleted; it can be reconnected at any time.",
        ("Press Reconnect, or run `mailwatch mailbox reconnect ADDRESS`.",),
    ),
}
