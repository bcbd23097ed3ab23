"""The way to the providers' consent endpoints, for the verbs that give or withdraw consents."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailwatch.cli.opening import Opened
from mailwatch.cli.output import CliError, ExitCode
from mailwatch.core.oauth import OAuthApp

if TYPE_CHECKING:
    from mailwatch.desk.consents import Consents


@dataclass(frozen=True, slots=True)
class Consenting:
    """The applications of the configuration, and what works with them."""

    apps: Mapping[str, OAuthApp]
    consents: "Callable[[Callable[[], str]], Consents]"  #: given where the provider sends browsers back to


@asynccontextmanager
async def consenting(opened: Opened) -> AsyncIterator[Consenting]:
    """The consents of an opened store; raises CliError when a secret of the configuration cannot be read."""
    from mailwatch.config import SecretReferenceError, to_oauth_apps  # noqa: PLC0415  # slow to import
    from mailwatch.desk.consents import Consents  # noqa: PLC0415  # as above
    from mailwatch.probe import Dialer, EgressPolicy, Resolver, make_ssl_context  # noqa: PLC0415  # as above
    from mailwatch.probe.consent import HttpConsentEndpoints  # noqa: PLC0415  # as above
    from mailwatch.probe.http import JudgedHttp  # noqa: PLC0415  # as above
    from mailwatch.probe.identity import ProofByLogin  # noqa: PLC0415  # as above

    try:
        apps = await asyncio.to_thread(to_oauth_apps, opened.settings)
    except SecretReferenceError as error:
        raise CliError(str(error), ExitCode.CONFIGURATION) from None
    network = opened.settings.network
    policy = EgressPolicy(
        allow_private_hosts=network.allow_private_hosts, allowed_networks=network.allowed_networks, allowed_ports=None
    )
    dialer = Dialer(Resolver(network.nameservers or None), policy, make_ssl_context(network.ca_file))
    http = JudgedHttp(dialer)

    def consents(redirect_uri: Callable[[], str]) -> Consents:
        return Consents(
            apps,
            HttpConsentEndpoints(http),
            opened.store.consents,
            opened.store,
            opened.clock,
            redirect_uri,
            people=opened.store.people,
            grants=opened.store.grants,
            proof=ProofByLogin(dialer, opened.clock, allow_cleartext=network.allow_cleartext),
        )

    try:
        yield Consenting(apps, consents)
    finally:
        await http.close()
