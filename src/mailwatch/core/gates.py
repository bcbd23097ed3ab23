"""What is paced together: one gate for all mailboxes of a known provider, one for each host elsewhere."""

from mailwatch.core.mailbox import Mailbox

#: The provider of a mailbox whose hosts nobody listed.
OTHER_PROVIDER = "other"
#: What the gates of single hosts begin with.
GATE_OF_A_HOST = "host:"


def gate_of(mailbox: Mailbox) -> str:
    """The gate this mailbox's probes go through: the provider's name, else `host:` and the host it logs in to."""
    if mailbox.provider != OTHER_PROVIDER:
        return mailbox.provider
    endpoints = mailbox.endpoints
    return gate_of_host(endpoints[0].host if endpoints else mailbox.domain)


def gate_of_host(host: str) -> str:
    """The gate of a host that is nobody's of the provider table."""
    return f"{GATE_OF_A_HOST}{host.lower()}"
