"""When to come back, as servers say it in words: "try again in 10 minutes", "Suggested Backoff Time: 299961 milliseconds"."""

import re
from typing import Final

MAX_SECONDS: Final = 7 * 86400.0  #: a longer wait is no hint but a mistake

#: How units begin, the longer beginning first.
_UNITS: Final = (
    ("milli", 0.001),
    ("ms", 0.001),
    ("мину", 60.0),
    ("секу", 1.0),
    ("minu", 60.0),
    ("min", 60.0),
    ("stu", 3600.0),
    ("heu", 3600.0),
    ("hor", 3600.0),
    ("ora", 3600.0),
    ("ore", 3600.0),
    ("час", 3600.0),
    ("day", 86400.0),
    ("tag", 86400.0),
    ("分", 60.0),
    ("秒", 1.0),
    ("小", 3600.0),
    ("h", 3600.0),
    ("s", 1.0),
    ("m", 60.0),
)
_AMOUNT: Final = re.compile(
    r"(?<![\d.])(?P<number>\d{1,9}(?:\.\d{1,3})?)\s{0,2}"
    r"(?P<unit>(?:milliseconds?|millisecs?|ms|se[ckg][a-z]{0,5}|s|minut[a-z]{0,3}|mins?|m|hours?|hrs?|h|stunden?|heures?|horas?|ora|ore"
    r"|days?|tage?n?|мину\w{0,3}|секу\w{0,4}|час\w{0,2})(?![^\W\d_])"
    r"|分钟?|秒|小时)",
    re.IGNORECASE,
)
#: What stands before an amount that is a wait; Chinese needs nothing.
_LEAD: Final = re.compile(
    r"(?:\b(?:in|after|for|within|wait|another|least|next|dans|en|fra|tra|em|через|time:?|retry-after:?))\s{1,3}\Z", re.IGNORECASE
)
_LEAD_LENGTH: Final = 24


def seconds_named(text: str) -> float | None:
    """The wait that *text* asks for, in seconds; None when it names none."""
    for match in _AMOUNT.finditer(text):
        unit = match["unit"].lower()
        start = match.start()
        if unit[0] not in "分秒小" and _LEAD.search(text[max(0, start - _LEAD_LENGTH) : start]) is None:
            continue
        scale = next(factor for beginning, factor in _UNITS if unit.startswith(beginning))
        return min(float(match["number"]) * scale, MAX_SECONDS)
    return None
