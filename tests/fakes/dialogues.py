"""Well-behaved IMAP and SMTP servers that change one step of the dialogue into a fault.

A quirk is keyed by the step it replaces: `greeting`, a command's name in upper case, `PAYLOAD` (a SASL answer on a line of its own)
or `CHALLENGE` (the line that ends a SASL error).  Its value is bytes (`{tag}` stands for the command's tag), a list of them for the
visits to that step, or one of the acts below.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fakes.peer import Peer, Script

Act = Callable[[Peer], Awaitable[None]]


async def reset(peer: Peer) -> None:
    peer.reset()
    raise ConnectionResetError


async def finish(peer: Peer) -> None:
    await peer.writer.drain()
    peer.writer.close()
    raise EOFError


async def mute(peer: Peer) -> None:
    await asyncio.sleep(3600)


async def drip(peer: Peer) -> None:
    while True:
        await peer.say(b"x")
        await asyncio.sleep(0.05)


def flood(chunk: bytes, times: int) -> Act:
    async def act(peer: Peer) -> None:
        for _ in range(times):
            if peer.writer.transport.is_closing():
                raise EOFError
            peer.writer.write(chunk)
            await peer.writer.drain()
        await asyncio.sleep(3600)

    return act


def then(text: bytes, act: Act) -> Act:
    async def both(peer: Peer) -> None:
        await peer.say(text.replace(b"{tag}", peer_tag(peer)))
        await act(peer)

    return both


def peer_tag(peer: Peer) -> bytes:
    return peer.server.heard[-1].split(b" ")[0] if peer.server.heard else b"*"


async def _do(peer: Peer, quirk: Any, tag: bytes) -> None:
    if isinstance(quirk, list):
        quirk = quirk.pop(0)
    if callable(quirk):
        await quirk(peer)
    else:
        await peer.say(quirk.replace(b"{tag}", tag))


IMAP_CAPABILITIES = b"IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 IDLE"


def imap(quirks: Mapping[str, Any] | None = None, *, tls: ssl.SSLContext | None = None) -> Script:
    """An IMAP server; *tls* is used on STARTTLS."""
    changed = dict(quirks or {})

    async def script(peer: Peer) -> None:
        steps: dict[str, Any] = {
            "greeting": b"* OK [CAPABILITY %s] hello\r\n" % (IMAP_CAPABILITIES + (b" STARTTLS" if tls else b"")),
            "CAPABILITY": b"* CAPABILITY %s\r\n{tag} OK done\r\n" % IMAP_CAPABILITIES,
            "STARTTLS": b"{tag} OK begin\r\n",
            "AUTHENTICATE": b"{tag} OK [CAPABILITY IMAP4rev1 IDLE] welcome\r\n",
            "PAYLOAD": b"{tag} OK welcome\r\n",
            "CHALLENGE": b"{tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n",
            "LOGIN": b"{tag} OK welcome\r\n",
            "SELECT": b"* 3 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 1] ok\r\n{tag} OK [READ-WRITE] selected\r\n",
            "LOGOUT": b"* BYE bye\r\n{tag} OK done\r\n",
            **changed,
        }
        await _do(peer, steps["greeting"], b"")
        tag, asked = b"", False
        while True:
            line = await peer.line()
            if not line and not asked:
                return
            words = line.split(b" ")
            if asked:
                await _do(peer, steps["PAYLOAD" if "PAYLOAD" in changed or "CHALLENGE" not in changed else "CHALLENGE"], tag)
                asked = False
                continue
            tag, name = words[0], words[1].upper().decode() if len(words) > 1 else "CHALLENGE"
            quirk = steps.get(name, b"{tag} BAD unknown\r\n")
            text = quirk[0] if isinstance(quirk, list) else quirk
            await _do(peer, quirk, tag)
            asked = isinstance(text, bytes) and text.startswith(b"+")
            if name == "STARTTLS" and tls is not None and isinstance(text, bytes) and b" OK" in text:
                await peer.secure(tls)
            if name == "LOGOUT":
                return

    return script


SMTP_EXTENSIONS = b"250-test\r\n250-PIPELINING\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 8BITMIME\r\n"


def smtp(quirks: Mapping[str, Any] | None = None, *, tls: ssl.SSLContext | None = None) -> Script:
    """A submission server; *tls* is used on STARTTLS."""
    changed = dict(quirks or {})

    async def script(peer: Peer) -> None:
        steps: dict[str, Any] = {
            "greeting": b"220 test ESMTP\r\n",
            "EHLO": SMTP_EXTENSIONS.replace(b"250 8BITMIME", b"250-8BITMIME\r\n250 STARTTLS") if tls else SMTP_EXTENSIONS,
            "STARTTLS": b"220 2.0.0 go ahead\r\n",
            "AUTH": b"235 2.7.0 accepted\r\n",
            "PAYLOAD": b"235 2.7.0 accepted\r\n",
            "CHALLENGE": b"535 5.7.8 rejected\r\n",
            "NOOP": b"250 2.0.0 ok\r\n",
            "MAIL": b"250 2.1.0 ok\r\n",
            "RCPT": b"250 2.1.5 ok\r\n",
            "RSET": b"250 2.0.0 ok\r\n",
            "QUIT": b"221 2.0.0 bye\r\n",
            **changed,
        }
        await _do(peer, steps["greeting"], b"")
        asked = 0
        while True:
            line = await peer.line()
            if not line and not asked:
                return
            name = (
                "PAYLOAD"
                if asked and "CHALLENGE" not in changed
                else "CHALLENGE"
                if asked
                else line.split(b" ")[0].upper().decode()
            )
            quirk = steps.get(name, b"502 5.5.2 unknown\r\n")
            text = quirk[0] if isinstance(quirk, list) else quirk
            await _do(peer, quirk, b"")
            asked = isinstance(text, bytes) and text.startswith(b"334")
            if name == "STARTTLS" and tls is not None and text.startswith(b"220"):
                await peer.secure(tls)
            if name == "QUIT":
                return

    return script
