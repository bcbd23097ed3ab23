"""What is in force, value by value, with the layer that set each; secrets as references only."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mailwatch.config.faults import KeyPath, Origin, spell
from mailwatch.config.loading import Loaded
from mailwatch.config.pages import plain
from mailwatch.config.section import Section
from mailwatch.config.settings import Settings
from mailwatch.config.shape import section_of
from mailwatch.config.wording import as_toml


@dataclass(frozen=True, slots=True)
class Entry:
    """One value in force."""

    path: KeyPath
    value: Any
    origin: str  #: `default`, `FILE:LINE:COLUMN` or `$MAILWATCH_…`

    def __str__(self) -> str:
        shown = "# unset" if self.value is None else as_toml(plain(self.value))
        return f"{spell(self.path)} = {shown}"

    def as_json(self) -> dict[str, Any]:
        """The entry for `--json`."""
        return {"key": spell(self.path), "value": plain(self.value), "origin": self.origin}


def values(section: Section, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value below *section* with its path, in the order of the file."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        # a table of labels is one value; a table of sections holds the values of each
        items = value.items() if isinstance(value, Mapping) and section_of(field) else [(None, value)]
        for inner, item in items:
            here = (*path, name) if inner is None else (*path, name, inner)
            if isinstance(item, Section):
                yield from values(item, here)
            else:
                yield here, item


def entries(loaded: Loaded) -> Iterator[Entry]:
    """Every value in force, in the order of the file."""
    for path, value in values(loaded.settings):
        yield Entry(path, value, str(origin_of(path, loaded.origins) or "default"))


def origin_of(path: KeyPath, origins: Mapping[KeyPath, Origin]) -> Origin | None:
    """The place that gave the value: its own, or of the variable that gave its whole table."""
    # A table's own header gives no value to the keys that are left out in it.
    return origins.get(path) or next(
        (origin for end in range(1, len(path)) if (origin := origins.get(path[:end])) and origin.line is None), None
    )


def nested(listed: Iterable[Entry]) -> dict[str, Any]:
    """The entries as the tables of the file."""
    document: dict[str, Any] = {}
    for entry in listed:
        table = document
        for part in entry.path[:-1]:
            table = table.setdefault(str(part), {})
        table[str(entry.path[-1])] = plain(entry.value)
    return document


def summary(settings: Settings) -> Iterator[str]:
    """The configuration in a few lines."""
    probing, budget = settings.probing, settings.budget
    yield f"store {settings.store.url}, HTTP on {settings.web.listen}"
    yield (
        f"every mailbox each {probing.interval_seconds:g} s up to {probing.depth}, "
        f"{probing.timeout_seconds:g} s a probe, {probing.max_in_flight} at a time"
    )
    yield (
        f"at most {budget.rejected_logins} refused logins a secret in {budget.window_seconds / 3600:g} h, "
        f"{budget.host_rejected_logins} a host in {budget.host_window_seconds / 60:g} min"
    )
    named = (("providers", settings.providers), ("OAuth applications", settings.oauth), ("webhooks", settings.webhooks))
    for kind, names in named:
        if names:
            yield f"{kind}: {', '.join(names)}"
