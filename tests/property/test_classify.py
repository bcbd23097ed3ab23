"""Whatever a peer or a network stack says: a cause of the closed set, the same one twice, and no exception."""

import json

import hypothesis.strategies as st
from hypothesis import assume, example, given, settings

from mailwatch.core.causes import WIRE_CAUSES, profile_of
from mailwatch.core.classify import diagnose, owner_of
from mailwatch.core.evidence import MAX_TEXT, Evidence, Phase, clean
from mailwatch.core.raw_text import RowError, evidence_of_row, evidence_of_text
from replies_corpus import rows

CORPUS = [row["response"] for row in rows()]
PIECES = st.sampled_from(
    [
        "535 5.7.8 ",
        "550-5.7.1 ",
        "* BYE ",
        "a1 NO [",
        "[ALERT] ",
        "AADSTS",
        '{"error":',
        "eyJ",
        "* BYE",
        "密码",
        "…",
        "\x00",
        "\ud800",
        "'",
        '"',
        "@",
        "https://",
    ]
)


def _old_reply(number):
    return CORPUS[number]


AN_OLD_REPLY = st.integers(0, len(CORPUS) - 1).map(_old_reply)
ANYTHING = st.text(max_size=700)
WORDS = st.one_of(
    ANYTHING,
    AN_OLD_REPLY,
    st.lists(st.one_of(PIECES, AN_OLD_REPLY, st.text(max_size=30)), max_size=12).map("".join),
    st.binary(max_size=700).map(lambda raw: raw.decode("latin-1")),
)
NUMBERS = st.one_of(st.none(), st.integers(-(10**12), 10**12))

EVIDENCE = st.builds(
    Evidence,
    protocol=st.sampled_from(["imap", "smtp", "oauth", "network", "", "x"]),
    phase=st.one_of(st.none(), st.sampled_from(Phase)),
    response=WORDS,
    provider=st.text(max_size=20),
    exception=st.one_of(st.none(), st.sampled_from(["ssl.SSLError", "TimeoutError", "a.b.C", "."]), st.text(max_size=40)),
    errno=NUMBERS,
    verify_code=NUMBERS,
    code=NUMBERS,
    enhanced=st.one_of(st.none(), st.text(max_size=12), st.from_regex(r"[0-9]\.[0-9]{1,4}\.[0-9]{1,4}", fullmatch=True)),
    status=st.one_of(st.none(), st.sampled_from(["OK", "NO", "BAD", "BYE", "PREAUTH"]), st.text(max_size=8)),
    response_code=st.one_of(st.none(), st.sampled_from(["ALERT", "LIMIT", "EXPIRED"]), st.text(max_size=20)),
    challenge=st.one_of(st.none(), WORDS),
    oauth_error=st.one_of(st.none(), st.sampled_from(["invalid_grant", "x"]), st.text(max_size=40)),
    oauth_description=st.one_of(st.none(), WORDS),
    http_status=NUMBERS,
    retry_after_seconds=st.one_of(st.none(), st.floats()),
    session_worked=st.booleans(),
)


@given(EVIDENCE)
@settings(max_examples=400)
@example(Evidence("imap", Phase.AUTH, challenge='{"status": {"a": 1}}'))
@example(Evidence("oauth", Phase.TOKEN, '{"error": {"status": ["x"]}}'))
def test_any_evidence_has_a_diagnosis_of_the_closed_set(evidence):
    found = diagnose(evidence)
    assert found.cause in WIRE_CAUSES
    assert found.rule
    assert profile_of(found.cause)
    assert owner_of(found)
    assert found.retry_after_seconds is None or 0 <= found.retry_after_seconds <= 7 * 86400


@given(EVIDENCE)
def test_the_same_evidence_has_the_same_diagnosis(evidence):
    assert diagnose(evidence) == diagnose(evidence)


@given(EVIDENCE)
def test_words_always_leave_a_quote(evidence):
    assume(clean(evidence.response).strip("\ufffd "))
    assert diagnose(evidence).quote


@given(WORDS)
def test_any_text_can_be_explained(text):
    evidence = evidence_of_text(text)
    assert len(evidence.response) <= MAX_TEXT
    assert diagnose(evidence).cause in WIRE_CAUSES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["id", "protocol", "stage", "provider", "exception", "code", "enhanced", "response", "http_status", "session_worked"]
        ),
        JSON,
    )
)
def test_any_row_is_judged_or_refused_with_a_reason(row):
    row = json.loads(json.dumps(row))
    try:
        evidence = evidence_of_row(row)
    except RowError as error:
        reason = str(error)
    else:
        reason = diagnose(evidence).rule
    assert reason
