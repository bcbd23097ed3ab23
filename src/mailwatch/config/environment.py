"""`MAILWATCH_SECTION__KEY`: the environment over the file.

Two underscores separate the parts of a key: `MAILWATCH_BACKOFF__TRANSIENT__FIRST_SECONDS=60`.  A value is read as TOML; where a
text is wanted its quotes may be left out.  Variables without two underscores behind `MAILWATCH_` are none of this.
"""

import tomllib
from collections.abc import Mapping
from typing import Any, Final

from mailwatch.config.faults import Fault, KeyPath, Origin, spell
from mailwatch.config.shape import Key, find

PREFIX: Final = "MAILWATCH_"
SEPARATOR: Final = "__"


def variable(path: KeyPath) -> str:
    """The variable that sets *path*."""
    return PREFIX + SEPARATOR.join(str(part).upper().replace("-", "_") for part in path)


def _value(text: str, key: Key | None) -> Any:
    try:
        document = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = document["value"] if len(document) == 1 else text
    wants_text = key is not None and key.is_text
    return text if wants_text and not isinstance(value, str) else value


def _named_as_in_file(table: Mapping[str, Any], part: str) -> str:
    """The file's spelling of a name: variables know neither case nor dashes."""
    return next((name for name in table if name.lower().replace("-", "_") == part), part)


def _apply(data: dict[str, Any], parts: list[str], text: str) -> KeyPath | None:
    """Set one override in *data*; the path it was set at, or None when it goes into something that is no table."""
    path: KeyPath = ()
    table = data
    for part in parts[:-1]:
        name = _named_as_in_file(table, part)
        path = (*path, name)
        found = find(path)
        if isinstance(found, Key):
            if not found.is_secret or len(parts) != len(path) + 1:
                return None
            # A reference is one value, though it looks like a table: the file's kind of reference gives way.
            table[name] = {parts[-1]: _value(text, Key((*path, parts[-1]), found.field) if parts[-1] != "command" else None)}
            return path
        inner = table.setdefault(name, {})
        if not isinstance(inner, dict):
            inner = table[name] = {}
        table = inner
    name = _named_as_in_file(table, parts[-1])
    path = (*path, name)
    found = find(path)
    table[name] = _value(text, found if isinstance(found, Key) else None)
    return path


def override(data: dict[str, Any], environ: Mapping[str, str]) -> tuple[dict[KeyPath, Origin], list[Fault]]:
    """Put the environment's values over *data* (changed in place); where each came from, and what is wrong with their names."""
    origins: dict[KeyPath, Origin] = {}
    faults = []
    for variable_name, text in sorted(environ.items()):
        if not variable_name.startswith(PREFIX) or SEPARATOR not in variable_name[len(PREFIX) :]:
            continue
        origin = Origin(f"${variable_name}")
        parts = variable_name[len(PREFIX) :].lower().split(SEPARATOR)
        path = _apply(data, parts, text)
        if path is None or not all(parts):
            key = tuple(parts)
            faults.append(Fault(origin, key, f'unknown key "{spell(key)}"', "see `mailwatch config show` for all keys"))
        else:
            origins[path] = origin
    return origins, faults
