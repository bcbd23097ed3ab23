"""IMAP commands as clients write them: tag, name, and arguments with quoted strings and literals (RFC 9051, section 9)."""

import re
from dataclasses import dataclass, field
from typing import Final

from mailwatch.sim.wire import Wire

MAX_LITERAL: Final = 1 << 20
_LITERAL: Final = re.compile(rb"\{(\d{1,9})(\+?)\}$")
_TOKEN: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([()])|([^\s()"\[]*\[[^\]]*\](?:<[\d.]+>)?|[^\s()"]+)')
_ESCAPED: Final = re.compile(r"\\(.)")


class SyntaxFaultError(ValueError):
    """The client's command cannot be read; `tag` is its tag, or `*`."""

    def __init__(self, tag: str, words: str) -> None:
        super().__init__(words)
        self.tag = tag


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `arguments` may hold secrets."""

    tag: str
    name: str  #: upper case; `UID` commands as `UID FETCH`
    arguments: tuple[str, ...] = field(repr=False, default=())


def tokens(text: str) -> list[str]:
    """The words of *text*, quoted strings unquoted, parentheses as words of their own."""
    return [_ESCAPED.sub(r"\1", match[1]) if match[1] is not None else match[2] or match[3] for match in _TOKEN.finditer(text)]


async def read_command(wire: Wire) -> Command:
    """The next command, its literals fetched; raises SyntaxFaultError, and PeerGoneError when the client has left."""
    words: list[str] = []
    line = await wire.line()
    while True:
        literal = _LITERAL.search(line)
        try:
            words += tokens(line[: literal.start()].decode() if literal else line.decode())
            if literal is None:
                break
            if int(literal[1]) > MAX_LITERAL:
                raise SyntaxFaultError(words[0] if words else "*", "literal too long")
            if not literal[2]:
                wire.send("+ OK")
            words.append((await wire.exactly(int(literal[1]))).decode("utf-8", "surrogateescape"))
        except UnicodeDecodeError as error:
            raise SyntaxFaultError(words[0] if words else "*", "not UTF-8") from error
        line = await wire.line()
    if len(words) < 2:  # noqa: PLR2004  # a tag and a name
        raise SyntaxFaultError(words[0] if words else "*", "Error in IMAP command received by server.")
    tag, name, *rest = words
    name = name.upper()
    if name == "UID" and rest:
        name, rest = f"UID {rest[0].upper()}", rest[1:]
    return Command(tag, name, tuple(rest))


def sequence(text: str, largest: int) -> set[int]:
    """The numbers of a sequence set such as `1:3,7,9:*`; raises ValueError."""
    numbers: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition(":")
        low = largest if first == "*" else int(first)
        high = low if not last else (largest if last == "*" else int(last))
        low, high = min(low, high), max(low, high)
        numbers.update(range(low, min(high, largest) + 1))
    return numbers
