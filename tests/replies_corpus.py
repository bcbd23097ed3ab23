"""The labelled replies, and how well a classifier does on them; the tests and `benchmarks/classify.py` share it."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mailwatch.core.causes import Cause, Disposition, profile_of
from mailwatch.core.evidence import Evidence
from mailwatch.core.raw_text import evidence_of_row
from mailwatch.core.standing import Diagnosis

FOLDER: Final = Path(__file__).parent / "corpus"


def rows(*names: str) -> list[dict[str, Any]]:
    """The rows of the named files, all of them by default."""
    files = [FOLDER / name for name in names] if names else sorted(FOLDER.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def accepted(row: dict[str, Any]) -> frozenset[Cause]:
    """The causes that are right for *row*."""
    labels = {row["label"], *row.get("also", ())}
    if row["label"] == "connection_dropped":
        labels.add("session_expired")
    return frozenset(map(Cause, labels))


@dataclass
class Score:
    """How well it went, as shares of all rows."""

    rows: int = 0
    cause: float = 0.0
    recall: float = 0.0  #: mean over the causes
    disposition: float = 0.0
    kept_retrying: float = 0.0  #: only a person can heal it, but it would be retried
    parked: float = 0.0  #: it heals by itself, but it would be parked
    misses: list[str] = field(default_factory=list)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)


def score(corpus: Iterable[dict[str, Any]], diagnose: Callable[[Evidence], Diagnosis]) -> Score:
    """Judge *diagnose* on *corpus*."""
    found = Score()
    by_label: dict[str, list[bool]] = defaultdict(list)
    wrong_disposition = kept = parked = 0
    for row in corpus:
        right = accepted(row)
        diagnosis = diagnose(evidence_of_row(row))
        hit = diagnosis.cause in right
        by_label[row["label"]].append(hit)
        healing = {profile_of(cause).disposition for cause in right}
        got = profile_of(diagnosis.cause).disposition
        wrong_disposition += got not in healing
        kept += healing == {Disposition.HUMAN} and got is not Disposition.HUMAN
        parked += Disposition.HUMAN not in healing and got is Disposition.HUMAN
        if not hit:
            found.confusion[row["label"], diagnosis.cause.value] += 1
            found.misses.append(
                f"{row['id']}: {row['label']} became {diagnosis.cause} by {diagnosis.rule}: {row['response'][:100]}"
            )
    found.rows = sum(map(len, by_label.values()))
    found.cause = sum(sum(hits) for hits in by_label.values()) / found.rows
    found.recall = sum(sum(hits) / len(hits) for hits in by_label.values()) / len(by_label)
    found.disposition = 1 - wrong_disposition / found.rows
    found.kept_retrying, found.parked = kept / found.rows, parked / found.rows
    return found
