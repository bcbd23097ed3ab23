"""How fast replies are judged on one core, and which single input is the slowest: `python benchmarks/classify.py`.

Also prints how well the labelled replies are understood, as a whole and with one provider's wordings left out at a time.
"""

import sys
import time
import zlib
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from mailwatch.core.classify import Classifier, diagnose
from mailwatch.core.evidence import MAX_TEXT, Evidence, Phase, clean
from mailwatch.core.raw_text import evidence_of_row
from mailwatch.core.replies import read, words_of
from mailwatch.core.signatures import PHRASES
from replies_corpus import FOLDER, accepted, rows, score

HOSTILE = {
    "one letter": "a" * MAX_TEXT,
    "letters and blanks": "a " * (MAX_TEXT // 2),
    "addresses without @": "a." * (MAX_TEXT // 2),
    "half addresses": "aaaaaaaaaaaaaaaaaaaa@" * 25,
    "host names": "a-b.c-d." * 64,
    "hyphens": "-" * MAX_TEXT,
    "digits": "5" * MAX_TEXT,
    "enhanced codes": "5.7.1 " * 85,
    "continuations": "550-" * 128,
    "brackets": "[" * MAX_TEXT,
    "open response codes": "[ALERT " * 73,
    "apostrophes": "a'" * (MAX_TEXT // 2),
    "base64": "eyJ" + "A" * (MAX_TEXT - 3),
    "many base64": "eyJA " * 102,
    "deep json": "{" * MAX_TEXT,
    "nested json": '{"a":' * 102,
    "numbers with units": "in 1 s " * 73,
    "numbers": "in 999999999999 " * 32,
    "every idea": "password expired user unknown too many connections limit exceeded try again later " * 6,
    "one idea often": "password " * 56,
    "two far ideas": "password " + "x " * 230 + "expired",
    "ideographs": "密" * MAX_TEXT,
    "ideographs that mean much": "密码错误帐号登录频繁" * 51,
    "first words of phrases": "the account message too user " * 17,
    "almost a phrase": "smtpclientauthentication is disabled for the " * 11,
    "tags": "a1 " * 170,
    "AADSTS": "AADSTS1 " * 64,
    "joined words": "aBc" * 170,
    "links": "https://a " * 51,
    "codes in other words": "x said: 535 " * 42,
    "codes that are none": "x 535 " * 85,
    "statuses in other words": "x NO[ " * 85,
    "markers": "x server response was " * 23,
    "mailbox specifications": "{a:1" * 128,
    "errors of OAuth": "ab_cd_ef_gh " * 42,
}


def speed() -> None:
    evidence = [evidence_of_row(row) for row in rows()]
    for item in evidence:
        diagnose(item)
    best = min(_round(evidence) for _ in range(5))
    print(f"speed: {len(evidence) / best:,.0f} replies/s on one core ({best / len(evidence) * 1e6:.1f} µs a reply)")


def _round(evidence: list[Evidence]) -> float:
    start = time.process_time()
    for item in evidence:
        diagnose(item)
    return time.process_time() - start


def slowest() -> None:
    timings = {}
    for name, text in HOSTILE.items():
        for protocol, phase in (("imap", Phase.AUTH), ("smtp", Phase.SUBMIT), ("network", None), ("oauth", Phase.TOKEN)):
            item = Evidence(protocol, phase, clean(text))
            timings[f"{name} ({protocol})"] = min(_round([item]) for _ in range(5))
    worst = sorted(timings.items(), key=lambda pair: -pair[1])[:5]
    print("slowest hostile inputs of 512 characters:", "; ".join(f"{name} {seconds * 1e6:.0f} µs" for name, seconds in worst))


def told(name: str, found) -> None:
    print(
        f"{name:28} {found.rows:5} rows  cause {found.cause:.1%}  recall {found.recall:.1%}  disposition {found.disposition:.1%}"
        f"  kept retrying {found.kept_retrying:.1%}  parked {found.parked:.1%}"
    )


def accuracy() -> None:
    for file in sorted(FOLDER.glob("*.jsonl")):
        told(file.name, score(rows(file.name), diagnose))
    groups = {rule.group for rule in PHRASES} - {"stack"}
    general = Classifier(without=groups)
    told("general layers alone", score(rows("replies.jsonl"), general.diagnose))
    labelled = rows("replies.jsonl")
    print("one provider at a time, judged without any provider's or program's wordings:")
    for provider, count in Counter(row["provider"] for row in labelled).most_common(12):
        own = [row for row in labelled if row["provider"] == provider]
        with_all = sum(diagnose(evidence_of_row(row)).cause in accepted(row) for row in own)
        without = sum(general.diagnose(evidence_of_row(row)).cause in accepted(row) for row in own)
        print(f"  {provider:14} {count:4} rows  all rules {with_all / count:6.1%}  general layers alone {without / count:6.1%}")
    confused = score(rows(), general.diagnose).confusion
    print("what the general layers confuse (label -> found):")
    for (label, got), count in confused.most_common(12):
        print(f"  {count:3}  {label} -> {got}")


FOLDS = 5


def fold_of(row) -> int:
    """The fold of *row*: by its id, so that a row stays where it is when others come."""
    return zlib.crc32(row["id"].encode()) % FOLDS


def supporters(corpus) -> dict:
    """Wording -> folds of the rows that show it to be right: the wording stands there in its place and the label agrees."""
    by_first = defaultdict(list)
    for rule in PHRASES:
        for wording in rule.wants:
            tokens = tuple(words_of(wording))
            by_first[tokens[0]].append((rule, wording, tokens))
    found = defaultdict(set)
    for row in corpus:
        reading, right = read(evidence_of_row(row)), accepted(row)
        for index, token in enumerate(reading.tokens):
            for rule, wording, tokens in by_first.get(token, ()):
                placed = reading.place & rule.need_place == rule.need_place and not reading.place & rule.bar_place
                if placed and rule.cause in right and reading.tokens[index : index + len(tokens)] == tokens:
                    found[rule.id, wording].add(fold_of(row))
    return found


def folds() -> None:
    """Every fold judged by a classifier that lacks each wording which no row outside the fold supports."""
    corpus = rows()
    support = supporters(corpus)
    print(f"{FOLDS} folds of all files, wordings off that no row outside the fold supports:")
    found = []
    for number in range(FOLDS):
        kept = []
        for rule in PHRASES:
            wants = tuple(wording for wording in rule.wants if support[rule.id, wording] - {number})
            if wants:
                kept.append(replace(rule, wants=wants))
        held_back = [row for row in corpus if fold_of(row) == number]
        judged = Classifier(phrases=kept)
        told(f"  fold {number + 1}", score(held_back, judged.diagnose))
        found += [(judged, row) for row in held_back]
    by_id = {row["id"]: judged for judged, row in found}
    by_others = rows("replies.jsonl", *(f"fresh-{number}.jsonl" for number in range(1, 10)))
    for title, wanted in (
        ("held back, all", corpus),
        ("held back, replies.jsonl", rows("replies.jsonl")),
        ("held back, labelled by others", by_others),
    ):
        turn = iter([by_id[row["id"]] for row in wanted])
        told(title, score(wanted, lambda evidence, turn=turn: next(turn).diagnose(evidence)))


if __name__ == "__main__":
    speed()
    slowest()
    accuracy()
    folds()
