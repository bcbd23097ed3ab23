"""What is paced together: one gate for all mailboxes of a known provider, one for each host elsewhere."""

from mailwatch.core.mailbox import Mailbox

#: The provider of a mailbox whose hosts nobody listed.
OTHER_PROVIDER = "other"


def gate_of(mailbox: Mailbox) -> str:
    """The gate this mailbox's probes go through: the provider's name, else `host:` and the host it logs in to."""
    if mailbox.provider != OTHER_PROVIDER:
        return mailbox.provider
    endpoints = mailbox.endpoints
    return f"host:{endpoints[0].host.lower() if endpoints else mailbox.domain}"
