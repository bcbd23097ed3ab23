"""Secrets by reference only: the file says where a secret is, never what it is.

    { file = "/etc/mailwatch/keyring" }      a file that others cannot read
    { env = "MAILWATCH_KEYRING" }            a variable of the environment
    { credential = "keyring" }               a systemd credential (LoadCredential=, $CREDENTIALS_DIRECTORY)
    { command = ["pass", "show", "ring"] }   what a program prints; no shell

References are read when the secret is needed, not when the configuration is; errors name the place and the cure, never the value.
"""

import os
import re
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, InstanceOf, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from mailwatch.config.faults import Exit
from mailwatch.core.secret import Secret

MAX_BYTES: Final = 65_536
COMMAND_SECONDS: Final = 10.0
_CREDENTIAL: Final = re.compile(r"[A-Za-z0-9_.:@-]{1,255}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SecretReferenceError(Exception):
    """The secret a reference points to cannot be read; the text names the reference and the cure."""

    def __init__(
        self, reference: str, problem: str, cure: str, exit_code: Exit = Exit.CONFIGURATION, *, is_absent: bool = False
    ) -> None:
        super().__init__(f"{reference}: {problem} \u2014 {cure}")
        self.reference = reference
        self.exit_code = exit_code
        self.is_absent = is_absent  #: there is nothing at all where the secret is to be
        self.problem = f"{reference}: {problem}"
        self.cure = cure


@unique
class ReferenceKind(StrEnum):
    """Where a secret may be."""

    FILE = "file"
    ENV = "env"
    CREDENTIAL = "credential"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is.  `target` is a path, a name, or a command's words."""

    kind: ReferenceKind
    target: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f'{{ {kind} = "{target}" }}' for kind, target in self.shown().items())

    def shown(self) -> dict[str, str]:
        """The reference as the file spells it; not the words behind a program's name, which may hold what should not be shown."""
        return {self.kind.value: self.target[0] + (" \u2026" if len(self.target) > 1 else "")}

    def read(self, environ: Mapping[str, str] | None = None) -> Secret:
        """The secret, without the line end behind it; raises SecretReferenceError.

        Blocks: on a file, or on a program for up to 10 s.
        """
        return self._as_secret(self._raw(os.environ if environ is None else environ))

    def file(self, environ: Mapping[str, str] | None = None) -> Path | None:
        """The file that holds the secret; None where no file does."""
        if self.kind is ReferenceKind.FILE:
            return Path(self.target[0])
        folder = (os.environ if environ is None else environ).get("CREDENTIALS_DIRECTORY")
        return Path(folder) / self.target[0] if self.kind is ReferenceKind.CREDENTIAL and folder else None

    def _raw(self, environ: Mapping[str, str]) -> bytes:
        match self.kind:
            case ReferenceKind.FILE:
                return self._read_file(Path(self.target[0]), private=True)
            case ReferenceKind.ENV:
                return self._read_variable(environ)
            case ReferenceKind.CREDENTIAL:
                return self._read_credential(environ)
            case ReferenceKind.COMMAND:
                return self._read_command()

    def _error(
        self, problem: str, cure: str, exit_code: Exit = Exit.CONFIGURATION, *, is_absent: bool = False
    ) -> SecretReferenceError:
        return SecretReferenceError(str(self), problem, cure, exit_code, is_absent=is_absent)

    def _as_secret(self, raw: bytes) -> Secret:
        if len(raw) > MAX_BYTES:
            raise self._error(f"more than {MAX_BYTES} bytes", "point to the secret alone")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self._error("not UTF-8 text", "store the secret as text") from None
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise self._error("empty", "put the secret there", is_absent=True)
        return Secret(text)

    def _read_variable(self, environ: Mapping[str, str]) -> bytes:
        name = self.target[0]
        if name not in environ:
            raise self._error(f"${name} is not set", "set it where mailwatch is started, or use { file = … } or { credential = … }")
        return os.fsencode(environ[name])

    def _read_credential(self, environ: Mapping[str, str]) -> bytes:
        folder = environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise self._error("$CREDENTIALS_DIRECTORY is not set: not started by systemd with credentials",
                              f"add LoadCredential={self.target[0]}:PATH to the unit, or use {{ file = … }}")  # fmt: skip
        return self._read_file(Path(folder) / self.target[0], private=False)

    def _read_file(self, path: Path, *, private: bool) -> bytes:
        try:
            # Not to hang on a FIFO that nobody writes to; what is opened is what is judged.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise self._error("no such file", "write the secret there", is_absent=True) from None
        except PermissionError:
            cure = "let the user mailwatch runs as read it, and nobody else"
            raise self._error("permission denied", cure, Exit.PERMISSION) from None
        except OSError as error:
            raise self._error(error.strerror or "cannot be read", "name a readable file") from None
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise self._error("not a regular file", "name a regular file")
            if private and mode & stat.S_IRWXO:
                raise self._error("every user of this machine can read or write it", f"chmod o= {path}, and change the secret")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(MAX_BYTES + 1)
        finally:
            os.close(descriptor)

    def _read_command(self) -> bytes:
        try:
            # The words come from the operator's own file, and no shell sees them; stderr goes to ours, its output nowhere but here.
            done = subprocess.run(  # noqa: S603  # see above
                self.target, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_SECONDS, check=False
            )
        except FileNotFoundError:
            raise self._error("no such program", "give its full path") from None
        except OSError as error:
            raise self._error(error.strerror or "cannot be started", "try it as the user mailwatch runs as") from None
        except subprocess.TimeoutExpired:
            raise self._error(f"no end after {COMMAND_SECONDS:g} s", "it must print the secret without asking anything") from None
        if done.returncode != 0:
            raise self._error(f"ended with status {done.returncode}", "try it as the user mailwatch runs as")
        return done.stdout


_FORMS: Final = "{ file = … }, { env = … }, { credential = … } or { command = [ … ] }"


def _wrong(problem: str, cure: str) -> PydanticCustomError:
    # Never with the value: it may be the secret itself.
    return PydanticCustomError("secret_reference", "{problem}\n{cure}", {"problem": problem, "cure": cure})


def _parse_reference(value: Any) -> SecretReference:
    if isinstance(value, SecretReference):
        return value
    if not isinstance(value, dict):
        problem, cure = "a secret must not stand in the configuration", f"name where it is: {_FORMS}"
        raise PydanticCustomError("inline_secret", "{problem}\n{cure}", {"problem": problem, "cure": cure})
    if len(value) != 1 or next(iter(value)) not in frozenset(ReferenceKind):
        raise _wrong("not a reference to a secret", f"write one of {_FORMS}")
    kind = ReferenceKind(next(iter(value)))
    target = value[kind]
    is_list = isinstance(target, list | tuple)
    words = tuple(target) if is_list else (target,)
    sound = bool(words) and all(isinstance(word, str) and word and "\0" not in word for word in words)
    if not sound or is_list is not (kind is ReferenceKind.COMMAND) or not _fits(kind, words[0]):
        raise _wrong(f"{kind} is not {_WANTED[kind]}", f"such as {_EXAMPLES[kind]}")
    return SecretReference(kind, words)


def _fits(kind: ReferenceKind, word: str) -> bool:
    match kind:
        case ReferenceKind.FILE:
            return word.startswith("/")
        case ReferenceKind.ENV:
            return _VARIABLE.fullmatch(word) is not None
        case ReferenceKind.CREDENTIAL:
            return _CREDENTIAL.fullmatch(word) is not None and word not in {".", ".."}
        case ReferenceKind.COMMAND:
            return True


_EXAMPLES: Final = {
    ReferenceKind.FILE: '{ file = "/etc/mailwatch/keyring" }',
    ReferenceKind.ENV: '{ env = "MAILWATCH_KEYRING" }',
    ReferenceKind.CREDENTIAL: '{ credential = "keyring" }',
    ReferenceKind.COMMAND: '{ command = ["pass", "show", "mailwatch/keyring"] }',
}
_WANTED: Final = {
    ReferenceKind.FILE: "an absolute path",
    ReferenceKind.ENV: "the name of a variable",
    ReferenceKind.CREDENTIAL: "the name of a credential",
    ReferenceKind.COMMAND: "a list of words, the program first",
}


_TEXT_SCHEMA: Final = {"type": "string", "minLength": 1}
#: The type of a setting that points to a secret.
Reference = Annotated[
    InstanceOf[SecretReference],
    BeforeValidator(_parse_reference),
    PlainSerializer(SecretReference.shown),
    WithJsonSchema(
        {
            "type": "object",
            "description": "Where the secret is; never the secret itself.",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                **{kind.value: _TEXT_SCHEMA for kind in ReferenceKind if kind is not ReferenceKind.COMMAND},
                "command": {"type": "array", "items": _TEXT_SCHEMA, "minItems": 1},
            },
        }
    ),
]
