"""The whole configuration as one frozen value.

Every key has a default fit for production: an empty file, or none, is a working configuration.
"""

import ipaddress
from enum import StrEnum, unique
from typing import Annotated

from pydantic import Field

from mailwatch.config.alerting import Alertmanager
from mailwatch.config.correlating import Incidents
from mailwatch.config.exposing import Metrics
from mailwatch.config.reaching import Network, OAuthApplication, Provider
from mailwatch.config.section import HostNames, HostPort, Name, Networks, Section, WebUrl, host_port
from mailwatch.config.sending import Campaigns, Webhook
from mailwatch.config.storing import Retention, Secrets, Store
from mailwatch.config.watching import Backoff, Blocked, Budget, Confirm, Probing, Verify


@unique
class LogLevel(StrEnum):
    """The least important event that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@unique
class LogFormat(StrEnum):
    """How a log line looks."""

    JSON = "json"  #: one JSON object a line
    CONSOLE = "console"  #: for eyes


class Web(Section):
    """The HTTP side: metrics, health, API, page."""

    listen: HostPort = Field(
        default="127.0.0.1:9725",
        description="Where HTTP is served. To this machine alone, metrics and status are shown without a sign-in; from anywhere "
        "else nothing is but /-/healthy and /-/ready. Other machines should come through a proxy that speaks TLS.",
    )
    external_url: WebUrl | None = Field(
        default=None,
        description="How browsers reach the page when there is a proxy in front: links, redirects and cookies follow it.",
        examples=["https://mailwatch.example.org"],
    )
    host_names: HostNames = Field(
        default=(),
        description="Further host names it may be asked by. A request for any other name is refused, so that nobody can point "
        "a name of his own at this machine; IP addresses, localhost and external_url's host are always taken.",
        examples=[["mailwatch.internal.example.org"]],
    )
    trusted_proxies: Networks = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For, -Proto and -Host are believed.",
        examples=[["10.20.0.5/32"]],
    )
    session_seconds: float = Field(
        default=43_200, ge=300, le=2_592_000, description="How long a sign-in lasts: a working day and a half of it."
    )
    requests_per_minute: int = Field(
        default=600,
        ge=10,
        le=1_000_000,
        description="Requests of one caller (user, token; without either, address). Questions to the sending gate do not count, "
        "and attempts to sign in have a lower limit of their own.",
    )

    @property
    def host(self) -> str:
        """The address to bind."""
        return host_port(self.listen)[0]

    @property
    def port(self) -> int:
        """The port to bind; 0 lets the system choose."""
        return host_port(self.listen)[1]

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class Log(Section):
    """Logs go to stderr."""

    level: Annotated[LogLevel, Field(strict=False)] = Field(
        default=LogLevel.INFO, description='"debug", "info", "warning" or "error".'
    )
    format: Annotated[LogFormat, Field(strict=False)] = Field(
        default=LogFormat.JSON, description='"json" for machines (one object a line), "console" for eyes.'
    )


class Settings(Section):
    """Everything the file can say."""

    store: Store = Store()
    web: Web = Web()
    secrets: Secrets = Secrets()
    probing: Probing = Probing()
    confirm: Confirm = Confirm()
    verify: Verify = Verify()
    backoff: Backoff = Backoff()
    budget: Budget = Budget()
    blocked: Blocked = Blocked()
    providers: dict[Name, Provider] = Field(default_factory=dict)
    oauth: dict[Name, OAuthApplication] = Field(default_factory=dict)
    incidents: Incidents = Incidents()
    campaigns: Campaigns = Campaigns()
    webhooks: dict[Name, Webhook] = Field(default_factory=dict)
    alertmanager: Alertmanager = Alertmanager()
    network: Network = Network()
    retention: Retention = Retention()
    metrics: Metrics = Metrics()
    log: Log = Log()
