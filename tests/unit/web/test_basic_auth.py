"""Basic auth: right, wrong, strange, and remembered."""

import base64

import bcrypt
import pytest

from mailwatch.web import basic_auth
from mailwatch.web.basic_auth import BasicAuth, is_bcrypt

HASHED = bcrypt.hashpw("geheim ü".encode(), bcrypt.gensalt(4)).decode()


def header(name="ana", password="geheim ü", scheme="Basic"):
    return f"{scheme} {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


@pytest.fixture
def guard():
    return BasicAuth({"ana": HASHED})


def test_the_right_password_opens(guard):
    assert guard.allows(header())
    assert guard.allows(header(scheme="basic"))


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"ana").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Bearer abc",
        header(password="wrong"),
        header(password=""),
        header(name="bob"),
        header(name="ANA"),
        header(password="x" * 5000),
        header(password="geheim ü\0"),
    ],
)
def test_everything_else_does_not(guard, given):
    assert not guard.allows(given)
    assert not guard.allows(given)


def test_a_verdict_is_remembered_and_costs_nothing(guard, monkeypatch):
    assert guard.remembered(header()) is None
    guard.allows(header())
    guard.allows(header(password="wrong"))
    monkeypatch.setattr(bcrypt, "checkpw", None)
    assert guard.remembered(header()) is True
    assert guard.remembered(header(password="wrong")) is False
    assert guard.remembered(None) is False
    assert guard.allows(header())


def test_the_memory_is_bounded_and_holds_no_password(guard, monkeypatch):
    monkeypatch.setattr(basic_auth, "_REMEMBERED", 3)
    for number in range(6):
        guard.allows(header(password=f"try {number}"))
    assert len(guard._known) == 3
    assert b"try" not in b"".join(guard._known)


def test_nobody_s_hash_is_one():
    assert is_bcrypt(basic_auth._NOBODY)
    assert not BasicAuth({}).allows(header(name="", password=""))


@pytest.mark.parametrize(
    "text",
    ["", "geheim", "$2y$10$short", "$1$abc", HASHED + "x", "$2b$99$" + "." * 53],
    ids=["empty", "clear", "short", "old", "longer", "cost"],
)
def test_what_is_no_hash_is_known_as_such(text):
    assert not is_bcrypt(text)
