"""How IMAP writes strings: quoted strings and folder names (RFC 9051, 5.1 and 9; RFC 3501, 5.1.3)."""

import base64

from mailwatch.probe.failures import ImpairedError


def quoted(text: str) -> str:
    """*text* as a quoted string; raises ImpairedError when no quoted string can hold it."""
    if not text.isascii() or any(mark in text for mark in "\0\r\n"):
        raise ImpairedError("secret_unsendable")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def folder(name: str) -> str:
    """The name of a folder as it goes over the wire: modified UTF-7, quoted; raises ValueError for control characters."""
    if any(ord(mark) < 0x20 or ord(mark) == 0x7F for mark in name):  # noqa: PLR2004  # C0 and DEL
        raise ValueError("a folder name holds no control characters")
    written: list[str] = []
    other = ""
    for mark in f"{name}\0":
        if 0x20 <= ord(mark) < 0x7F or mark == "\0":  # noqa: PLR2004  # printable ASCII; NUL ends the loop
            written.append(_shifted(other))
            other = ""
            written.append("&-" if mark == "&" else mark)
        else:
            other += mark
    return quoted("".join(written)[:-1])


def _shifted(text: str) -> str:
    if not text:
        return ""
    encoded = base64.b64encode(text.encode("utf-16-be")).decode("ascii")
    return f"&{encoded.rstrip('=').replace('/', ',')}-"
