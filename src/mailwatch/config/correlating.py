"""[incidents]: how outages are told from single failures, and how gently a place that is down is looked at."""

from typing import Final

from pydantic import Field

from mailwatch.config.section import Section
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.detect import DetectPolicy

_DETECT: Final = DetectPolicy()
_CIRCUIT: Final = CircuitPolicy()


class Incidents(Section):
    """Many mailboxes that fail together are one incident."""

    min_failures: int = Field(
        default=_DETECT.min_failures, ge=3, le=1000, description="Fewer mailboxes failing together are never an incident."
    )
    min_share: float = Field(
        default=_DETECT.min_share,
        ge=0.01,
        le=1,
        description="The least share of a provider's, server's, domain's or application's mailboxes. Of a hundred and more that "
        "fail together no share is too small: there what the place shows by itself decides.",
    )
    circuits: bool = Field(
        default=True,
        description="Whether a provider that is down is looked at by a few canaries alone until it is back, and its "
        "mailboxes then return on a ramp. Off, each of them is retried by itself.",
    )
    canary_seconds: float = Field(
        default=_CIRCUIT.canary_seconds, ge=1, le=300, description="How often a canary looks at a provider that is down."
    )
    ramp_doubles_seconds: float = Field(
        default=_CIRCUIT.ramp_doubles_seconds,
        ge=0.1,
        le=600,
        description="When it is back, its mailboxes are looked at again two a second at first, and twice as many each time "
        "this has passed, up to the provider's own pace.",
    )
