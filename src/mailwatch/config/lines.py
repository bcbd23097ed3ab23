"""Where each key of a TOML text stands: path -> line and column.

`tomllib` is the judge of what a text means, but keeps no places.  This scanner walks a text that tomllib has accepted and notes
where each table, key and array item begins; it decides nothing about values (https://toml.io/en/v1.0.0).
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Final, NamedTuple

from mailwatch.config.faults import KeyPath

_BLANK: Final = re.compile(r"[ \t]*")
#: What may stand between statements, and inside arrays: blanks, line ends, comments.
_FILL: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY: Final = re.compile(r""""(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+""")
_DOT: Final = re.compile(r"[ \t]*\.[ \t]*")
# Up to two quotes may stand right before the closing three, and belong to the text.
_TEXT: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")' "|" r"'''.*?'{3,5}(?!')" "|" r'"(?:\\.|[^"\\\n])*"' "|" r"'[^'\n]*'",
    re.DOTALL,
)
_SCALAR: Final = re.compile(r"[^,\]}#\n]*")


class Place(NamedTuple):
    """A line and a column, both counted from 1; columns count characters."""

    line: int
    column: int


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.offsets: dict[KeyPath, int] = {}
        self.sizes: dict[KeyPath, int] = {}  #: how many [[tables]] each array of tables has so far

    def scan(self) -> None:
        """Walk the whole text."""
        table: KeyPath = ()
        self._skip(_FILL)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._assignment(table)
            self._skip(_FILL)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"not TOML at offset {self.at}")
        self.at = found.end()
        return found.group()

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _header(self) -> KeyPath:
        start = self.at
        is_array = self.text.startswith("[[", start)
        self.at += 2 if is_array else 1
        self._skip(_BLANK)
        path: KeyPath = ()
        keys = self._keys()
        for key in keys[:-1]:
            path = self._newest((*path, key))
            self.offsets.setdefault(path, start)
        path = (*path, keys[-1])
        self.offsets.setdefault(path, start)
        if is_array:
            index = self.sizes.get(path, 0)
            self.sizes[path] = index + 1
            path = (*path, index)
        else:
            path = self._newest(path)
        self.offsets[path] = start
        self._skip(_BLANK)
        self.at += 2 if is_array else 1
        return path

    def _newest(self, path: KeyPath) -> KeyPath:
        """A header's name of an array of tables means its newest one."""
        size = self.sizes.get(path)
        return path if size is None else (*path, size - 1)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            spelling = self._skip(_KEY)
            # A quoted key may hold escapes: tomllib knows them all.
            keys.append(next(iter(tomllib.loads(f"{spelling} = 0"))) if spelling[0] in "\"'" else spelling)
            dot = _DOT.match(self.text, self.at)
            if dot is None:
                return keys
            self.at = dot.end()

    def _assignment(self, table: KeyPath) -> None:
        start = self.at
        path = table
        for key in self._keys():
            path = (*path, key)
            self.offsets.setdefault(path, start)
        self._skip(_BLANK)
        self.at += 1  # the equals sign
        self._skip(_FILL)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        match self._peek():
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._skip(_TEXT)
            case _:
                self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        self._skip(_FILL)
        index = 0
        while self._peek() not in ("]", ""):
            self.offsets[*path, index] = self.at
            self._value((*path, index))
            index += 1
            self._comma()
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        self._skip(_FILL)
        while self._peek() not in ("}", ""):
            self._assignment(path)
            self._comma()
        self.at += 1

    def _comma(self) -> None:
        self._skip(_FILL)
        if self._peek() == ",":
            self.at += 1
            self._skip(_FILL)


def places(text: str) -> Mapping[KeyPath, Place]:
    """The place of every table, key and array item of *text*, which tomllib must accept."""
    # As tomllib does: both kinds of line end count as one.
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.scan()
    starts = [0, *(found.end() for found in re.finditer("\n", scanner.text))]
    found: dict[KeyPath, Place] = {}
    line = 0
    for path, offset in sorted(scanner.offsets.items(), key=lambda item: item[1]):
        while line + 1 < len(starts) and starts[line + 1] <= offset:
            line += 1
        found[path] = Place(line + 1, offset - starts[line] + 1)
    return found
