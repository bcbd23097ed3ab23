"""pydantic's errors in words an operator can act on: what is wrong with which key, and the cure."""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails

from mailwatch.config.faults import KeyPath, spell, table
from mailwatch.config.section import Section
from mailwatch.config.shape import Key, all_keys, find

_MUST: Final[Mapping[str, str]] = {
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text in quotes",
    "string_unicode": "UTF-8 text",
    "string_too_short": "a text that is not empty",
    "tuple_type": "a list",
    "model_type": "a table",
    "dict_type": "a table",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
}


def key_path(error: ErrorDetails) -> KeyPath:
    """Where the error is, without pydantic's own marks."""
    return tuple(part for part in error["loc"] if part != "[key]")


def _closest(word: str, words: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)), None)


def _unknown(path: KeyPath) -> tuple[str, str]:
    *parents, name = path
    parent = tuple(parents)
    what = "section" if not parent else "key"
    problem = f'unknown {what} "{name}"' + (f" in {table(parent)}" if parent else "")
    model = find(parent)
    siblings = list(model.model_fields) if isinstance(model, type) and issubclass(model, Section) else []
    if suggestion := _closest(str(name), siblings):
        return problem, f'did you mean "{suggestion}"?'
    if elsewhere := next((key for key in all_keys() if key.path[-1] == name), None):
        return problem, f'"{name}" belongs into {table(elsewhere.path[:-1])}'
    return problem, f"known here: {', '.join(siblings)}" if siblings else "remove it"


def _expected(error: ErrorDetails, path: KeyPath) -> tuple[str, str]:
    choices = [part.strip("'") for part in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
    problem = f"{spell(path)} must be one of {', '.join(json.dumps(choice) for choice in choices)}"
    given = error["input"]
    suggestion = _closest(given.lower(), choices) if isinstance(given, str) else None
    return problem, f'did you mean "{suggestion}"?' if suggestion else f"write one of them, such as {json.dumps(choices[0])}"


def as_toml(value: Any) -> str:
    """A value of the model as TOML writes it."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {as_toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _such_as(path: KeyPath) -> str:
    key = find(path)
    if not isinstance(key, Key) or key.is_secret:
        return "see config.example.toml"
    value = key.example if key.is_required or key.default in (None, ()) else key.default
    return f"such as {key.path[-1]} = {as_toml(value)}"


def words(error: ErrorDetails) -> tuple[str, str]:
    """What is wrong, and the cure.  Values are named only where they cannot be secret."""
    path = key_path(error)
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind == "missing":
        return f'key "{path[-1]}" is missing in {table(path[:-1])}', f"add it, {_such_as(path)}"
    if kind == "enum":
        return _expected(error, path)
    if kind in {"not_wanted", "inline_secret", "secret_reference"}:
        return f"{spell(path)}: {error['ctx']['problem']}", error["ctx"]["cure"]
    if kind in _MUST:
        return f"{spell(path)} must be {_MUST[kind].format(**error.get('ctx', {}))}", _such_as(path)
    # A kind of error this table does not know: pydantic's words are clear enough, and hold no input.
    return f"{spell(path)}: {error['msg'][:1].lower()}{error['msg'][1:]}", _such_as(path)
