"""The form of what people read about a cause."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Wording:
    """Two sentences and the cure.

    `operator` tells what happened, what mailwatch does and what must be done; `customer` says it in plain words, without jargon.
    """

    operator: str
    customer: str
    remedy: tuple[str, ...]  #: steps, in order
    provider_remedies: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )  #: steps by provider family
