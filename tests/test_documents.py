"""The documents lead where they say: links, commands of the Makefile, and no document that the index forgets."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(?P<text>.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, spelled as the usual renderers do."""
    headings = _HEADING.findall(_FENCED.sub("", document.read_text()))
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.strip().lower())) for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in _LINK.findall(_FENCED.sub("", document.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = (document.parent / path).resolve() if path else document
        if not goal.exists() or (anchor and goal.suffix == ".md" and anchor not in anchors(goal)):
            broken.append(target)
    assert not broken


def test_every_make_command_named_in_a_document_exists() -> None:
    known = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for path in DOCUMENTS for name in re.findall(r"(?:`|^\s*)make ([a-z]+)", path.read_text(), re.MULTILINE)}
    assert named <= known
    assert {"run", "test"} <= named


def test_the_index_names_every_document() -> None:
    index = "".join(path.read_text() for path in (ROOT / "docs").rglob("README.md"))  # a folder may have its own
    forgotten = [path.name for path in sorted((ROOT / "docs").rglob("*.md")) if path.name != "README.md" and path.name not in index]
    assert not forgotten
