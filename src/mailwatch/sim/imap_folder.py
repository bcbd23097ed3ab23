"""What a client does with the inbox once it is selected: SEARCH, FETCH, STORE, EXPUNGE, APPEND in the small measure needed here."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from mailwatch.sim.accounts import Account, Message
from mailwatch.sim.imap_syntax import Command, sequence

_SECTION: Final = re.compile(r"BODY(\.PEEK)?\[(.*?)\]", re.IGNORECASE)
_HEADER_FIELDS: Final = "HEADER.FIELDS"


class SelectedInbox:
    """The inbox of *account* as one session sees it; *send* writes an untagged line."""

    def __init__(self, account: Account, send: Callable[[str | bytes], None], *, read_only: bool) -> None:
        self._inbox = account.inbox
        self._send = send
        self._read_only = read_only

    def describe(self) -> None:
        """The untagged answers to SELECT."""
        self._send("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)")
        self._send("* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags permitted.")
        self._send(f"* {len(self._inbox.messages)} EXISTS")
        self._send("* 0 RECENT")
        self._send(f"* OK [UIDVALIDITY {self._inbox.uid_validity}] UIDs valid")
        self._send(f"* OK [UIDNEXT {self._inbox.uid_next}] Predicted next UID")

    def obey(self, command: Command) -> str | None:
        """Carry *command* out; the words of the tagged OK, or None when it is no command on a folder.  ValueError = BAD."""
        by_uid = command.name.startswith("UID ")
        verb = command.name.removeprefix("UID ")
        if verb == "SEARCH":
            self._search(command.arguments, by_uid=by_uid)
        elif verb == "FETCH":
            self._fetch(command.arguments, by_uid=by_uid)
        elif verb == "STORE":
            self._store(command.arguments, by_uid=by_uid)
        elif verb == "EXPUNGE":
            for number in () if self._read_only else self._inbox.expunge():
                self._send(f"* {number} EXPUNGE")
        else:
            return None
        return f"{verb.capitalize()} completed."

    def _chosen(self, numbers: str, *, by_uid: bool) -> list[tuple[int, Message]]:
        numbered = list(enumerate(self._inbox.messages, 1))
        largest = self._inbox.uid_next - 1 if by_uid else len(numbered)
        wanted = sequence(numbers, largest)
        return [(number, message) for number, message in numbered if (message.uid if by_uid else number) in wanted]

    def _search(self, arguments: Sequence[str], *, by_uid: bool) -> None:
        words = list(arguments)
        if words[:1] == ["CHARSET"]:
            del words[:2]
        found = list(enumerate(self._inbox.messages, 1))
        while words:
            key = words.pop(0).upper()
            if key in ("SUBJECT", "FROM", "TO", "HEADER"):
                name = words.pop(0) if key == "HEADER" else key
                needle = words.pop(0).lower()
                found = [(n, m) for n, m in found if needle in m.field_text(name).lower()]
            elif key in ("UNSEEN", "SEEN", "DELETED", "UNDELETED"):
                flag, wanted = "\\" + key.removeprefix("UN").capitalize(), not key.startswith("UN")
                found = [(n, m) for n, m in found if (flag in m.flags) is wanted]
            elif key == "UID":
                uids = sequence(words.pop(0), self._inbox.uid_next - 1)
                found = [(n, m) for n, m in found if m.uid in uids]
            elif key != "ALL":
                raise ValueError(f"unknown search key {key}")
        self._send("* SEARCH" + "".join(f" {m.uid if by_uid else n}" for n, m in found))

    def _fetch(self, arguments: Sequence[str], *, by_uid: bool) -> None:
        items = [item for item in arguments[1:] if item not in ("(", ")")]
        for number, message in self._chosen(arguments[0], by_uid=by_uid):
            parts: list[bytes] = [f"UID {message.uid}".encode()] if by_uid else []
            for item in items:
                section = _SECTION.match(item)
                if section is not None:
                    content = _section(message, section[2])
                    parts.append(f"BODY[{section[2]}] {{{len(content)}}}\r\n".encode() + content)
                    if section[1] is None and not self._read_only:
                        message.flags.add("\\Seen")
                elif item.upper() == "FLAGS":
                    parts.append(f"FLAGS ({' '.join(sorted(message.flags))})".encode())
                elif item.upper() == "RFC822.SIZE":
                    parts.append(f"RFC822.SIZE {len(message.content)}".encode())
                elif item.upper() != "UID":
                    raise ValueError(f"unknown item {item}")
            self._send(f"* {number} FETCH (".encode() + b" ".join(parts) + b")\r\n")

    def _store(self, arguments: Sequence[str], *, by_uid: bool) -> None:
        action = arguments[1].upper()
        flags = {flag for flag in arguments[2:] if flag not in ("(", ")")}
        for number, message in self._chosen(arguments[0], by_uid=by_uid):
            if self._read_only:
                continue
            if action.startswith("+"):
                message.flags |= flags
            elif action.startswith("-"):
                message.flags -= flags
            else:
                message.flags = set(flags)
            if not action.endswith(".SILENT"):
                self._send(f"* {number} FETCH (FLAGS ({' '.join(sorted(message.flags))}))")


def _section(message: Message, name: str) -> bytes:
    upper = name.upper()
    if upper == "":
        return message.content
    if upper == "TEXT":
        return message.content[len(message.header) :]
    if upper.startswith(_HEADER_FIELDS):
        wanted = [word.strip("()") for word in name[len(_HEADER_FIELDS) :].split()]
        lines = [f"{field}: {message.field_text(field)}\r\n" for field in wanted if message.field_text(field)]
        return "".join(lines).encode() + b"\r\n"
    return message.header
