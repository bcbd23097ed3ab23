"""The filter in the address bar: read from the query, written back into links, and told in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import PageFilter
from mailwatch.web.pages.words import STATES, cause_word, provider_word

PAGE_ROWS: Final = 100
_MAX_TEXT: Final = 200
_MAX_VALUES: Final = 50
_MAX_TOLD: Final = 5
_LONGEST_TOLD: Final = 60
#: What the address bar may hold; `id` is of the rows that an open page asks for.
_NAMES: Final = ("state", "provider", "cause", "label", "campaign", "q", "cursor", "id")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address bar asks for."""

    which: PageFilter
    cursor: str | None = None
    left_aside: tuple[str, ...] = ()  #: what is asked for and means nothing here, in a sentence each

    @classmethod
    def of(cls, query: QueryParams) -> "Wanted":
        """From the query; what it cannot mean is left aside and told, so that an old bookmark still opens."""
        states = frozenset(State(text) for text in query.getlist("state")[:_MAX_VALUES] if text in list(State))
        labels = dict(_label(text) for text in query.getlist("label")[:_MAX_VALUES] if text.strip())
        return cls(
            PageFilter(
                states=states,
                providers=_texts(query, "provider"),
                causes=_texts(query, "cause"),
                labels=labels or None,
                campaign=query.get("campaign", "").strip()[:_MAX_TEXT],
                text=query.get("q", "").strip()[:_MAX_TEXT],
            ),
            query.get("cursor") or None,
            tuple(dict.fromkeys(said for name, text in query.multi_items() if (said := _meaningless(name, text))))[:_MAX_TOLD],
        )

    @property
    def is_narrow(self) -> bool:
        """Whether anything is filtered."""
        return self.which != PageFilter()

    def pairs(self) -> list[tuple[str, str]]:
        """The filter as query parameters, the cursor left out."""
        which = self.which
        return [
            *(("state", state.value) for state in STATES if state in which.states),
            *(("provider", provider) for provider in sorted(which.providers)),
            *(("cause", cause) for cause in sorted(which.causes)),
            *(("label", _spelt(name, value)) for name, value in sorted((which.labels or {}).items())),
            *((("campaign", which.campaign),) if which.campaign else ()),
            *((("q", which.text),) if which.text else ()),
        ]

    def link(self, *, cursor: str | None = None) -> str:
        """The list with this filter."""
        return _link([*self.pairs(), *((("cursor", cursor),) if cursor else ())])

    def with_states(self, states: Iterable[State]) -> str:
        """The list with other states."""
        return replace(self, which=replace(self.which, states=frozenset(states))).link()

    def chips(self) -> list[tuple[str, str]]:
        """What is filtered besides states, in words, each with the list that no longer filters by it."""
        pairs = self.pairs()
        return [
            (_said(name, text), _link([pair for pair in pairs if pair != (name, text)])) for name, text in pairs if name != "state"
        ]

    def hidden(self, *names: str) -> list[tuple[str, str]]:
        """What a form that changes only *names* must carry along."""
        return [pair for pair in self.pairs() if pair[0] not in names]

    def as_json(self) -> Mapping[str, object]:
        """As the API's bulk actions take it."""
        which = self.which
        return {
            "state": sorted(which.states),
            "provider": sorted(which.providers),
            "cause": sorted(which.causes),
            "label": [_spelt(name, value) for name, value in sorted((which.labels or {}).items())],
            "campaign": which.campaign,
            "q": which.text,
        }


def _meaningless(name: str, text: str) -> str | None:
    if not text.strip():
        return None
    if name not in _NAMES:
        return f"There is no filter “{name[:_LONGEST_TOLD]}”{_nearest(name, _NAMES[:-2])}."
    if name == "state" and text not in list(State):
        return f"There is no state “{text[:_LONGEST_TOLD]}”{_nearest(text, [state.value for state in STATES])}."
    return None


def _nearest(text: str, known: Sequence[str]) -> str:
    near = get_close_matches(text.lower()[:_LONGEST_TOLD], known, n=1)
    return f"; perhaps “{near[0]}” is meant" if near else f", only {', '.join(known)}"


def _link(pairs: list[tuple[str, str]]) -> str:
    return f"/mailboxes?{urlencode(pairs)}" if pairs else "/mailboxes"


def _texts(query: QueryParams, name: str) -> frozenset[str]:
    return frozenset(text[:_MAX_TEXT] for text in query.getlist(name)[:_MAX_VALUES] if text)


def _label(text: str) -> tuple[str, str]:
    name, _, value = text[:_MAX_TEXT].partition("=")
    return name.strip(), value.strip()


def _spelt(name: str, value: str) -> str:
    return f"{name}={value}"


def _said(name: str, text: str) -> str:
    if name == "q":
        return f"address contains “{text}”"
    if name == "provider":
        return f"provider: {provider_word(text)}"
    if name == "cause":
        return f"cause: {cause_word(text)}"
    return f"{name}: {text}"
