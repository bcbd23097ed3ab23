"""What requests and answers are made of: bodies that refuse unknown keys, moments, cursors, texts without control characters."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, WithJsonSchema

from mailwatch.core.campaigns import CAMPAIGN_ID
from mailwatch.web.auth import surface_of
from mailwatch.web.surface import Surface

MOST_ROWS: Final = 500
#: Nothing that could break a line, a label or a terminal (and NUL, which PostgreSQL refuses).
_PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


class Given(BaseModel):
    """The body of a request: an unknown key is a slip, and told."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, ser_json_inf_nan="null")


class Shown(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(frozen=True)


def _moment(given: Any) -> Any:
    if isinstance(given, datetime):
        return given.astimezone(UTC)
    if not isinstance(given, str) or not _RFC3339.fullmatch(given):
        raise ValueError("a moment of RFC 3339 is needed, such as 2026-12-01T08:00:00Z")
    try:
        return datetime.fromisoformat(given.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("no such moment") from None


def _integer(given: Any) -> Any:
    return int(given) if isinstance(given, float) and given.is_integer() else given


#: For integers of a body: as JSON Schema has it, 1.0 is one; "1" and true are none.
WHOLE: Final = BeforeValidator(_integer)

Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-12-01T08:00:00Z"]}),
]
Flag = Annotated[bool, Strict()]
Words = Annotated[str, Field(pattern=_PRINTABLE, max_length=200)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$")]
CampaignKey = Annotated[str, Field(pattern=CAMPAIGN_ID)]
#: A password, token or the like; it never comes back, not even in an error.
SecretText = Annotated[
    str,
    Field(min_length=1, max_length=16_384, pattern=r"^[^\x00\r\n]+$", json_schema_extra={"writeOnly": True, "format": "password"}),
]

MailboxPath = Annotated[
    str,
    Path(
        description="Its id or its address.",
        pattern=r"^[^\x00-\x20\x7f]{1,320}$",
        examples=["mb_0011aabbccddeeff"],
    ),
]
CampaignPath = Annotated[str, Path(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]
IdPath = Annotated[str, Path(pattern=r"^[^\x00-\x20\x7f]{1,80}$")]
NamePath = Annotated[str, Path(pattern=r"^[^\x00-\x20\x7f]{1,80}$")]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="How many at the most.")]
Cursor = Annotated[str | None, Query(max_length=400, pattern=_PRINTABLE, description="`next` of the page before.")]
After = Annotated[int, Query(ge=0, le=2**53, description="Only rows with a higher number.")]
Before = Annotated[int | None, Query(ge=1, le=2**53, description="Only rows with a lower number: `next` of the page before.")]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The ETag that was read: refused with 412 when it has moved on since.", max_length=1000),
]


async def _surface(request: Request) -> Surface:
    return surface_of(request)


Here = Annotated[Surface, Depends(_surface)]
