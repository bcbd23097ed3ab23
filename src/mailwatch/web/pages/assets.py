"""Style sheet, scripts and icon: read once, kept in memory, served under a name that changes with their content.

The digest in the URL lets browsers keep them for ever and never mix versions: the modules name one another relative to it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_FOLDER: Final = Path(__file__).resolve().parents[1] / "static"
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
)
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Assets:
    """All files of `static/`, and the digest over them."""

    digest: str
    files: Mapping[str, tuple[bytes, str]]

    def url(self, name: str) -> str:
        """Where browsers get the file, below the application's root; raises KeyError when there is none."""
        self.files[name]
        return f"/static/{self.digest}/{name}"


@cache
def assets() -> Assets:
    """The files as they are installed."""
    found = {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
    digest = hashlib.sha256()
    for name, (body, _) in found.items():
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    return Assets(digest.hexdigest()[:16], found)


async def asset(request: Request) -> Response:
    """One file.  An old digest gets the present file, but may not be kept."""
    found = assets().files.get(request.path_params["name"])
    if found is None:
        return PlainTextResponse("there is no such file\n", 404)
    body, content_type = found
    fresh = request.path_params["digest"] == assets().digest
    headers = {"cache-control": _FOR_EVER if fresh else "no-store", "x-content-type-options": "nosniff"}
    return Response(body, media_type=content_type, headers=headers)
