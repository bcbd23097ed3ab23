"""What the sending gate keeps of every mailbox, in columns: below 300 bytes each, so that a million fit into one process."""

import re
from array import array
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.ports.campaigns import SendingChange

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NEVER: Final = -1  # no moment a mailbox can have lies before 1970
_STATES: Final = tuple(State)
_STATE_CODES: Final = {state.value: code for code, state in enumerate(_STATES)}
_CAUSES: Final = (None, *(cause.value for cause in Cause))
_CAUSE_CODES: Final = {cause: code for code, cause in enumerate(_CAUSES)}
_FREE: Final = 0  # the round of a slot nobody has
_OWN_ID: Final = re.compile(r"mb_((?:[0-9a-f]{2})+)")


def _key(mailbox_id: str) -> bytes:
    """A key for an id: half as long for those mailwatch makes itself, and never the same for two."""
    own = _OWN_ID.fullmatch(mailbox_id)
    return b"\0" + bytes.fromhex(own[1]) if own else b"\1" + _text(mailbox_id)


def _text(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Facts:
    """One mailbox as the answer needs it; implements `core.sending.SendingFacts`."""

    state: str
    cause: str | None
    since_at: datetime
    until_at: datetime | None
    outage_seconds: float
    sends: bool
    gate: str = ""


class SendingTable:
    """Mailboxes by id and by address.

    Keys are bytes, which are smaller than texts; all else lies in arrays, one entry for each slot.  A slot carries the round in
    which it was last put, so that a look through all mailboxes finds those that are no more.
    """

    def __init__(self) -> None:
        self._slots: dict[bytes, int] = {}
        self._by_address: dict[bytes, int] = {}
        self._addresses: list[bytes] = []
        self._state = array("B")
        self._sends = array("B")
        self._cause = array("B")
        self._since = array("q")
        self._until = array("q")
        self._outage = array("f")
        self._gate = array("L")
        self._gates: list[str] = [""]  # each spelt once
        self._gate_codes: dict[str, int] = {"": 0}
        self._rounds = bytearray()
        self._round = 1
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._slots)

    def find(self, id_or_address: str) -> Facts | None:
        """What is known of one mailbox, by its id or its address in any case."""
        slot = self._slots.get(_key(id_or_address))
        if slot is None:
            slot = self._by_address.get(_text(id_or_address.strip().lower()))
        if slot is None:
            return None
        until = self._until[slot]
        return Facts(
            state=_STATES[self._state[slot]].value,
            cause=_CAUSES[self._cause[slot]],
            since_at=_EPOCH + timedelta(microseconds=self._since[slot]),
            until_at=None if until == _NEVER else _EPOCH + timedelta(microseconds=until),
            outage_seconds=self._outage[slot],
            sends=bool(self._sends[slot]),
            gate=self._gates[self._gate[slot]],
        )

    def put(self, change: SendingChange) -> None:
        """Take over what is true of a mailbox now."""
        key = _key(change.mailbox_id)
        if change.removed:
            self._drop(key)
            return
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = self._free.pop() if self._free else self._new_slot()
        self._name(slot, _text(change.address_key))
        self._fill(slot, change)

    def _fill(self, slot: int, change: SendingChange) -> None:
        code = _STATE_CODES[change.state]
        self._since[slot] = (change.since_at - _EPOCH) // _MICROSECOND
        self._outage[slot] = change.outage_seconds
        self._state[slot] = code
        self._sends[slot] = change.sends
        self._gate[slot] = self._gate_code(change.gate)
        self._cause[slot] = _CAUSE_CODES.get(change.cause, 0)
        self._until[slot] = _NEVER if change.until_at is None else (change.until_at - _EPOCH) // _MICROSECOND
        self._rounds[slot] = self._round

    # --- rounds ---

    def begin_round(self) -> None:
        """From here on, what is put is seen; the others wait for it."""
        self._round = 3 - self._round

    def end_round(self) -> int:
        """Forget every mailbox that was not put since `begin_round`; how many those were."""
        unseen = 3 - self._round
        if unseen not in self._rounds:
            return 0
        gone = [key for key, slot in self._slots.items() if self._rounds[slot] == unseen]
        for key in gone:
            self._drop(key)
        return len(gone)

    # --- slots ---

    def _new_slot(self) -> int:
        for column in (self._state, self._sends, self._cause):
            column.append(0)
        self._since.append(_NEVER)
        self._until.append(_NEVER)
        self._outage.append(0.0)
        self._gate.append(0)
        self._rounds.append(self._round)
        self._addresses.append(b"")
        return len(self._rounds) - 1

    def _gate_code(self, gate: str) -> int:
        code = self._gate_codes.get(gate)
        if code is None:
            code = self._gate_codes[gate] = len(self._gates)
            self._gates.append(gate)
        return code

    def _name(self, slot: int, address: bytes) -> None:
        old = self._addresses[slot]
        if old != address:
            self._forget_address(slot, old)
            self._addresses[slot] = address
            self._by_address[address] = slot

    def _forget_address(self, slot: int, address: bytes) -> None:
        if self._by_address.get(address) == slot:  # the address may be another mailbox's by now
            del self._by_address[address]

    def _drop(self, key: bytes) -> None:
        slot = self._slots.pop(key, None)
        if slot is None:
            return
        self._forget_address(slot, self._addresses[slot])
        self._addresses[slot] = b""
        self._since[slot] = _NEVER
        self._outage[slot] = 0.0
        self._rounds[slot] = _FREE
        self._free.append(slot)
