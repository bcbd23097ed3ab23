"""What every section of the file shares: frozen, strict about types, no unknown keys, and the kinds of values keys have."""

import contextlib
import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A table of the file.  Types are strict: `"300"` is no number, so that a slip is told and not guessed away."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, allow_inf_nan=False)


def checked(test: Callable[[str], object], wanted: str, example: str) -> AfterValidator:
    """A validator that refuses texts for which *test* is false or raises ValueError, and says what is wanted."""

    def check(text: str) -> str:
        try:
            fits = test(text)
        except ValueError:
            fits = False
        if not fits:
            raise PydanticCustomError(
                "not_wanted", "{problem}\n{cure}", {"problem": f'"{text}" is not {wanted}', "cure": f"such as {example}"}
            )
        return text

    return AfterValidator(check)


def _list(inner: Any) -> Any:
    # TOML arrays come as lists; strict tuples would refuse them.
    return Annotated[tuple[inner, ...], Field(strict=False)]


_HOST: Final = re.compile(r"(\*\.)?(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_LABEL: Final = re.compile(r"\*|[^=;*\s](?:[^=;]*[^=;\s])?(?:=[^;]*)?")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def host_port(text: str) -> tuple[str, int]:
    """Split `host:port` or `[ipv6]:port`; raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:  # noqa: PLR2004  # the last port
        raise ValueError(text)
    if host.startswith("[") and host.endswith("]"):
        return str(ipaddress.IPv6Address(host[1:-1])), int(port)
    if not _HOST.fullmatch(host.lower()) or host.startswith("*"):
        raise ValueError(text)
    return host, int(port)


def _moment(given: Any) -> Any:
    """A TOML date or date-time, or a text of the same form, as an aware moment."""
    with contextlib.suppress(ValueError, OverflowError):
        if isinstance(given, str):
            given = datetime.fromisoformat(given)
        if isinstance(given, datetime):
            return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
        if isinstance(given, date):
            return datetime.combine(given, time.min, UTC)
    words = {"problem": "this is no date and no date-time", "cure": "such as 2027-01-31, or 2027-01-31T08:00:00Z"}
    raise PydanticCustomError("not_wanted", "{problem}\n{cure}", words)


MomentOrDay = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string"})]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, checked(_NAME.fullmatch, "a name of lower-case letters, digits, _ and -", "google")]
Url = Annotated[
    str, checked(re.compile(r"https://[^\s/?#@]+(?:[/?][^\s#]*)?").fullmatch, "an https:// URL", "https://login.example.org/token")
]
WebUrl = Annotated[
    str,
    checked(
        re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?").fullmatch,
        "an https:// or http:// URL without query",
        "https://mailwatch.example.org",
    ),
]
HostPort = Annotated[str, checked(host_port, "host:port", "one.example.org:443")]
Network = Annotated[str, checked(ipaddress.ip_network, "a network in CIDR form", "10.20.0.0/16")]
Address = Annotated[str, checked(ipaddress.ip_address, "an IP address", "9.9.9.9")]
Host = Annotated[str, checked(_HOST.fullmatch, "a lower-case host name, or *.domain", "*.mail.example.org")]
Domain = Annotated[str, checked(lambda text: _HOST.fullmatch(text) and text[0] != "*", "a lower-case domain", "example.org")]
Label = Annotated[str, checked(_LABEL.fullmatch, 'a label, key=value, or "*"', "tier=gold")]
AbsolutePath = Annotated[
    str, checked(lambda text: text.startswith("/") and "\0" not in text, "an absolute path", "/etc/ssl/ca.pem")
]

Texts = _list(Text)
HostPorts = _list(HostPort)
Networks = _list(Network)
Addresses = _list(Address)
Hosts = _list(Host)
Domains = _list(Domain)
HostNames = _list(Domain)
WatchLabels = _list(Label)
