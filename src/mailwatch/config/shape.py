"""The model read as a list of keys: for environment overrides, suggestions, `config show`, the example file and the docs."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args

from pydantic.fields import FieldInfo

from mailwatch.config.faults import KeyPath
from mailwatch.config.references import SecretReference
from mailwatch.config.section import Section
from mailwatch.config.settings import Settings

#: Stands in a path for the name that the operator chooses: `providers.NAME.hosts`.
NAME = "NAME"


def _types(annotation: Any) -> Iterator[Any]:
    """The types an annotation is made of, with `Annotated`, unions and containers taken apart."""
    parts = get_args(annotation)
    if not parts:
        yield annotation
    for part in parts:
        yield from _types(part)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the file."""

    path: KeyPath
    field: FieldInfo

    @property
    def types(self) -> frozenset[Any]:
        """The types its value is made of."""
        return frozenset(kind for kind in _types(self.field.annotation) if isinstance(kind, type))

    @property
    def is_secret(self) -> bool:
        """Whether the value points to a secret."""
        return SecretReference in self.types

    @property
    def is_text(self) -> bool:
        """Whether the value is one text: in the environment it needs no quotes."""
        return not self.is_list and any(issubclass(kind, str | Enum) for kind in self.types)

    @property
    def is_list(self) -> bool:
        """Whether the value is a list."""
        return Ellipsis in get_args(self.field.annotation)

    @property
    def is_required(self) -> bool:
        """Whether its table cannot be without it."""
        return self.field.is_required()

    @property
    def default(self) -> Any:
        """The value when the key is left out."""
        return self.field.get_default(call_default_factory=True)

    @property
    def description(self) -> str:
        """What it means, and why its default is what it is."""
        return self.field.description or ""

    @property
    def example(self) -> Any:
        """A value to show where the default shows nothing; None when there is none."""
        return (self.field.examples or [None])[0]


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section a field holds (or each entry of the table a field holds), if it holds one."""
    return next((kind for kind in _types(field.annotation) if isinstance(kind, type) and issubclass(kind, Section)), None)


def is_named(field: FieldInfo) -> bool:
    """Whether the field is a table of tables whose names the operator chooses."""
    return field.annotation is not None and getattr(field.annotation, "__origin__", None) is dict


def sections(model: type[Section] = Settings, path: KeyPath = ()) -> Iterator[tuple[KeyPath, type[Section]]]:
    """Every section with its path, in the order of the file."""
    yield path, model
    for name, field in model.model_fields.items():
        section = section_of(field)
        if section is not None:
            yield from sections(section, (*path, name, NAME) if is_named(field) else (*path, name))


def keys_of(model: type[Section], path: KeyPath = ()) -> Iterator[Key]:
    """The keys of one section, its sub-sections left out."""
    for name, field in model.model_fields.items():
        if section_of(field) is None:
            yield Key((*path, name), field)


def all_keys() -> Iterator[Key]:
    """Every key of the file."""
    for path, model in sections():
        yield from keys_of(model, path)


def find(path: KeyPath) -> type[Section] | Key | None:
    """What stands at *path* (with real names in it): a section, a key, or nothing; a path into a key's value finds the key."""
    model: type[Section] = Settings
    rest = list(path)
    while rest:
        name = rest.pop(0)
        field = model.model_fields.get(str(name))
        if field is None:
            return None
        section = section_of(field)
        if section is None:
            return Key(path[: len(path) - len(rest)], field)
        model = section
        if is_named(field) and rest:
            rest.pop(0)
    return model
