"""The page of scenarios is true: each is there once, has a status, and the tests it names exist."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs/scenarios.md"
EXPECTED = [f"{part}{number}" for part, last in (("A", 30), ("B", 80), ("C", 16)) for number in range(1, last + 1)]
_ROW = re.compile(
    r"^\| (?P<id>[ABC]\d+) \| (?P<name>[^|]+) \| (?P<status>[^|]+) \| (?P<tests>[^|]*) \| (?P<open>[^|]*) \|$", re.MULTILINE
)
_NAMED = re.compile(r"`([^`]*)`")


def rows() -> list[dict[str, str]]:
    return [{key: value.strip() for key, value in found.groupdict().items()} for found in _ROW.finditer(PAGE.read_text())]


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of a file's tests; none when there is no such file."""
    place = TESTS / path
    if not place.is_file():
        return frozenset()
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(place.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def test_each_scenario_is_there_once_and_in_order() -> None:
    assert [row["id"] for row in rows()] == EXPECTED
    lines = [line for line in PAGE.read_text().splitlines() if re.match(r"\| [A-Z]\d", line)]
    assert len(lines) == len(EXPECTED), "a line that is no row of four bars is not read"


def test_each_test_that_is_named_exists() -> None:
    missing = []
    for row in rows():
        for named in _NAMED.findall(row["tests"]):
            path, _, function = named.partition("::")
            if function not in functions_of(path):
                missing.append(f"{row['id']}: {named}")
    assert not missing


def test_the_status_fits_what_is_named() -> None:
    wrong = []
    for row in rows():
        named = _NAMED.findall(row["tests"])
        fits = {"shown": bool(named), "partly": bool(named and row["open"]), "not yet": bool(not named and row["open"])}
        if not fits.get(row["status"], False):
            wrong.append(f"{row['id']}: {row['status']}")
    assert not wrong


def test_the_sums_are_those_of_the_rows() -> None:
    found = [row["status"] for row in rows()]
    sums = ", ".join(f"{found.count(status)} {status}" for status in ("shown", "partly", "not yet"))
    assert f"Now: {sums}." in PAGE.read_text()
