"""The faults that IMAP and SMTP servers are given, and the verdict each must get."""

from typing import Any, NamedTuple

from fakes.dialogues import drip, finish, flood, mute, reset, then
from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Phase


class Case(NamedTuple):
    """One fault of one server."""

    name: str
    protocol: str
    quirks: dict[str, Any]
    cause: Cause | None  #: None: it must be healthy all the same
    phase: Phase | None = None
    words: str = ""
    timeout_seconds: float = 60.0
    sliceable: bool = True


C, P = Cause, Phase
IMAP_STEPS = (("greeting", P.GREETING), ("AUTHENTICATE", P.AUTH), ("SELECT", P.SELECT))
SMTP_STEPS = (("greeting", P.GREETING), ("EHLO", P.GREETING), ("AUTH", P.AUTH), ("NOOP", P.SUBMIT))
BREAKS = [
    Case(f"{act.__name__}_at_{step}", protocol, {step: act}, C.CONNECTION_DROPPED, phase)
    for protocol, steps in (("imap", IMAP_STEPS), ("smtp", SMTP_STEPS))
    for step, phase in steps
    for act in (reset, finish)
]
STALLS = [
    Case(f"{act.__name__}_at_{step}", protocol, {step: act}, C.CONNECTION_TIMEOUT, phase, timeout_seconds=5.0, sliceable=False)
    for protocol, steps in (("imap", (*IMAP_STEPS, ("CAPABILITY", P.GREETING))), ("smtp", SMTP_STEPS))
    for step, phase in steps
    for act in (mute, drip)
]
for _case in STALLS:
    if "CAPABILITY" in _case.quirks:
        _case.quirks["greeting"] = b"* OK hello\r\n"
CASES = [
    Case("good", "imap", {}, None),
    Case("good", "smtp", {}, None),
    *BREAKS,
    # the server's own reasons are kept
    Case(
        "bye_greeting",
        "imap",
        {"greeting": then(b"* BYE Too many connections\r\n", finish)},
        C.CONNECTION_LIMIT,
        P.GREETING,
        "Too many",
    ),
    Case(
        "bye_with_ok",
        "imap",
        {"greeting": then(b"* BYE server NOT OK today\r\n", finish)},
        C.SERVER_UNAVAILABLE,
        P.GREETING,
        "NOT OK",
    ),
    Case(
        "bye_at_login", "imap", {"AUTHENTICATE": then(b"* BYE Shutting down\r\n", finish)}, C.SERVER_UNAVAILABLE, P.AUTH, "Shutting"
    ),
    Case(
        "bye_without_end",
        "imap",
        {"AUTHENTICATE": then(b"* BYE Shutting down\r\n", mute)},
        C.SERVER_UNAVAILABLE,
        P.AUTH,
        "Shutting",
    ),
    Case("no_login", "imap", {"AUTHENTICATE": b"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n"}, C.INVALID_CREDENTIALS, P.AUTH),
    Case(
        "alert_kept",
        "imap",
        {"AUTHENTICATE": b"* OK [ALERT] Please log in via your web browser\r\n{tag} NO failure\r\n"},
        C.WEB_LOGIN_REQUIRED,
        P.AUTH,
        "web browser",
    ),
    Case("no_select", "imap", {"SELECT": b"{tag} NO [NONEXISTENT] no such mailbox\r\n"}, C.MAILBOX_MISSING, P.SELECT),
    Case(
        "late_bye_after_login",
        "imap",
        {"SELECT": then(b"* BYE overloaded\r\n", reset)},
        C.SERVER_UNAVAILABLE,
        P.SELECT,
    ),
    Case("421_greeting", "smtp", {"greeting": b"421 4.3.2 try again later\r\n"}, C.SERVER_UNAVAILABLE, P.GREETING),
    Case("421_ehlo", "smtp", {"EHLO": b"421 4.3.0 busy\r\n"}, C.SERVER_UNAVAILABLE, P.GREETING),
    Case("421_auth", "smtp", {"AUTH": b"421 4.3.0 busy\r\n"}, C.SERVER_UNAVAILABLE, P.AUTH),
    Case("421_noop", "smtp", {"NOOP": b"421 4.3.0 busy\r\n"}, C.SERVER_UNAVAILABLE, P.SUBMIT),
    Case(
        "late_421",
        "smtp",
        {"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n421 4.3.2 going down\r\n"},
        C.SERVER_UNAVAILABLE,
        P.AUTH,
        "going down",
    ),
    Case(
        "late_421_end", "smtp", {"EHLO": then(b"250-x\r\n250 AUTH PLAIN\r\n421 4.3.2 going down\r\n", finish)}, C.SERVER_UNAVAILABLE
    ),
    Case("no_auth", "smtp", {"AUTH": b"535 5.7.8 bad\r\n"}, C.INVALID_CREDENTIALS, P.AUTH),
    Case(
        "long_refusal",
        "smtp",
        {"AUTH": b"535-5.7.8 Username and Password not accepted.\r\n535 5.7.8 see https://support.example\r\n"},
        C.INVALID_CREDENTIALS,
        P.AUTH,
        "Username and Password not accepted. 5.7.8 see",
    ),
    Case("multi_line_greeting", "smtp", {"greeting": b"220-test\r\n220-no spam\r\n220 ESMTP\r\n"}, None),
    Case("bare_line_feeds", "smtp", {"EHLO": b"250-test\n250 AUTH PLAIN\n"}, None),
    Case("bare_line_feeds", "imap", {"SELECT": b"* 3 EXISTS\n{tag} OK fine\n"}, None),
    Case("eight_bit", "smtp", {"greeting": b"220 t\xe9st \x00\x1b[31m ESMTP\r\n"}, None),
    # other protocols on this port
    *(
        Case(f"{name}_on_{protocol}", protocol, {"greeting": banner}, C.PROTOCOL_ERROR, P.GREETING)
        for protocol in ("imap", "smtp")
        for name, banner in (
            ("http", b"HTTP/1.1 200 OK\r\n\r\n"),
            ("ssh", b"SSH-2.0-OpenSSH_9.2\r\n"),
            ("pop3", b"+OK POP3 ready\r\n"),
            ("binary", b"\x00\x01\xff\xfe\x9c\n"),
        )
    ),
    Case("smtp_on_imap", "imap", {"greeting": b"220 mx ESMTP\r\n"}, C.PROTOCOL_ERROR, P.GREETING),
    Case("imap_on_smtp", "smtp", {"greeting": b"* OK IMAP4rev1 ready\r\n"}, C.PROTOCOL_ERROR, P.GREETING),
    Case("preauth", "imap", {"greeting": b"* PREAUTH welcome back\r\n"}, C.PROTOCOL_ERROR, P.GREETING),
    Case("tagged_greeting", "imap", {"greeting": b"A1 OK hello\r\n"}, C.PROTOCOL_ERROR, P.GREETING),
    # replies that belong to nothing
    Case("wrong_tag", "imap", {"AUTHENTICATE": b"ZZZ9 OK\r\n"}, C.PROTOCOL_ERROR, P.AUTH),
    Case("unknown_status", "imap", {"AUTHENTICATE": b"{tag} MAYBE\r\n"}, C.PROTOCOL_ERROR, P.AUTH),
    Case("unasked_plus", "imap", {"SELECT": b"+ go on\r\n"}, C.PROTOCOL_ERROR, P.SELECT),
    Case("two_replies", "smtp", {"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n250 ok\r\n"}, C.PROTOCOL_ERROR, P.AUTH, sliceable=False),
    # floods
    Case("endless_line", "imap", {"SELECT": flood(b"x" * 65536, 200)}, C.PROTOCOL_ERROR, P.SELECT, sliceable=False),
    Case("literal_bomb", "imap", {"SELECT": b"* LIST {99999999}\r\n"}, C.PROTOCOL_ERROR, P.SELECT),
    Case(
        "literal_of_5000_digits",
        "imap",
        {"SELECT": b"* LIST {" + b"9" * 5000 + b"}\r\n"},
        C.PROTOCOL_ERROR,
        P.SELECT,
        sliceable=False,
    ),
    Case("many_lines", "imap", {"SELECT": flood(b"* 1 EXISTS\r\n" * 4096, 500)}, C.PROTOCOL_ERROR, P.SELECT, sliceable=False),
    Case(
        "many_literals",
        "imap",
        {"SELECT": flood(b"* LIST {9}\r\n123456789 x\r\n" * 4096, 500)},
        C.PROTOCOL_ERROR,
        P.SELECT,
        sliceable=False,
    ),
    Case("endless_line", "smtp", {"AUTH": flood(b"x" * 65536, 200)}, C.PROTOCOL_ERROR, P.AUTH, sliceable=False),
    Case("endless_reply", "smtp", {"AUTH": flood(b"250-more\r\n" * 4096, 200)}, C.PROTOCOL_ERROR, P.AUTH, sliceable=False),
    Case("literal_in_list", "imap", {"SELECT": b"* LIST () {3}\r\na\r\n {2}\r\nxy tail\r\n* 1 EXISTS\r\n{tag} OK done\r\n"}, None),
    Case("thousand_lines", "imap", {"SELECT": b"* 1 FETCH (FLAGS ())\r\n" * 2000 + b"{tag} OK done\r\n"}, None, sliceable=False),
    # what is on offer
    Case("no_mechanism", "smtp", {"EHLO": b"250-x\r\n250 AUTH CRAM-MD5 GSSAPI\r\n"}, C.MECHANISM_UNSUPPORTED, P.AUTH),
    Case("no_auth_offered", "smtp", {"EHLO": b"250-x\r\n250 SIZE\r\n"}, C.MECHANISM_UNSUPPORTED, P.AUTH),
    Case("plain_login_command", "imap", {"greeting": b"* OK [CAPABILITY IMAP4rev1] hi\r\n"}, None),
    Case(
        "without_initial_response",
        "imap",
        {"greeting": b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", "AUTHENTICATE": b"+ \r\n"},
        None,
    ),
    Case(
        "sasl_login",
        "smtp",
        {
            "EHLO": b"250-x\r\n250 AUTH LOGIN\r\n",
            "AUTH": b"334 VXNlcm5hbWU6\r\n",
            "PAYLOAD": [b"334 UGFzc3dvcmQ6\r\n", b"235 ok\r\n"],
        },
        None,
    ),
    Case("endless_challenge", "imap", {"AUTHENTICATE": b"+ \r\n", "PAYLOAD": b"+ \r\n"}, C.PROTOCOL_ERROR, P.AUTH, sliceable=False),
    Case("endless_challenge", "smtp", {"AUTH": b"334 \r\n", "PAYLOAD": b"334 \r\n"}, C.PROTOCOL_ERROR, P.AUTH),
]
