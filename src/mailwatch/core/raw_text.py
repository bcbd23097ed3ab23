"""Evidence from words alone: a person pastes a server's reply, a token endpoint's JSON or the last line of a traceback.

Protocol and phase are guessed from the form of the text; whoever knows them better says so.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from mailwatch.core.evidence import Evidence, Phase, clean
from mailwatch.core.replies import decode_challenge

#: The stages of the corpus, and the phases of a probe they mean.
PHASE_OF_STAGE: Final[Mapping[str, Phase]] = {
    "dns": Phase.RESOLVE,
    "ehlo": Phase.GREETING,
    "helo": Phase.GREETING,
    "login": Phase.AUTH,
    "noop": Phase.IDLE,
    "fetch": Phase.SELECT,
    "mail": Phase.SUBMIT,
    "rcpt": Phase.SUBMIT,
    "data": Phase.SUBMIT,
    **{phase.value: phase for phase in Phase},
}
#: Stages that are one command of handing in a message.
COMMANDS: Final = frozenset({"mail", "rcpt", "data"})
#: Stages that are only reached by a session that has worked.
WORKED_STAGES: Final = frozenset({"idle", "noop", "fetch"})

_EXCEPTION: Final = re.compile(
    r"\s*(?P<name>(?:[A-Za-z_]\w{0,60}\.){0,8}[A-Za-z_]\w{0,60}"
    r"(?:Error|Exception|Timeout|Disconnected|Refused|NXDOMAIN|NoNameservers|NoAnswer)|(?:\w{1,40}\.){1,4}(?:abort|error|timeout))"
    r"(?:\((?P<inner>.*)\)\s*$|:\s*(?P<text>.*)$|\s*$)",
    re.DOTALL,
)
_SMTP: Final = re.compile(r"\s*[2-5]\d\d[ -]")
_IMAP: Final = re.compile(r"\s*(?:\*|\+|[A-Za-z0-9.]{1,12})?\s*(?:OK|NO|BAD|BYE|PREAUTH)\b|\s*\[[A-Z]{4,}")
_ERRNO: Final = re.compile(r"\[(?:Errno|WinError) (-?\d{1,6})\]")
_AUTH_CODES: Final = ("235", "334", "432", "454", "504", "525", "530", "534", "535", "538")
_SUBMIT_CODES: Final = ("450", "452", "513", "550", "551", "552", "553", "554", "556", "571")
_LOGIN_WORDS: Final = re.compile(r"auth|login|password|credential|sign|\bsasl", re.IGNORECASE)


def _last_line(text: str) -> str:
    """The line of a traceback that names the exception; any other text as it is."""
    if "Traceback (most recent call last)" not in text:
        return text
    return next((line for line in reversed(text.splitlines()) if line.strip()), text)


def _submission_phase(reply: str) -> Phase | None:
    """Where a submission server most probably said *reply*."""
    if reply[:3] in _AUTH_CODES or (reply[:3] in _SUBMIT_CODES and "5.7" in reply and re.search(r"(?i)authenticat|login", reply)):
        return Phase.AUTH
    return Phase.SUBMIT if reply[:3] in _SUBMIT_CODES else None


def _guess(text: str) -> tuple[str, Phase | None]:
    """Protocol and phase that *text* looks like."""
    head = text.strip()
    if head.startswith("{") or "AADSTS" in head or "invalid_grant" in head:
        challenged = '"status"' in head and '"error"' not in head
        return ("imap", Phase.AUTH) if challenged else ("oauth", Phase.TOKEN)
    if head.lower().startswith(("<!doctype", "<html")):
        return "oauth", Phase.TOKEN
    if _SMTP.match(head):
        return "smtp", _submission_phase(head)
    if _IMAP.match(head) or decode_challenge(head):
        return "imap", Phase.AUTH if _LOGIN_WORDS.search(head) or head.startswith("+") else None
    return "network", None


def evidence_of_text(text: str, *, protocol: str | None = None, phase: Phase | None = None, provider: str = "other") -> Evidence:
    """Evidence for *text*; *protocol* and *phase* are guessed where they are not given."""
    line = _last_line(text)
    exception = None
    found = _EXCEPTION.match(line)
    if found is not None and not _SMTP.match(line):
        exception = found["name"]
        line = (found["inner"] if found["inner"] is not None else found["text"] or "").strip("'\" ")
    guessed, guessed_phase = _guess(line)
    number = _ERRNO.search(line)
    return Evidence(
        protocol=protocol or guessed,
        phase=phase or (guessed_phase if protocol in {None, guessed} else None),
        response=clean(line),
        provider=provider,
        exception=exception,
        errno=int(number[1]) if number and "WinError" not in number[0] else None,
    )


class RowError(ValueError):
    """A row of the corpus's form that cannot be read; the text says which field."""


def _optional(row: Mapping[str, Any], key: str, kind: type) -> Any:
    value = row.get(key)
    if value is None:
        return None
    if kind is int and isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, kind):
        raise RowError(f"{key} must be {'a number' if kind is int else 'text'}")
    return value


def evidence_of_row(row: Mapping[str, Any]) -> Evidence:
    """Evidence for one row of the corpus's form (`protocol, stage, provider, exception, code, enhanced, response, http_status`).

    Keys it does not know are left alone; raises RowError when a known one has the wrong kind.
    """
    stage = (_optional(row, "stage", str) or _optional(row, "phase", str) or "").lower()
    response = _optional(row, "response", str) or ""
    protocol = _optional(row, "protocol", str)
    exception = _optional(row, "exception", str)
    if protocol is None:
        protocol = "network" if exception else _guess(response)[0]
    worked = row.get("session_worked")
    return Evidence(
        protocol=protocol.lower(),
        phase=PHASE_OF_STAGE.get(stage),
        response=clean(response),
        provider=_optional(row, "provider", str) or "other",
        exception=exception,
        errno=_optional(row, "errno", int),
        verify_code=_optional(row, "verify_code", int),
        code=_optional(row, "code", int),
        enhanced=_optional(row, "enhanced", str),
        http_status=_optional(row, "http_status", int),
        session_worked=worked if isinstance(worked, bool) else stage in WORKED_STAGES,
        command=stage if stage in COMMANDS else None,
    )
