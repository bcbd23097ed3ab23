"""The whole configuration as one frozen value.

Every key has a default fit for production: an empty file, or none, is a working configuration.
"""

import ipaddress
from enum import StrEnum, unique
from typing import Annotated

from pydantic import Field

from mailwatch.config.reaching import Network, OAuthApplication, Provider
from mailwatch.config.section import HostPort, Name, Section, host_port
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
        description="Where HTTP is served. Loopback only: what is served here shows addresses and can pause mailboxes.",
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
    network: Network = Network()
    retention: Retention = Retention()
    log: Log = Log()
