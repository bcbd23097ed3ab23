"""Nothing unlisted, nothing unsafe, nothing secret in a log line."""

import ast
import base64
from datetime import UTC, datetime
from enum import Enum

import pytest

from mailwatch.core.lifecycle import State
from mailwatch.core.secret import Secret
from mailwatch.telemetry.log_fields import ALLOWED, MAX_ITEMS, MAX_TEXT, FieldFilter, places, redact, safe

CANARY = "canary-5ecret"


def test_unknown_fields_are_dropped_and_counted():
    kept_only = FieldFilter()
    kept = kept_only(None, "info", {"event": "x", "password": CANARY, "mailbox": "mb_1", "odd": 1})
    assert kept == {"event": "x", "mailbox": "mb_1"}
    assert kept_only.dropped == 2


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (0.5, 0.5),
        (float("inf"), "inf"),
        (State.BLOCKED, "blocked"),
        (Colour.RED, "red"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (Secret(CANARY), "***"),
        (ValueError(CANARY), "ValueError"),
        ([Secret(CANARY), "a"], ["***", "a"]),
        ({"k": Secret(CANARY)}, {"k": "***"}),
        (b"caf\xc3\xa9\xff", "café\ufffd"),
        ("a\r\nb\x1b[2J\u202e", "a b\ufffd[2J\ufffd"),
        ("\ud800", "\ufffd"),
        (object(), "<object>"),
        ([[[1]]], [["<list>"]]),
    ],
)
def test_values_are_made_safe(value, shown):
    assert safe(value) == shown


def test_values_are_bounded():
    assert len(safe("x y" * 5000)) <= MAX_TEXT
    assert len(safe(list(range(1000)))) == MAX_ITEMS


@pytest.mark.parametrize(
    "text",
    [
        f"a1 LOGIN me@example.org {CANARY}",
        f'a1 LOGIN "me you" "{CANARY} \\" x"',
        f"AUTH PLAIN {base64.b64encode(CANARY.encode()).decode()}",
        f"a1 AUTHENTICATE XOAUTH2 {base64.b64encode(CANARY.encode()).decode()}",
        f"Authorization: Bearer {CANARY}",
        f"postgresql://me:{CANARY}@db/x",
        f"password={CANARY}&x=1",
        f"{{'refresh_token': '{CANARY}'}}",
        f"client_secret = {CANARY}",
        f"token: {base64.b64encode((CANARY * 4).encode()).decode()}",
        base64.b64encode((CANARY * 4).encode()).decode(),
        f"/{base64.b64encode((CANARY * 4).encode()).decode()}",
    ],
)
def test_what_libraries_print_of_a_login_is_cut_out(text):
    cut = redact(text)
    assert CANARY not in cut
    assert base64.b64encode(CANARY.encode()).decode()[:-2] not in cut
    assert "***" in cut


@pytest.mark.parametrize(
    "text",
    [
        "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
        "no login to imap.example.org since 12:00",
        "mb_01JABCDEFGHJKMNPQRSTVWXYZ0 transitioned",
        "https://login.example.org/token",
        "/etc/mailwatch/sites/north-1/configuration/mailwatch.toml:3:1: no such key",
        "the-longest-name-of-a-host-anybody-would-ever-think-of.example.org",
    ],
)
def test_ordinary_words_stay(text):
    assert redact(text) == text


def test_a_traceback_names_places_and_types_only():
    def fail():
        secret = CANARY
        raise KeyError(secret)

    try:
        try:
            fail()
        except KeyError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError as error:
        lines = places(error)
    assert lines[0] == "RuntimeError"
    assert "KeyError" in lines
    assert any(line.endswith(" fail") for line in lines)
    assert CANARY not in "".join(lines)


def test_an_endless_chain_of_exceptions_ends():
    one, two = ValueError(), KeyError()
    one.__cause__, two.__cause__ = two, one
    assert places(one) == ["ValueError", "KeyError"]


def test_every_field_the_program_logs_is_listed(repository):
    unlisted = []
    for path in sorted((repository / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _is_log_call(node):
                unlisted += [
                    f"{path.name}:{node.lineno} {word.arg}"
                    for word in node.keywords
                    if word.arg and word.arg not in ALLOWED | {"exc_info"}
                ]
    assert not unlisted


def _is_log_call(node):
    if not (node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    return name == "say" or (name in {"info", "warning", "error"} and "log" in owner.lower())
