"""For any TOML: the scanner places what tomllib reads, and loading ends in settings or in faults, never in a crash."""

import string
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailwatch.config import ConfigError, Fault, Settings, load
from mailwatch.config.environment import variable
from mailwatch.config.faults import KeyPath
from mailwatch.config.lines import Place, places
from mailwatch.config.shape import Key, all_keys

NAMES = st.one_of(
    st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=6),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
BARE = frozenset(string.ascii_letters + string.digits + "_-")
FILL = st.sampled_from(["", "\n", "# [x]\n", "# a = '''\n", '  # "\n\n', "\t\n"])
#: Values that hold what looks like structure.
SCALARS = st.sampled_from(
    [
        *("1", "-0.5e3", "true", "inf", "1979-05-27 07:32:00", "07:32:00", "0xdead_beef", '"a # b"', "'c = [1]'", '"\\"]"', "''"),
        *(
            '"""\n[t]\nk = 1\n"""',
            '"""a""""',
            "'''\n}\n''''",
            '"""\\"""\\\\"""',
            "''' '' '''",
            '"\\u0022"',
            '""',
            '"""x \\\n  y"""',
        ),
    ]
)


def spelled(name: str, quoted: bool) -> str:
    if name and set(name) <= BARE and not quoted:
        return name
    escaped = "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or c in '"\\\x7f' else c for c in name)
    return f'"{escaped}"'


class Writer:
    """Writes TOML and notes where it put things."""

    def __init__(self) -> None:
        self.text = ""
        self.places: dict[KeyPath, Place] = {}

    def note(self, path: KeyPath) -> None:
        line = self.text.count("\n") + 1
        self.places[path] = Place(line, len(self.text) - (self.text.rfind("\n") + 1) + 1)


@st.composite
def documents(draw: st.DrawFn) -> Writer:
    writer = Writer()
    writer.text += draw(FILL)
    _assignments(draw, writer, ())
    for name in draw(st.lists(NAMES, max_size=4, unique=True)):
        header = spelled(f"t-{name}", draw(st.booleans()))
        path: KeyPath = (f"t-{name}",)
        count = draw(st.integers(0, 3))
        for index in range(max(1, count)):
            writer.text += draw(st.sampled_from(["", "  "]))
            here = (*path, index) if count else path
            writer.note(here)
            inner = draw(st.sampled_from([header, f" {header} "]))
            writer.text += f"[[{inner}]]" if count else f"[{inner}]"
            writer.text += draw(st.sampled_from(["\n", " # c\n"])) + draw(FILL)
            _assignments(draw, writer, here)
            if draw(st.booleans()):
                writer.note((*here, "sub"))
                writer.text += f"[{header}.sub]\n"
                _assignments(draw, writer, (*here, "sub"))
    return writer


def _assignments(draw: st.DrawFn, writer: Writer, table: KeyPath) -> None:
    for name in draw(st.lists(NAMES, max_size=4, unique=True)):
        writer.text += draw(st.sampled_from(["", " ", "\t"]))
        writer.note((*table, name))
        writer.text += spelled(name, draw(st.booleans()))
        path: KeyPath = (*table, name)
        if draw(st.booleans()):
            writer.places[*path, "dotted"] = writer.places[path]
            writer.text += draw(st.sampled_from([".dotted", " . 'dotted'"]))
            path = (*path, "dotted")
        writer.text += draw(st.sampled_from(["=", " = "]))
        _value(draw, writer, path, 0)
        writer.text += draw(st.sampled_from(["\n", "  # end\n"])) + draw(FILL)


def _value(draw: st.DrawFn, writer: Writer, path: KeyPath, depth: int) -> None:
    kind = draw(st.sampled_from(["scalar", "scalar", "array", "table"])) if depth < 3 else "scalar"
    if kind == "array":
        writer.text += "["
        for index in range(draw(st.integers(0, 3))):
            writer.text += draw(st.sampled_from(["", " ", "\n  ", " # ]\n", "\n# '\n"]))
            writer.note((*path, index))
            _value(draw, writer, (*path, index), depth + 1)
            writer.text += draw(st.sampled_from([",", " ,", "\n,"]))
        writer.text += draw(st.sampled_from(["]", "\n]"]))
    elif kind == "table":
        writer.text += "{"
        for number, name in enumerate(draw(st.lists(NAMES, max_size=3, unique=True))):
            writer.text += ", " if number else " "
            writer.note((*path, name))
            writer.text += f"{spelled(name, draw(st.booleans()))} = "
            _value(draw, writer, (*path, name), depth + 1)
        writer.text += " }"
    else:
        writer.text += draw(SCALARS)


def paths_of(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield (*path, name)
        yield from paths_of(item, (*path, name))


@given(documents())
def test_the_scanner_finds_the_place_of_everything_that_was_written(document: Writer) -> None:
    parsed = tomllib.loads(document.text)
    found = places(document.text)
    assert {path: found.get(path) for path in document.places} == document.places
    assert set(paths_of(parsed)) <= set(found)


PIECES = [*"ab1.=[]{}\"'#,\n\r\t \\-_:é", '"""', "'''", "[[", "]]", " = ", "\n[", "\r\n", "a = ", "b.c = 1"]
TOML_LIKE = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@given(TOML_LIKE)
def test_whatever_tomllib_accepts_is_scanned_whole(text: str) -> None:
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(paths_of(parsed)) <= set(places(text))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "mailwatch.toml"


def faults_of(path: Path | None, environ: Mapping[str, str]) -> Sequence[Fault] | None:
    try:
        settings = load(path, environ)
    except ConfigError as error:
        return error.faults
    assert isinstance(settings, Settings)
    return None


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.text(max_size=4), max_size=2),
    st.just({}),
)
KEYS = list(all_keys())


@given(content=st.one_of(st.binary(max_size=80), TOML_LIKE.map(lambda text: text.encode())))
def test_any_file_ends_in_settings_or_in_faults(target: Path, content: bytes) -> None:
    target.write_bytes(content)
    faults = faults_of(target, {})
    assert faults is None or (faults and all(fault.problem and fault.cure for fault in faults))


@given(key=st.sampled_from(KEYS), text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12))
def test_any_text_in_any_variable_ends_in_settings_or_in_a_fault_of_that_variable(key: Key, text: str) -> None:
    name = variable(key.path)
    sound = {"OAUTH__NAME__KIND": "google", "OAUTH__NAME__CLIENT_ID": "x", "PROVIDERS__NAME__DOMAINS": '["example.org"]'}
    environ = {f"MAILWATCH_{key}": value for key, value in sound.items()} | {name: text}
    faults = faults_of(None, environ)
    assert faults is None or f"${name}" in {fault.origin.source for fault in faults}


@given(
    st.dictionaries(st.sampled_from(list(Settings.model_fields)), st.dictionaries(NAMES, LEAVES, max_size=3) | LEAVES, max_size=4)
)
def test_any_values_in_any_section_are_told_without_a_crash(target: Path, data: dict[str, Any]) -> None:
    lines = []
    for section, value in data.items():
        if isinstance(value, dict):
            lines += [f"[{section}]", *(f"{spelled(name, True)} = {_toml(item)}" for name, item in value.items())]
        else:
            lines.insert(0, f"{section} = {_toml(value)}")
    target.write_text("\n".join(lines), encoding="utf-8", newline="")
    faults = faults_of(target, {})
    assert faults is None or all(fault.origin.line for fault in faults)


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return spelled(value, True)
        case list():
            return f"[{', '.join(_toml(item) for item in value)}]"
        case dict():
            return "{}"
        case None:
            return "1979-05-27"
        case _:
            return str(value)
