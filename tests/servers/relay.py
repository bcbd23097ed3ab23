"""Takes Dovecot's submissions as SMTP and hands them to its LMTP, so that mail arrives where there is no Postfix (it needs root)."""

import asyncio
import smtplib
import threading

from aiosmtpd.smtp import SMTP, Envelope, Session


def _text(words: bytes | str) -> str:
    return words if isinstance(words, str) else words.decode(errors="replace")


class _Handover:
    def __init__(self, lmtp_port: int) -> None:
        self._lmtp_port = lmtp_port

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        return await asyncio.to_thread(self._deliver, envelope)

    def _deliver(self, envelope: Envelope) -> str:
        try:
            with smtplib.LMTP("127.0.0.1", self._lmtp_port) as lmtp:
                refused = lmtp.sendmail(envelope.mail_from or "", envelope.rcpt_tos, envelope.content or b"")
        except smtplib.SMTPRecipientsRefused as failure:
            refused = failure.recipients
        except smtplib.SMTPResponseException as failure:
            return f"{failure.smtp_code} {_text(failure.smtp_error)}"
        for code, text in refused.values():
            return f"{code} {_text(text)}"
        return "250 2.0.0 Ok: delivered"


class Relay:
    """An SMTP server on loopback in a thread and event loop of its own."""

    def __init__(self, port: int, lmtp_port: int) -> None:
        self._port, self._lmtp_port = port, lmtp_port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None

    def start(self) -> None:
        """Listen; returns when it does."""
        if self._thread is not None:
            return
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), name="submission relay", daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Stop listening, and wait for the thread to end."""
        if self._thread is None or self._loop is None or self._ending is None:
            return
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()
        self._thread = None

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        sessions: set[SMTP] = set()

        def session() -> SMTP:
            one = SMTP(_Handover(self._lmtp_port), hostname="relay.test", loop=self._loop)
            sessions.add(one)
            return one

        server = await self._loop.create_server(session, "127.0.0.1", self._port)
        ready.set()
        await self._ending.wait()
        server.close()
        for one in sessions:
            if one.transport is not None:
                one.transport.close()
