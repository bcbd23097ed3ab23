"""From a file and the environment to settings, or to every fault at once.

Layers: defaults, then the file, then `MAILWATCH_SECTION__KEY` variables; the later wins.  All or nothing: a configuration with
one fault is not used, so that a reload can keep the old one.
"""

import copy
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from mailwatch.config.checks import contradictions
from mailwatch.config.environment import override
from mailwatch.config.faults import ConfigError, Exit, Fault, KeyPath, Origin
from mailwatch.config.lines import places
from mailwatch.config.settings import Settings
from mailwatch.config.wording import key_path, words

#: Looked for in this order when no file is named.
DEFAULT_PATHS: Final = (Path("mailwatch.toml"), Path("/etc/mailwatch/mailwatch.toml"))
PATH_VARIABLE: Final = "MAILWATCH_CONFIG"
MAX_BYTES: Final = 4_194_304
#: Where tomllib says a syntax error is (3.11 to 3.13 say it in words only).
_AT: Final = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each value that is no default came from."""

    settings: Settings
    path: Path | None = None
    origins: Mapping[KeyPath, Origin] = field(default_factory=dict)


@dataclass(slots=True)
class _File:
    """A file as read, before anybody judged its values."""

    name: str
    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    is_public: bool = False  #: every user of the machine can read it


def locate(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """The file to read: the one named, else `$MAILWATCH_CONFIG`, else the first of DEFAULT_PATHS that is there, else none."""
    environ = os.environ if environ is None else environ
    if path is not None:
        return path
    if named := environ.get(PATH_VARIABLE):
        return Path(named)
    return next((candidate for candidate in DEFAULT_PATHS if candidate.exists()), None)


def load(path: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of *path* (None: defaults) and the environment; raises ConfigError with every fault."""
    return read(path, environ).settings


def read(path: Path | None, environ: Mapping[str, str] | None = None) -> Loaded:
    """As `load`, with the origin of each value."""
    environ = os.environ if environ is None else environ
    file = _File("defaults") if path is None else _parse(str(path), *_content(path))
    variables, faults = override(file.data, environ)
    # A variable replaces what the file said below its path.
    origins = {key: origin for key, origin in file.origins.items() if not any(key[: len(top)] == top for top in variables)}
    origins |= variables
    settings, found = _judge(file, origins)
    faults += found
    if faults or settings is None:
        raise ConfigError(sorted(faults, key=_in_order))
    return Loaded(settings, path, origins)


def _in_order(fault: Fault) -> tuple[bool, int, int, str]:
    return fault.origin.line is None, fault.origin.line or 0, fault.origin.column or 0, fault.origin.source


def _content(path: Path) -> tuple[bytes, bool]:
    origin = Origin(str(path))
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(
            [Fault(origin, (), "no such file", "name the file with --config, or start from config.example.toml")]
        ) from None
    except PermissionError:
        raise ConfigError(
            [Fault(origin, (), "permission denied", "let the user mailwatch runs as read it")], Exit.PERMISSION
        ) from None
    except OSError as error:
        raise ConfigError([Fault(origin, (), error.strerror or "cannot be read", "name a readable file")]) from None
    if len(content) > MAX_BYTES:
        raise ConfigError(
            [Fault(origin, (), f"more than {MAX_BYTES} bytes", "mailboxes belong into the database: mailwatch mailbox import")]
        )
    return content, bool(mode & stat.S_IROTH)


def _parse(name: str, content: bytes, is_public: bool) -> _File:  # noqa: FBT001  # private, called in one place
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise ConfigError([Fault(Origin(name, line, column), (), "not UTF-8", "save the file as UTF-8")]) from None
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError([_syntax(name, text, error)]) from None
    origins = {path: Origin(name, *place) for path, place in places(text).items()}
    return _File(name, data, origins, is_public)


def _syntax(name: str, text: str, error: Exception) -> Fault:
    if isinstance(error, RecursionError):
        return Fault(Origin(name), (), "nested too deeply", "no key needs more than four levels")
    message = str(error)
    found = _AT.search(message)
    if found is not None and found["line"]:
        place = int(found["line"]), int(found["column"])
    else:
        lines = text.split("\n")
        place = len(lines), len(lines[-1]) + 1
    problem = _AT.sub("", message)
    twice = "overwrite" in problem or "twice" in problem or "mutate" in problem
    cure = "this key or table stands in the file twice: keep one" if twice else "TOML wants key = value, texts in quotes"
    return Fault(Origin(name, *place), (), f"no valid TOML: {problem[:1].lower()}{problem[1:]}", cure)


def _judge(file: _File, origins: Mapping[KeyPath, Origin]) -> tuple[Settings | None, list[Fault]]:
    faults: list[Fault] = []
    faulty: list[KeyPath] = []
    data = copy.deepcopy(file.data)
    settings: Settings | None = None
    # What is faulty by itself is taken out, so that the rest can still be checked against each other: every fault at once.
    while settings is None:
        try:
            settings = Settings.model_validate(data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                path = key_path(detail)
                problem, cure = words(detail)
                if detail["type"] == "inline_secret" and file.is_public and _origin(path, origins).line is not None:
                    cure += "; every user of this machine can read this file, so change that secret too"
                faults.append(Fault(_origin(path, origins), path, problem, cure))
                faulty.append(path)
                _take_out(data, path[:-1] if detail["type"] == "missing" else path)
    faults += _contradictions(settings, faulty, origins)
    return settings, faults


def _contradictions(settings: Settings, faulty: list[KeyPath], origins: Mapping[KeyPath, Origin]) -> Iterator[Fault]:
    for contradiction in contradictions(settings):
        if any(_overlap(key, path) for key in contradiction.keys for path in faulty):
            continue
        # Where the operator wrote one of the keys, rather than at one that has its default.
        key = next((key for key in contradiction.keys if key in origins), contradiction.keys[0])
        yield Fault(_origin(key, origins), key, contradiction.problem, contradiction.cure)


def _overlap(one: KeyPath, other: KeyPath) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _take_out(data: dict[str, Any], path: KeyPath) -> None:
    """Remove what stands at *path*; of a list, all of it: what is left of it would mean something else."""
    table = data
    for part in path[:-1]:
        inner = table.get(str(part))
        if not isinstance(inner, dict):
            table.pop(str(part), None)
            return
        table = inner
    table.pop(str(path[-1]), None)


def _origin(path: KeyPath, origins: Mapping[KeyPath, Origin]) -> Origin:
    """The place of *path*, of what the operator wrote below it, or of the nearest table around it."""
    for end in range(len(path), 0, -1):
        around = path[:end]
        if around in origins:
            return origins[around]
        if below := next((origin for key, origin in origins.items() if key[:end] == around), None):
            return below
    return Origin("defaults")
