"""The filter of mailboxes in a query or in a bulk action's body."""

from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import Field

from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import PageFilter
from mailwatch.web.api.fields import Given, Words

_MOST_VALUES: Final = 50
MOST_IDS: Final = 500

Labels = Annotated[
    list[Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f=;]{1,100}=[^\x00-\x1f\x7f]{0,200}$")]], Field(max_length=20)
]
Providers = Annotated[list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]], Field(max_length=_MOST_VALUES)]


class FilterGiven(Given):
    """Which mailboxes; keys left out do not restrict."""

    state: Annotated[list[State], Field(max_length=_MOST_VALUES)] = Field(default_factory=list)
    provider: Providers = Field(default_factory=list)
    cause: Annotated[list[Cause], Field(max_length=_MOST_VALUES)] = Field(default_factory=list)
    label: Labels = Field(default_factory=list)
    campaign: Words = ""
    q: Words = ""

    def which(self) -> PageFilter:
        """As the pages know it."""
        return PageFilter(
            states=frozenset(self.state),
            providers=frozenset(self.provider),
            causes=frozenset(each.value for each in self.cause),
            labels=dict(_pair(each) for each in self.label) or None,
            campaign=self.campaign,
            text=self.q,
        )


async def _filter(
    state: Annotated[list[State], Query(description="Only these states.", max_length=_MOST_VALUES)] = [],  # noqa: B006  # FastAPI's way
    provider: Annotated[Providers, Query(description="Only these providers.")] = [],  # noqa: B006  # as above
    cause: Annotated[list[Cause], Query(description="Only these causes.", max_length=_MOST_VALUES)] = [],  # noqa: B006  # as above
    label: Annotated[Labels, Query(description="`key=value`; all of them must fit.")] = [],  # noqa: B006  # as above
    campaign: Annotated[Words, Query(description="Only mailboxes this campaign sends through.")] = "",
    q: Annotated[Words, Query(description="Part of the address.")] = "",
) -> PageFilter:
    return FilterGiven(state=state, provider=provider, cause=cause, label=label, campaign=campaign, q=q).which()


Which = Annotated[PageFilter, Depends(_filter)]


def _pair(label: str) -> tuple[str, str]:
    key, _, content = label.partition("=")
    return key, content
