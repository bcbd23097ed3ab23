"""When a server's answer to a login counts as a refusal of the very secret it was shown.  Pure.

What locks an account or bans an address is the server's own count of refused logins, and it counts answers, not our reading of
them.  So every final "no" to a login counts, whatever cause its words are given, unless they say that the secret was not looked at.
"""

from typing import Final

from mailwatch.core.causes import SECRET_REFUSALS, Cause, Disposition, profile_of
from mailwatch.core.evidence import Evidence, Phase

#: Final answers of IMAP (RFC 9051, 7.1) and, from here on, of SMTP (RFC 5321, 4.2.1).
_FINAL_STATUS: Final = frozenset({"NO", "BAD"})
_FINAL_CODE: Final = 500
#: These say that the login was not judged, or that no login at all is taken here or from us.
_NOT_JUDGED: Final = frozenset({Disposition.TRANSIENT, Disposition.THROTTLED, Disposition.PLANNED})
_NOT_THE_SECRET: Final = frozenset({Cause.IP_BLOCKED, Cause.MECHANISM_UNSUPPORTED, Cause.TLS_REQUIRED})


def refuses_secret(evidence: Evidence, cause: Cause) -> bool:
    """Whether *evidence*, whose cause is *cause*, is a server's refusal of the secret."""
    if cause in SECRET_REFUSALS:
        return True
    if evidence.phase is not Phase.AUTH or not _is_final(evidence) or cause in _NOT_THE_SECRET:
        return False
    return cause is Cause.UNKNOWN or profile_of(cause).disposition not in _NOT_JUDGED


def _is_final(evidence: Evidence) -> bool:
    return evidence.status in _FINAL_STATUS or (evidence.code is not None and evidence.code >= _FINAL_CODE)
