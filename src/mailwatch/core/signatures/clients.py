"""What mail programs say in their own words, when they do not hand on the server's: Thunderbird, Outlook, Roundcube, Horde,
offlineimap, mbsync, msmtp, fetchmail, and libraries such as Swift Mailer and imapflow.

The sentences stand in the programs' sources (for Outlook in its list of error codes). They hold only where no server's reply is
quoted: the server knows better.
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

CLIENTS: Final[tuple[Rule, ...]] = rules(
    "client",
    "sources of Thunderbird, Roundcube, Horde, offlineimap, mbsync, msmtp, fetchmail; Outlook's error codes",
    (
        "password_refused",
        Cause.INVALID_CREDENTIALS,
        (
            "authorization failure on|status 3 authfail|authfail|rejected your login|mail server denied authentication"
            "|user name or password for|0x800cccd1|0x800ccc92|0x800ccc18|0x800ccc90|0x8004102a|0x80040217"
            "|no response invalid credentials|no response login failed|no response authentication failed"
            "|noresponseerror authentication failed|noresponseerror authenticate failed|noresponseerror login failed"
        ),
        "!reply",
    ),
    (
        "no_way_to_log_in",
        Cause.MECHANISM_UNSUPPORTED,
        (
            "seem to support encrypted passwords|support encrypted passwords|support plain text passwords"
            "|support the selected authentication method"
            "|no support authentication|mechanism s not available|unable to find a callback"
            "|authentication methods supported by this client|no supported imap authentication|no form of authorization supported"
            "|server does not support oauth2|missing requirement c auth|0x80042112"
        ),
        "!reply",
    ),
    (
        "not_in_the_clear",
        Cause.TLS_REQUIRED,
        (
            "not allow plaintext passwords|support tls via the starttls|ssl support not available|advertise that feature"
            "|tls is not available on the server|missing requirement c tls|0x8004210b"
        ),
        "!reply",
    ),
    (
        "fingerprint",
        Cause.TLS_CERTIFICATE_UNTRUSTED,
        (
            "ssl fingerprint|configured fingerprint|certificate fingerprint|fingerprint mismatch|fingerprint does not match"
            "|hasn't got a known issuer|certificate owner does not match|no trusted certificate|0x800ccc1a"
        ),
        "!reply",
    ),
    (
        "no_secure_link",
        Cause.TLS_HANDSHAKE_FAILED,
        "upgrade to tls failed|open secure tls connection|ssl connection failed|secure link|load ssl library",
        "!reply",
    ),
    ("host_unknown", Cause.DNS_FAILURE, "cannot locate host|failed to find the server|0x800ccc0d|0x800ccc15", "!reply"),
    (
        "not_reached",
        Cause.CONNECTION_REFUSED,
        (
            "connection to storage server failed|connection to smtp server failed"
            "|connection to imap server failed|connecting to outgoing server|status 2 socket|unable to open connection to"
            "|transport failed to connect|0x80040213|25 permission denied|465 permission denied|587 permission denied"
            "|143 permission denied|993 permission denied"
        ),
        "!reply",
    ),
    ("not_reached_to_send", Cause.CONNECTION_REFUSED, "connection to server failed", "smtp !reply"),
    (
        "no_answer",
        Cause.CONNECTION_TIMEOUT,
        "seconds waiting to connect|c error timeout|waiting for a response from the receiving|0x8004210a|0x800ccc19|0x800ccc0a",
        "!reply",
    ),
    (
        "cut_off",
        Cause.CONNECTION_DROPPED,
        (
            "unexpectedly terminated the connection|in the middle of the transaction|sent an empty reply|short response"
            "|incomplete response"
            "|the connection to the server was interrupted|server may have gone down|0x800ccc0f|0x80042108"
        ),
        "!reply",
    ),
)

#: The same in other languages, without a reason: read when no other wording stands in the reply.
CLIENTS_WORLD: Final[tuple[Rule, ...]] = rules(
    "client",
    "translations of PHPMailer, Roundcube and Thunderbird",
    (
        "password_refused_world",
        Cause.INVALID_CREDENTIALS,
        "imposible autentificar|imposible autenticar|nie mozna przeprowadzic uwierzytelnienia|oturum acilamadi",
        "auth !reply",
    ),
    (
        "no_answer_world",
        Cause.CONNECTION_TIMEOUT,
        "delai de connexion au serveur|zeituberschreitung der verbindung|tiempo de espera de la conexion",
        "!reply",
    ),
    (
        "not_reached_world",
        Cause.CONNECTION_REFUSED,
        (
            "verbindung zum speicherserver|keine verbindung zum|connexion au serveur de stockage|impossible de se connecter"
            "|imposible conectar|no se pudo conectar|impossibile connettersi|nao foi possivel conectar|не удается подключиться"
            "|не удалось подключиться|无法连接到|接続できませんでした|nie mozna polaczyc|kon niet verbinden|baglanilamadi"
        ),
        "!reply !token",
    ),
)
