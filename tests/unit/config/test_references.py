"""Secrets by reference: what can be read, what is refused, and that no secret is ever shown."""

import os
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from mailwatch.config.references import MAX_BYTES, Reference, SecretReferenceError
from mailwatch.core.secret import Secret

ADAPTER = TypeAdapter(Reference)
CANARY = "canary-5ecret"


def reference(**form):
    return ADAPTER.validate_python(form)


def private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_a_file_is_read_without_its_line_end(tmp_path, ending):
    path = private(tmp_path / "s", CANARY.encode() + ending)
    assert reference(file=str(path)).read({}) == Secret(CANARY)


def test_a_key_ring_keeps_its_inner_line_ends(tmp_path):
    path = private(tmp_path / "s", b"{\n}\n")
    assert reference(file=str(path)).read({}).reveal() == "{\n}"


def test_a_variable_is_read():
    assert reference(env="X").read({"X": CANARY}) == Secret(CANARY)


def test_a_systemd_credential_is_read_whatever_its_mode(tmp_path):
    (tmp_path / "keyring").write_text(CANARY)
    assert reference(credential="keyring").read({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == Secret(CANARY)


def test_a_command_is_run_without_a_shell():
    assert reference(command=["printf", "%s", "$HOME;x"]).read({}) == Secret("$HOME;x")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"file": "/nonexistent/x"}, "no such file"),
        ({"file": "/"}, "not a regular file"),
        ({"env": "ABSENT"}, "$ABSENT is not set"),
        ({"credential": "keyring"}, "LoadCredential=keyring"),
        ({"command": ["/nonexistent/program"]}, "no such program"),
        ({"command": ["false"]}, "status 1"),
        ({"command": ["true"]}, "empty"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_cure(form, words):
    with pytest.raises(SecretReferenceError) as caught:
        reference(**form).read({})
    assert words in str(caught.value)
    assert "\u2014" in str(caught.value)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666])
def test_a_file_others_can_use_is_refused(tmp_path, mode):
    path = private(tmp_path / "s", CANARY.encode())
    path.chmod(mode)
    with pytest.raises(SecretReferenceError, match="chmod o=") as caught:
        reference(file=str(path)).read({})
    assert CANARY not in str(caught.value)


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    with pytest.raises(SecretReferenceError, match="not a regular file"):
        reference(file=str(path)).read({})


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * (MAX_BYTES + 1)])
def test_content_that_is_no_secret_is_refused(tmp_path, content):
    with pytest.raises(SecretReferenceError):
        reference(file=str(private(tmp_path / "s", content))).read({})


def test_the_words_behind_a_program_are_never_shown():
    made = reference(command=["sh", "-c", f"exit {CANARY}"])
    with pytest.raises(SecretReferenceError) as caught:
        made.read({})
    assert CANARY not in str(caught.value) + str(made.shown())


def test_a_reference_that_is_read_already_passes():
    made = reference(env="X")
    assert ADAPTER.validate_python(made) is made


@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        17,
        [CANARY],
        {},
        {"file": "/a", "env": "B"},
        {"inline": CANARY},
        {"file": 3},
        {"file": ""},
        {"file": "relative"},
        {"file": "/a\0b"},
        {"file": ["/a"]},
        {"env": "1X"},
        {"credential": "../etc/passwd"},
        {"credential": ".."},
        {"command": "pass show x"},
        {"command": []},
        {"command": ["pass", 3]},
    ],
)
def test_everything_but_one_sound_reference_is_refused_without_showing_it(value):
    with pytest.raises(ValidationError) as caught:
        ADAPTER.validate_python(value)
    assert CANARY not in caught.value.errors()[0]["msg"]


def test_a_reference_tells_the_file_it_reads_where_there_is_one():
    assert reference(file="/etc/x").file({}) == Path("/etc/x")
    assert reference(credential="x").file({"CREDENTIALS_DIRECTORY": "/run/c"}) == Path("/run/c/x")
    assert reference(credential="x").file({}) is None
    assert reference(env="X").file({"X": "/etc/x"}) is None
    assert reference(command=["/bin/echo", "x"]).file({}) is None
