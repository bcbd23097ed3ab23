"""How every verb speaks: data on stdout, messages on stderr, one set of exit codes, `NO_COLOR` honoured.

Exit codes follow sysexits.h where it has one: scripts and systemd (`RestartPreventExitStatus=78`) rely on them.
"""

import errno
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum, unique
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NoReturn, ParamSpec, TypeVar

import typer

from mailwatch.ports import MailboxExistsError, MailboxNotFoundError, MailwatchError, StoreUnavailableError
from mailwatch.ports.people import AccountError

if TYPE_CHECKING:
    from rich.console import Console


@unique
class ExitCode(IntEnum):
    """What the shell is told."""

    WELL = 0
    UNHEALTHY = 1  #: unhealthy, or findings
    USAGE = 2
    UNREACHABLE = 69  #: the daemon does not answer
    TEMPORARY = 75  #: try again later
    PERMISSION = 77
    CONFIGURATION = 78


class CliError(Exception):
    """A verb cannot go on; *message* names the place and the cure."""

    def __init__(self, message: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.code = code


def say(message: str) -> None:
    """A message for the person, on stderr."""
    typer.echo(message, err=True)


def fail(message: str, code: ExitCode = ExitCode.USAGE) -> NoReturn:
    """Say *message* on stderr and end with *code*."""
    say(f"mailwatch: {message}")
    raise typer.Exit(code)


def emit_json(value: Any) -> None:
    """One JSON document on stdout, a line of its own."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def console() -> "Console":
    """A console for stdout; rich itself honours NO_COLOR and a stdout that is no terminal."""
    from rich.console import Console  # noqa: PLC0415  # rich costs 40 ms: only verbs that draw pay it

    return Console(highlight=False, soft_wrap=True)


P = ParamSpec("P")
R = TypeVar("R")


#: The code of each kind of fault; the first that fits counts.
_CODES: Final[tuple[tuple[type[Exception], ExitCode], ...]] = (
    (MailboxNotFoundError, ExitCode.USAGE),
    (MailboxExistsError, ExitCode.USAGE),
    (AccountError, ExitCode.USAGE),
    (StoreUnavailableError, ExitCode.TEMPORARY),
    (MailwatchError, ExitCode.CONFIGURATION),
)


#: No room where something is written.
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def ends_cleanly(verb: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors a verb may meet into one line and the right exit code; a closed pipe ends it quietly.

    Errors of mailwatch's own surroundings (`ports.MailwatchError`) carry their cure in their text; anything else is a bug and
    keeps its traceback.
    """

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            try:
                done = verb(*args, **kwargs)
            except typer.Exit:
                _flush()
                raise  # a verb that has said all it has to say
            _flush()  # a full disk is told here, not by the interpreter at its end
            return done  # noqa: TRY300  # what is flushed belongs to what is tried
        except typer.Exit:
            raise
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(ExitCode.WELL) from None
        except Exception as error:
            _end_with(error)
            raise

    return run


def _flush() -> None:
    if sys.stdout is not None:  # there is none where the descriptor was closed before the start
        sys.stdout.flush()


def _end_with(error: Exception) -> None:
    """End with the words and the code of an expected fault; returns when it is a bug."""
    if isinstance(error, CliError):
        fail(str(error), error.code)
    if isinstance(error, PermissionError):
        fail(f"{error.filename}: permission denied" if error.filename else str(error), ExitCode.PERMISSION)
    if isinstance(error, OSError) and error.errno in _FULL:
        _let_go_of_stdout()
        fail(f"{error.filename or 'what is printed'}: {error.strerror}; free some space there, then try again", ExitCode.TEMPORARY)
    told = getattr(error, "exit_code", None)
    if isinstance(error, MailwatchError) and told is not None:
        fail(str(error), ExitCode(told))
    for kind, code in _CODES:
        if isinstance(error, kind):
            fail(str(error), code)
    if told is not None:  # a fault of the configuration tells its own code, and has a line for each slip
        say(str(error))
        raise typer.Exit(told)


def _let_go_of_stdout() -> None:
    """What cannot be written is not to be tried again, with a traceback, when the interpreter ends."""
    with suppress(OSError, ValueError):  # a stand-in of a test has no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
