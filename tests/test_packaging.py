"""What is built is what runs: the wheel holds all of the package, and the lock files hold all that it needs, with hashes."""

import email
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import mailwatch

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ("runtime", "build", "test", "dev")


def locked(name: str) -> dict[str, tuple[Version, list[str]]]:
    """Version and hashes by package of one lock file."""
    found = {}
    for entry in re.split(r"\n(?=\w)", (ROOT / f"requirements/{name}.txt").read_text()):
        if pinned := re.match(r"(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>[^\s;]+)", entry):
            hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)
            found[canonicalize_name(pinned["name"])] = (Version(pinned["version"]), hashes)
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from the checkout without the network."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(directory.glob("*.whl"))) as opened:
        yield opened


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    source = ROOT / "src"
    files = {
        path.relative_to(source).as_posix()
        for path in (source / "mailwatch").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert files <= set(wheel.namelist())
    assert "mailwatch/py.typed" in files


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0] for name in wheel.namelist()} == {"mailwatch", f"mailwatch-{mailwatch.__version__}.dist-info"}


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    home = f"mailwatch-{mailwatch.__version__}.dist-info"
    metadata = email.message_from_bytes(wheel.read(f"{home}/METADATA"))
    assert metadata["Version"] == mailwatch.__version__
    assert metadata["License-Expression"] == "GPL-3.0-or-later"
    assert metadata["Requires-Python"] == ">=3.11"
    assert f"{home}/licenses/LICENSE" in wheel.namelist()
    assert "mailwatch = mailwatch.cli:main" in wheel.read(f"{home}/entry_points.txt").decode()


def test_every_dependency_is_locked_at_a_version_it_allows() -> None:
    versions = locked("runtime")
    for text in PROJECT["dependencies"]:
        wanted = Requirement(text)
        version, _ = versions[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version), f"{text} is locked at {version}: make lock"


@pytest.mark.parametrize("name", [lock for lock in LOCKS if lock != "runtime"])
def test_every_tool_is_locked_at_a_version_it_allows(name: str) -> None:
    versions = locked(name)
    for line in (ROOT / f"requirements/{name}.in").read_text().splitlines():
        if line and line[0] not in "#-":
            wanted = Requirement(line)
            assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)][0]), f"{line}: make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(name: str) -> None:
    packages = locked(name)
    assert packages
    assert not [package for package, (_, hashes) in packages.items() if not hashes]


def test_the_lock_files_agree_with_each_other() -> None:
    seen: dict[str, Version] = {}
    for name in LOCKS:
        for package, (version, _) in locked(name).items():
            assert seen.setdefault(package, version) == version, f"{package} differs in requirements/{name}.txt"


def test_the_version_is_one_that_sorts() -> None:
    assert str(Version(mailwatch.__version__)) == mailwatch.__version__


def test_the_command_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "mailwatch", "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "check" in done.stdout
