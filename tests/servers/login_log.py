"""What Dovecot says of logins: one JSON line for each authentication it decided, whoever asked (IMAP, submission, Postfix)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

#: Every finished authentication leaves Dovecot's statistics process as a line of JSON in the log.
CONFIG = """
event_exporter log {
  format = json
  format_args = time-rfc3339
  transport = log
}
metric auth_finished {
  exporter = log
  filter = event=auth_request_finished
}
"""


@dataclass(frozen=True, slots=True)
class LoginTry:
    """One authentication as the server saw it."""

    at: datetime
    user: str
    protocol: str  #: `imap`, `submission`, `smtp` (Postfix)
    mechanism: str
    accepted: bool  #: the secret was right; a suspended user is then turned away all the same


def read_login_log(log: Path) -> Sequence[LoginTry]:
    """All tries in *log*, oldest first."""
    found = []
    for line in log.read_text(errors="replace").splitlines():
        _, mark, event = line.partition("stats: Info: ")
        if mark and '"auth_request_finished"' in event:
            found.append(_try_of(json.loads(event)))
    return found


def _try_of(event: dict[str, object]) -> LoginTry:
    fields = event["fields"]
    assert isinstance(fields, dict)
    return LoginTry(
        at=datetime.fromisoformat(str(event["start_time"])),
        user=str(fields.get("user", "")),
        protocol=str(fields.get("service", "")),
        mechanism=str(fields.get("mechanism", "")),
        accepted=fields.get("success") == "yes",
    )
