"""The form of a rule: what it wants to see, and which cause that means.

Two forms share one shape: a *phrase* names words that must follow one another (`signatures.microsoft` and its like); a
*meaning* names ideas of the lexicon that must stand near one another (`signatures.meanings`). `where` narrows a rule to places
of a session: any of `auth`, `submit`, `early` (before a login), `starttls`, `session` (after a login), `token`, `imap`, `smtp`,
`4xx`, `5xx`, `bye`, `reply` (a reply with a code or status, not an error of our own network stack), `mail`, `rcpt`, `data` (the
command of a submission, where it is known), `policy` (an enhanced code x.7.y), `ipv4` (an address in figures stands in it),
`misuse` (500, 501, 503, 555 or BAD: the server blames the command), blank-separated; all that are named must hold, and `!x`
means that x must not hold.
"""

from dataclasses import dataclass
from typing import Final

from mailwatch.core.causes import Cause

#: The places a rule may name, as bits of the reading's `place`.
PLACES: Final = {
    name: 1 << bit
    for bit, name in enumerate(
        (
            "auth",
            "submit",
            "early",
            "session",
            "token",
            "imap",
            "smtp",
            "4xx",
            "5xx",
            "bye",
            "starttls",
            "reply",
            "mail",
            "rcpt",
            "data",
            "misuse",
            "greeting",
            "policy",
            "ipv4",
        )
    )
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a table."""

    id: str  #: stable, `group.name`
    cause: Cause
    wants: tuple[str, ...]  #: phrases, any of which decides (phrase rules); or the ideas wanted, in one string (meanings)
    source: str  #: where the wording or the meaning is documented
    need_place: int = 0  #: bits of PLACES that must be set
    bar_place: int = 0  #: bits of PLACES that must not be set

    @property
    def group(self) -> str:
        """The table the rule stands in: a provider, a server program, a network stack, or `words`."""
        return self.id.partition(".")[0]


def place_bits(where: str) -> tuple[int, int]:
    """The bits that must be and must not be set for *where*; raises KeyError for a place there is not."""
    need = bar = 0
    for name in where.split():
        if name.startswith("!"):
            bar |= PLACES[name[1:]]
        else:
            need |= PLACES[name]
    return need, bar


def rules(group: str, source: str, *rows: tuple[str, Cause, str] | tuple[str, Cause, str, str]) -> tuple[Rule, ...]:
    """The rules of *group*: rows of name, cause, wanted words (phrases separated by `|`) and optionally where."""
    made = []
    for name, cause, wanted, *where in rows:
        need, bar = place_bits(where[0]) if where else (0, 0)
        phrases = tuple(part.strip() for part in wanted.split("|"))
        made.append(Rule(f"{group}.{name}", cause, phrases, source, need, bar))
    return tuple(made)
