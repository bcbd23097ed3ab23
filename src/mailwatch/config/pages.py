"""The configuration written out for people and editors: the example file, the reference page, the JSON Schema.

All three come from the model, so that none can say what the program does not do; tests hold the files in the repository to them.
"""

import textwrap
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import Any, Final

from mailwatch.config.environment import variable
from mailwatch.config.faults import KeyPath, spell
from mailwatch.config.references import SecretReference
from mailwatch.config.section import Section
from mailwatch.config.settings import Settings
from mailwatch.config.shape import NAME, Key, keys_of, sections
from mailwatch.config.wording import as_toml

_EXAMPLE_NAMES: Final = {"providers": "example", "oauth": "outreach", "webhooks": "sender"}
_HEAD: Final = """\
mailwatch's configuration. Every key stands here with its default and its reason; a file with only the keys you change
is enough, and so is none at all.

Layers: defaults, then this file, then the environment: MAILWATCH_SECTION__KEY, such as
MAILWATCH_PROBING__INTERVAL_SECONDS=60.
Check it with `mailwatch config check`, see what is in force with `mailwatch config show --origin`.

A secret never stands here, only where it is:
  { file = "/path" }   { env = "NAME" }   { credential = "name" } (systemd)   { command = ["program", "word"] }
"""


def plain(value: Any) -> Any:
    """A value of the model as TOML and JSON have it; a secret as the reference to it."""
    match value:
        case SecretReference():
            return value.shown()
        case Enum():
            return value.value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 118)]


def _doc(model: type[Section]) -> str:
    return " ".join((model.__doc__ or "").split())


def _assignment(key: Key, *, named: bool) -> str:
    value = plain(key.default) if not key.is_required else None
    shown = key.example if key.example is not None and (named or value is None or value == []) else value
    return (
        f"{'# ' if named or value is None else ''}{key.path[-1]} = {as_toml(value if value is not None and not named else shown)}"
    )


def example() -> str:
    """config.example.toml: every key with its default and its reason; what has no default is shown commented out."""
    lines = [f"# {line}".rstrip() for line in _HEAD.splitlines()]
    for path, model in sections():
        keys = list(keys_of(model, path))
        named = NAME in path
        if not path or not (keys or named):
            continue
        header = ".".join(_EXAMPLE_NAMES[str(path[0])] if part == NAME else str(part) for part in path)
        lines += ["", *_comment(_doc(model)), f"{'# ' if named else ''}[{header}]"]
        for key in keys:
            lines += [*_comment(key.description), _assignment(key, named=named)]
    return "\n".join(lines) + "\n"


def _default(key: Key) -> str:
    if key.is_required:
        return "required"
    value = plain(key.default)
    return "none" if value is None else f"`{as_toml(value)}`"


def _rows(path: KeyPath, model: type[Section]) -> Iterator[str]:
    yield f"\n## [{spell(path)}]\n"
    yield f"{_doc(model)}\n"
    keys = list(keys_of(model, path))
    if keys:
        yield "| key | default | meaning | environment |"
        yield "|---|---|---|---|"
    for key in keys:
        meaning = key.description.replace("|", "\\|")
        if key.example is not None:
            meaning += f" Example: `{as_toml(key.example)}`."
        yield f"| `{key.path[-1]}` | {_default(key)} | {meaning} | `{variable(key.path)}` |"


def reference() -> str:
    """The key by key part of docs/configuration.md."""
    return "\n".join(line for path, model in sections() if path for line in _rows(path, model)).lstrip() + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://mailwatch.invalid/schema/mailwatch.json",
        **Settings.model_json_schema(mode="validation"),
        "title": "mailwatch configuration",
    }
