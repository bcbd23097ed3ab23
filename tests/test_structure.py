"""The rules of the architecture, held by tests: names, sizes, docstrings, arrows between packages, no trace of a machine."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
OWN_PYTHON = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]

#: Names that say nothing of what a thing is for.
EMPTY_NAMES = frozenset(
    {"utils", "util", "helpers", "helper", "common", "base", "manager", "handler", "service", "data", "info", "impl", "misc"}
)
MOST_LINES, MEDIAN_LINES, FUNCTION_LINES_P90 = 400, 150, 35


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def own_files() -> Iterator[Path]:
    """Every text file of the repository, whether git knows it or not, but for what tools leave behind."""
    kept = [
        ROOT / ".ci",
        *(path for path in ROOT.iterdir() if not path.name.startswith(".") and path.name not in {"build", "dist"}),
    ]
    for place in kept:
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file() and path != Path(__file__) and path.suffix not in {".pyc", ".png", ".ico", ".woff2"}:
                yield path


def definitions(path: Path) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def words(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def test_every_module_says_what_it_is_for() -> None:
    silent = [relative(path) for path in OWN_PYTHON if not ast.get_docstring(tree(path)) and path.read_text().strip()]
    assert not silent


def test_no_module_is_long_and_half_of_them_are_short() -> None:
    sizes = {relative(path): lines(path) for path in SOURCES}
    assert not {path: size for path, size in sizes.items() if size > MOST_LINES}
    assert statistics.median(sizes.values()) <= MEDIAN_LINES


def test_functions_are_short() -> None:
    sizes = [
        (node.end_lineno or 0) - node.lineno + 1
        for path in SOURCES
        for node in definitions(path)
        if not isinstance(node, ast.ClassDef)
    ]
    assert statistics.quantiles(sizes, n=10)[-1] <= FUNCTION_LINES_P90


def test_no_module_or_class_has_an_empty_name() -> None:
    modules = [
        relative(path) for path in SOURCES if EMPTY_NAMES & set(words(path.parent.name if path.stem == "__init__" else path.stem))
    ]
    classes = [
        f"{relative(path)}: {node.name}"
        for path in SOURCES
        for node in definitions(path)
        if isinstance(node, ast.ClassDef) and words(node.name) and words(node.name)[-1] in EMPTY_NAMES
    ]
    assert not modules + classes


def test_arrows_between_packages_point_one_way() -> None:
    done = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("library", ["aioimaplib", "aiosmtplib", "apscheduler", "tenacity"])
def test_a_library_has_one_home(library: str) -> None:
    importers = {
        path.relative_to(ROOT / "src/mailwatch").parts[0]
        for path in SOURCES
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Import) and any(name.name.split(".")[0] == library for name in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == library)
    }
    homes = {
        "aioimaplib": {"probe"},
        "aiosmtplib": {"probe"},
        "apscheduler": {"monitor"},
        "tenacity": {"core", "probe", "store", "monitor"},
    }
    assert importers <= homes[library]
    assert importers, f"{library} is asked for and used nowhere"


def test_a_silenced_check_names_itself_and_its_reason() -> None:
    bare = re.compile(r"#\s*(type:\s*ignore(?!\[)|noqa(?!:\s*[A-Z]+\d))")
    unexplained = re.compile(r"#\s*(?:type:\s*ignore\[[\w, -]+\]|noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)\s*$")
    found = [
        f"{relative(path)}:{number}: {line.strip()}"
        for path in OWN_PYTHON
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if path != Path(__file__) and (bare.search(line) or unexplained.search(line))
    ]
    assert not found


def test_nothing_names_a_place_of_the_machine_it_was_written_on() -> None:
    machine = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/(?!\*)|(?<![\w.])/tmp/(?!mailwatch)")
    found = []
    for path in own_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [
            f"{relative(path)}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(text.splitlines(), 1)
            if machine.search(line)
        ]
    assert not found


def test_every_unit_test_file_mirrors_a_module() -> None:
    unit = ROOT / "tests/unit"
    strays = []
    for path in sorted(unit.rglob("test_*.py")):
        place = ROOT / "src/mailwatch" / path.parent.relative_to(unit)
        stem = path.stem.removeprefix("test_")
        if not any((place / name).exists() for name in (f"{stem}.py", stem, f"__{stem}__.py", f"_{stem}.py")):
            strays.append(relative(path))
    assert not strays


def test_every_module_has_a_test_file_or_is_imported_by_one() -> None:
    imported: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    untested = []
    for path in SOURCES:
        inside = path.relative_to(ROOT / "src")
        if path.stem.startswith("__") or "migrations" in inside.parts:
            continue
        mirrored = ROOT / "tests/unit" / inside.relative_to("mailwatch").with_name(f"test_{path.stem}.py")
        if not mirrored.exists() and ".".join(inside.with_suffix("").parts) not in imported:
            untested.append(relative(path))
    assert not untested
