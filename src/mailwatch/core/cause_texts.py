"""The words a person reads about a cause: pages, command line, alerts and docs all take them from here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.texts_access import ACCESS
from mailwatch.core.texts_account import ACCOUNT, PLATFORM
from mailwatch.core.texts_technical import TECHNICAL
from mailwatch.core.wording import Wording

CauseTexts = Wording

TEXTS: Final[Mapping[Cause, CauseTexts]] = MappingProxyType({**TECHNICAL, **ACCESS, **ACCOUNT, **PLATFORM})

#: Which family's steps a provider's name takes.
_FAMILIES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("google", ("google", "gmail", "googlemail")),
    ("microsoft", ("microsoft", "office365", "outlook", "exchange", "hotmail", "m365", "o365")),
    ("yahoo", ("yahoo", "aol", "ymail")),
    ("icloud", ("icloud", "apple", "mac.com")),
    ("zoho", ("zoho",)),
    ("yandex", ("yandex",)),
    ("qq", ("qq", "tencent")),
    ("netease", ("netease", "163", "126")),
)


def texts_for(cause: Cause) -> CauseTexts:
    """The sentences and steps of *cause*; total over the closed set."""
    return TEXTS[cause]


def family_of(provider: str) -> str | None:
    """The family whose own steps fit *provider*, by its name; None when there is none."""
    name = provider.lower()
    return next((family for family, parts in _FAMILIES if any(part in name for part in parts)), None)


def remedy_for(cause: Cause, provider: str = "other") -> tuple[str, ...]:
    """The steps that heal *cause* at *provider*: the provider's own where they are known, else the general ones."""
    texts = TEXTS[cause]
    return texts.provider_remedies.get(family_of(provider) or "", texts.remedy)
