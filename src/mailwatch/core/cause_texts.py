"""The words a person reads about a cause: pages, command line, alerts and docs all take them from here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mailwatch.core.causes import Cause, Disposition, profile_of
from mailwatch.core.lifecycle import State
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


def what_happened(cause: Cause) -> str:
    """The first sentence for operators: what is wrong."""
    return _sentences(cause)[0]


def verdict_of(cause: Cause) -> str:
    """What is wrong and what a person does about it, where no daemon acts: for verbs that look once and store nothing."""
    what, _, *rest = _sentences(cause)
    return " ".join((what, *rest))


def told_in(cause: Cause, state: State) -> str:
    """The sentences for operators about *cause* of a mailbox in *state*: what mailwatch does follows from the state, too."""
    what, _, *rest = _sentences(cause)
    if state is State.SUSPECT:
        return f"{what} mailwatch looks again before it acts."
    if state is State.VERIFYING:
        return f"{what} Since then it was reached again, and proves itself."
    if state is State.RECONNECTING and profile_of(cause).disposition is Disposition.HUMAN:
        return " ".join((what, "mailwatch tries again.", *rest))
    return TEXTS[cause].operator


def _sentences(cause: Cause) -> list[str]:
    """What is wrong, what mailwatch does, and, where anybody must act, who and how."""
    first, second, *rest = TEXTS[cause].operator.split(". ", 2)
    return [f"{each.rstrip('.')}." for each in (first, second, *rest)]


def family_of(provider: str) -> str | None:
    """The family whose own steps fit *provider*, by its name; None when there is none."""
    name = provider.lower()
    return next((family for family, parts in _FAMILIES if any(part in name for part in parts)), None)


def remedy_for(cause: Cause, provider: str = "other") -> tuple[str, ...]:
    """The steps that heal *cause* at *provider*: the provider's own where they are known, else the general ones."""
    texts = TEXTS[cause]
    return texts.provider_remedies.get(family_of(provider) or "", texts.remedy)
