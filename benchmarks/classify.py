"""How fast replies are judged on one core, and which single input is the slowest: `python benchmarks/classify.py`.

Also prints how well the labelled replies are understood, as a whole and with one provider's wordings left out at a time.
"""

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from mailwatch.core.classify import Classifier, diagnose
from mailwatch.core.evidence import MAX_TEXT, Evidence, Phase, clean
from mailwatch.core.raw_text import evidence_of_row
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
}


def speed() -> None:
    evidence = [evidence_of_row(row) for row in rows()]
    for item in evidence:
        diagnose(item)
    best = min(_round(evidence) for _ in range(5))
    print(f"speed: {len(evidence) / best:,.0f} replies/s on one core ({best / len(evidence) * 1e6:.1f} µs a reply)")


def _round(evidence: list[Evidence]) -> float:
    start = time.perf_counter()
    for item in evidence:
        diagnose(item)
    return time.perf_counter() - start


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


if __name__ == "__main__":
    speed()
    slowest()
    accuracy()
