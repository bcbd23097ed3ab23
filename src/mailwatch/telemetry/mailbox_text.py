"""One gauge for each mailbox, as Prometheus' text: `/metrics/mailboxes`, for those who ask for it.

Written by hand, since a client library keeps an object for every series: 100,000 mailboxes are a few tenths of a second here, and
nothing stays behind.  The caller formats in a thread.  Ids are opaque; addresses appear only where the caller passes them.
Form: Prometheus' text format 0.0.4 ("Exposition formats").
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import SENDING_STATES, State

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
#: What is shown unless somebody asks for more: bounded by what is wrong, not by the fleet.
UNHEALTHY: Final = frozenset({State.SUSPECT, State.RECONNECTING, State.VERIFYING, State.BLOCKED, State.HELD})
#: Mailboxes in one answer; Prometheus' own bound is `sample_limit`.
MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """What is told of one mailbox."""

    id: str
    provider: str
    state: State
    since_at: datetime  #: of the state
    cause: Cause | None = None
    last_success_at: datetime | None = None
    campaigns: tuple[str, ...] = ()
    address: str = ""  #: empty: no label


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which mailboxes; empty providers and campaigns do not restrict."""

    states: Collection[State] = UNHEALTHY
    providers: Collection[str] = ()
    campaigns: Collection[str] = ()

    def takes(self, row: MailboxRow) -> bool:
        """Whether *row* is wanted."""
        return (
            row.state in self.states
            and (not self.providers or row.provider in self.providers)
            and (not self.campaigns or not set(self.campaigns).isdisjoint(row.campaigns))
        )


def mailbox_text(rows: Iterable[MailboxRow], wanted: Wanted = Wanted(), *, most: int = MOST, left_out: int = 0) -> bytes:
    """The exposition of the *wanted* among *rows*, at most *most* of them: those that are left out are counted, beside the
    *left_out* that the caller did not even read.
    """
    shown: list[MailboxRow] = []
    for row in rows:
        if not wanted.takes(row):
            continue
        if len(shown) < most:
            shown.append(row)
        else:
            left_out += 1
    labels = [_labels(row) for row in shown]
    return "".join(_families(shown, labels, left_out)).encode()


def _families(rows: Sequence[MailboxRow], labels: Sequence[str], left_out: int) -> Iterator[str]:
    pairs = list(zip(rows, labels, strict=True))
    yield _head("up", "1 for a mailbox campaigns may send through.")
    yield from (f"mailwatch_mailbox_up{{{label}}} {int(row.state in SENDING_STATES)}\n" for row, label in pairs)
    yield _head("state", "1 for the state a mailbox is in, and why.")
    yield from (f'mailwatch_mailbox_state{{{label},state="{row.state}",cause="{row.cause or ""}"}} 1\n' for row, label in pairs)
    yield _head("state_since_timestamp_seconds", "Since when it is in this state.")
    yield from (
        f"mailwatch_mailbox_state_since_timestamp_seconds{{{label}}} {row.since_at.timestamp():.3f}\n" for row, label in pairs
    )
    yield _head("last_success_timestamp_seconds", "When a mailbox last worked.")
    yield from (
        f"mailwatch_mailbox_last_success_timestamp_seconds{{{label}}} {row.last_success_at.timestamp():.3f}\n"
        for row, label in pairs
        if row.last_success_at is not None
    )
    yield "# HELP mailwatch_mailboxes_truncated Mailboxes left out because there are too many.\n"
    yield f"# TYPE mailwatch_mailboxes_truncated gauge\nmailwatch_mailboxes_truncated {left_out}\n"


def _head(name: str, about: str) -> str:
    return f"# HELP mailwatch_mailbox_{name} {about}\n# TYPE mailwatch_mailbox_{name} gauge\n"


def _labels(row: MailboxRow) -> str:
    text = f'mailbox="{_escaped(row.id)}",provider="{_escaped(row.provider)}"'
    return f'{text},address="{_escaped(row.address)}"' if row.address else text


def _escaped(value: str) -> str:
    """A label's value: backslash, quote and line feed are escaped, every other character stands for itself."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value
