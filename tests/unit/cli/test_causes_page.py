"""docs/causes.md is what the tables say."""

from pathlib import Path

from mailwatch.cli.causes_page import render
from mailwatch.core.causes import Cause

PAGE = Path(__file__).parents[3] / "docs" / "causes.md"


def test_the_page_in_the_docs_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == render(), "run: python -m mailwatch.cli.causes_page > docs/causes.md"


def test_every_cause_is_told():
    assert all(f"\n### {cause}\n" in render() for cause in Cause)
