"""Whether a server's program is here, and what a test does when it is not: it skips with the reason, and in CI it fails."""

import os
import shutil

import pytest

from servers import postgres


def in_ci() -> bool:
    """Whether this run must not skip anything."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def give_up(reason: str) -> None:
    """Skip the test for *reason*; in CI fail it."""
    if in_ci():
        pytest.fail(f"{reason}, and in CI nothing is skipped", pytrace=False)
    pytest.skip(reason)


def need_program(path: str, package: str) -> None:
    """Give up unless the program is there."""
    if shutil.which(path) is None:
        give_up(f"the program {path} is absent (Debian package {package})")


def need_dovecot() -> None:
    """Give up unless Dovecot with its LMTP and submission is installed."""
    need_program("/usr/sbin/dovecot", "dovecot-imapd")
    need_program("/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
    need_program("/usr/lib/dovecot/submission", "dovecot-submissiond")


def need_postfix() -> None:
    """Give up unless Postfix is installed and may be started."""
    need_program("/usr/sbin/postfix", "postfix")
    if os.geteuid() != 0:
        give_up("Postfix's master process runs only as root")


def need_postgres() -> None:
    """Give up unless PostgreSQL is installed."""
    if postgres.programs() is None:
        give_up("the program postgres is absent (Debian package postgresql)")
