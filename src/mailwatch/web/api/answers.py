"""Answers with an ETag: bodies encoded once, 304 for what is known already, versions for If-Match, links to the next page.

An ETag is `"VERSION.DIGEST"`.  The digest is of the body, for If-None-Match.  If-Match looks at the version alone - of the
mailbox's standing, or of the campaign - because a probe that changed nothing but its own moment is no reason to refuse an act.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from mailwatch.web.problems import Problem

_VERSION: Final = re.compile(r'(?:W/)?"(\d{1,15})(?:\.[0-9a-f]*)?"')
#: An entity-tag (RFC 9110, 8.8.3), whoever made it, and what may stand behind it in a list.
_ENTITY_TAG: Final = re.compile(r'((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,[ \t]*|$)')
_DIGEST: Final = 16
#: Fits no version there is.
NO_VERSION: Final = -1


def answer(
    request: Request,
    content: BaseModel,
    *,
    version: int | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """*content* as JSON with its ETag, or 304 when the client has it."""
    body = content.model_dump_json().encode()
    digest = hashlib.sha256(body).hexdigest()[:_DIGEST]
    tag = f'"{digest}"' if version is None else f'"{version}.{digest}"'
    sent = {"etag": tag, "cache-control": "private, no-cache", "vary": "Authorization, Cookie", **(headers or {})}
    if request.method == "GET" and _is_known(tag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=sent)
    return Response(body, status, sent, "application/json")


def _is_known(tag: str, if_none_match: str | None) -> bool:
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in if_none_match.split(",")}


def wanted_version(if_match: str | None, present: int) -> int | None:
    """The version an act insists on: None for any, NO_VERSION when none of those named is the *present* one.

    Raises Problem for what is no list of entity-tags: who sent it meant to be careful, and has not said of what.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tags = _ENTITY_TAG.findall(if_match)
    if not tags or _ENTITY_TAG.sub("", if_match).strip():
        raise Problem("malformed", 'If-Match takes * or entity-tags as they were answered, such as "3.0123456789abcdef"')
    named = {int(found.group(1)) for found in map(_VERSION.fullmatch, tags) if found}
    return present if present in named else next(iter(named), NO_VERSION)


def next_link(request: Request, cursor: str | int | None, name: str = "cursor") -> dict[str, str]:
    """`Link: <…>; rel="next"` (RFC 8288) for the page behind this one."""
    if cursor is None:
        return {}
    url = request.url.include_query_params(**{name: str(cursor)})
    return {"link": f'<{url.path}?{url.query}>; rel="next"'}
