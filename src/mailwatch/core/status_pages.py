"""Where providers tell of their own outages; those that publish no such page, or none we are sure of, have no entry."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.providers import provider_for_host

#: By provider (core.providers): the page for people, as the provider itself names it.
STATUS_PAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "google": "https://www.google.com/appsstatus/dashboard/",
        "microsoft": "https://status.cloud.microsoft/",
        "icloud": "https://www.apple.com/support/systemstatus/",
        "zoho": "https://status.zoho.com/",
        "zoho-eu": "https://status.zoho.com/",
        "zoho-in": "https://status.zoho.com/",
        "fastmail": "https://fastmailstatus.com/",
        "godaddy": "https://status.godaddy.com/",
        "namecheap": "https://www.namecheap.com/status-updates/",
        "ovh": "https://web-cloud.status-ovhcloud.com/",
        "gandi": "https://status.gandi.net/",
        "infomaniak": "https://www.infomaniakstatus.com/",
        "dreamhost": "https://www.dreamhoststatus.com/",
        "amazon-ses": "https://health.aws.amazon.com/health/status",
    }
)


def status_page_of(scope: Scope) -> str | None:
    """The page of the provider that *scope* is, or whose server it is; None where there is none."""
    if scope.kind is ScopeKind.PROVIDER:
        return STATUS_PAGES.get(scope.name)
    return STATUS_PAGES.get(provider_for_host(scope.name)) if scope.kind is ScopeKind.ENDPOINT else None
