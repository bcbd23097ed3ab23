"""What network stacks say: Linux, Windows and macOS errors, OpenSSL, Python, Java, Node, Go, PHP, curl.

The texts of errno are in POSIX and in the platforms' tables (Winsock error codes); OpenSSL's in `x509_txt.c` and `ssl_err.c`;
Go's in `net`, `crypto/x509` and `crypto/tls`; Java's in the JDK's `java.net` and `javax.net.ssl`.
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

STACKS: Final[tuple[Rule, ...]] = rules(
    "stack",
    "errno(3), Winsock error codes, OpenSSL, CPython, JDK, Go and Node sources",
    (
        "cert_expired",
        Cause.TLS_CERTIFICATE_EXPIRED,
        (
            "certificate has expired|nottimevalid|validity check failed|timestamp check failed|invalid peer certificate"
            " expired|certificate is not yet valid|certificate expired|cert has expired|crl has expired"
            "|certexpired|certnotvalidyet|notvalidyet|notafter|certificateexpiredexception"
            "|certificatenotyetvalidexception|crl is not yet valid|alert certificate expired"
            "|uses expired certificate|uses not yet valid certificate|sec error expired|0x800b0101|cert e expired"
        ),
    ),
    (
        "cert_untrusted",
        Cause.TLS_CERTIFICATE_UNTRUSTED,
        (
            "certificate verify failed|unable to verify leaf signature|self signed cert in chain|altname invalid|cert altname"
            "|partialchain|untrustedroot|remotecertificatenamemismatch|remotecertificatechainerrors|trust anchor|trust anchors"
            "|cannot validate certificate|unknownissuer|invalid peer certificate|no name matching|did not match expected cn"
            "|self signed certificate|unable to get local issuer"
            " certificate|unable to verify the first"
            " certificate"
            "|unable to get issuer certificate|hostname mismatch|ip address mismatch|certificate signed by unknown authority"
            "|unable to find valid certification path|pkix path building failed|certificate is not valid for|certificate is"
            " valid for"
            "|doesn't match certificate|does not match certificate|no subject alternative|certificate revoked|certificate has been"
            " revoked"
            "|remote certificate is invalid|depth zero self signed|altnames|invalid certificate chain|untrusted root"
            "|sslcertverificationerror"
            "|certificateunknown|not trusted|certificate not trusted|is not trusted|server certificate verification failed"
            "|x509|certificate relies on legacy common name|ssl certificate problem|trustanchor|alternative"
            " certificate subject name|sec error unknown issuer|sec error untrusted|sec error revoked|sec error bad signature"
            "|sec error ca cert|bad cert domain|mozilla pkix error|target principal name is incorrect|sec e wrong principal"
            "|cert e untrustedroot|cert e cn no match|cert e chaining|cert e revoked|crypt e revoked|0x800b0109|0x800b010f"
            "|0x80090322"
            "|0x80090325"
        ),
        "!reply",
    ),
    ("handshake_timeout", Cause.CONNECTION_TIMEOUT, "handshake operation timed out|tls handshake timeout|ssl handshake timed out"),
    (
        "tls_alert",
        Cause.TLS_HANDSHAKE_FAILED,
        (
            "wrong version number|unknown certificate authority|tls bad certificate|ssl connection could not be established"
            "|fatal alert|protocol version not supported|handshake failed|alert protocol version|unsupported protocol"
            "|no protocols available|alert handshake failure"
            "|sslv3 alert|tlsv1 alert|tlsv13 alert|alert internal error|no shared cipher|no ciphers available|no cipher match|dh"
            " key too small"
            "|packet length too long|record layer failure|decryption failed or bad record mac|bad record mac|unexpected message"
            "|http request|unknown protocol|unsafe legacy renegotiation|legacy renegotiation|first record does not look like a tls"
            " handshake"
            "|oversized record|tls handshake|ssl handshake|peer is incompatible|corrupt message of type"
            "|remote host terminated the handshake"
            "|handshake failure"
            "|sslhandshakeexception"
            "|unrecognized ssl message plaintext connection|plaintext connection|wrong ssl version|record overflow|no application"
            " protocol"
            "|ssl negotiation failed|tls negotiation failed|ssl error|protocol is disabled or cipher suites|no appropriate protocol"
            "|ca md too weak|ee key too small|sslv3 alert bad certificate|unrecognized name|eproto|tls alert|inappropriate fallback"
            "|tls ssl failure|ssl connect error|secure channel|wrong signature type|bad decrypt|bad signature|ssl routines"
        ),
        "!reply",
    ),
    (
        "tls_session",
        Cause.TLS_REQUIRED,
        (
            "couldn't establish tls session|starttls extension not supported|starttls not supported|stls not supported"
            "|doesn't support starttls|does not support starttls|starttls is not supported|starttls unavailable"
        ),
    ),
    (
        "starttls_absent",
        Cause.TLS_REQUIRED,
        (
            "starttls extension not found|starttls not found|starttls extension missing|starttls missing|no starttls"
            "|not have starttls|without starttls|lacks starttls|starttls not in|starttls not available|starttls not advertised"
            "|unable to negotiate tls with this|requested ssl level|insecure server advertised|can't do secure authentication"
            "|not offer starttls|not announce starttls|not advertise starttls|not provide starttls|starttls is not available"
            "|starttls not offered|kein starttls|pas starttls|no ofrece starttls|non offre starttls|starttls not listed"
            "|starttls not announced|geen starttls"
        ),
        "!reply",
    ),
    (
        "dns",
        Cause.DNS_FAILURE,
        (
            "name or service not known|temporary failure in name resolution|no address associated with hostname|nodename nor"
            " servname provided"
            "|getaddrinfo|11001|11002|11003|11004|unknown smtp host|unknown imap host|unknown mail host|name resolution|no"
            " such host is known|no such"
            " host|enotfound|eai again|eai noname|servfail|nxdomain"
            "|server misbehaving"
            "|unknownhostexception|host not found|could not resolve host|couldn't resolve host|couldn't resolve|could not resolve"
            "|name does not resolve|dns query name does not exist|dns lookup failed|lookup failed|domain name not found|non"
            " recoverable failure in name"
            "|der name oder der dienst|nom ou service inconnu|nombre o servicio desconocido|nome o servizio sconosciuto|idna codec"
            " failed"
            "|nodename|dns server failed|all nameservers failed|resolution lifetime expired|unknown host|no data record of"
            " requested type"
            "|der angegebene host ist unbekannt|hote inconnu|valid name no data record|nome ou servico desconhecido|имя или служба"
            "|未知的名称或服务"
            "|lookup i o timeout|lookup on 53|read udp|querya|queryaaaa|querymx|cannot resolve|php network getaddresses"
            "|dns error|dns timeout|dns"
            " server|no answer section|不知道这样的主机"
        ),
        "!reply",
    ),
    (
        "refused",
        Cause.CONNECTION_REFUSED,
        (
            "connection refused|econnrefused|actively refused|refused to connect|connect call failed|connectionrefusederror"
            "|verbindung verweigerte"
            "|verbindungsaufbau abgelehnt|connexion refusee|conexion rehusada|connessione rifiutata|conexao recusada|в соединении"
            " отказано"
            "|拒绝连接|積極拒絕|由于目标计算机积极拒绝|10061|connection was refused"
        ),
        "!reply",
    ),
    (
        "timeout",
        Cause.CONNECTION_TIMEOUT,
        (
            "no route to host|network is unreachable|host is down|etimedout|ehostunreach|enetunreach|connection timed out"
            "|operation timed out"
            "|request failed code 0|status code 0|http code 0|stable connection to|semaphore timeout|connect timeout|i o"
            " timeout|read timed out|connect timed out|the read operation timed out|write"
            " operation timed out"
            "|cannot assign requested address|timeout waiting|timed out after|did not properly respond after a period of time"
            "|10060|10065|10051"
            "|failed to respond|socket timeout|connection timeout|esockettimedout|sockettimeoutexception|deadline exceeded|read"
            " timeout|10049"
            "|noroutetohostexception|address not available|host unreachable|response timeout|request timed out|no response from"
            "|zeitlimit|zeituberschreitung|expiration du delai d'attente|tiempo de espera agotado|connessione scaduta|operation"
            " timed|greeting never received|timed out object|in required time|resource temporarily unavailable"
            "|keine verbindung hergestellt|took too long|taking longer than"
        ),
        "!reply",
    ),
    (
        "reset",
        Cause.CONNECTION_DROPPED,
        (
            "unexpectedly disconnected|unexpectedly dropped|connection reset|forcibly closed|broken pipe|econnreset|epipe"
            "|econnaborted|software caused connection abort|unexpected eof"
            "|eof occurred in violation of protocol|remote end closed|connection aborted|unexpectedly closed|closed unexpectedly"
            "|connection closed by|server disconnected|connection was closed|socket hang up|specified network name is no longer"
            " available"
            "|peer closed connection|socket error eof|connection lost|connection dropped by|established connection was aborted"
            "|10053|10054"
            "|connection closed|socket closed|transport endpoint|0 bytes read|incomplete read|unexpected end of file|closed by"
            " remote host"
            "|closed by the remote|closed network connection|connection has been closed|stream closed|end of file|server closed"
            "|socket is closed|verbindung wurde|connexion reinitialisee|conexion reinicializada|connessione interrotta|not"
            " connected"
            "|empty reply from|empty response|response is 0 length|but got code with message|got empty code"
            "|connection not available|noconnection"
            "|after close notify|close notify received|close notify alert"
            "|empty startup greeting|empty greeting|connection terminated|dropped connection|connection interrupted|no longer"
            " connected|session closed|eof|eofexception"
        ),
        "!reply",
    ),
    ("link_gone", Cause.CONNECTION_DROPPED, "not connected|no longer connected", "imap session"),
    ("success_as_failure", Cause.PROTOCOL_ERROR, "250 ok|220 ready|unexpected reply|unexpected 250|got 250|got 220", "smtp !reply"),
    ("login_denied_by_code", Cause.INVALID_CREDENTIALS, "access denied 535|access denied 530", "auth"),
    ("success_instead", Cause.PROTOCOL_ERROR, "but got code 250|but got code 220|but got code 235|but got code 354", "smtp"),
    ("session_expired", Cause.CONNECTION_DROPPED, "session expired please login again|session expired", "!token"),
    (
        "no_ok",
        Cause.UNKNOWN,
        "not responding with an|not respond with an ok|not respond with ok|not answer with ok|not return ok",
        "!reply",
    ),
    ("descriptors", Cause.UNKNOWN, "too many open files|emfile|enfile|no file descriptors available"),
    ("no_imap_greeting", Cause.CONNECTION_DROPPED, "unexpected token in imap greeting atom bye"),
    (
        "other_protocol",
        Cause.PROTOCOL_ERROR,
        (
            "ok pop3|illegal status line|bad status line|unexpected response|unterminated line|invalid greeting|unexpected"
            " greeting|http 1 1 400"
            "|not an imap server|is no imap server|is no smtp server|is no mail server|not a mail server|malformed http|parse"
            " error|got more than|protocol violation|bad greeting|unknown greeting|invalid"
            " response"
            "|unexpected token|malformed response|not an smtp|remoteprotocolerror|lineterminatorerror|unexpected server response"
            "|unexpected imap server response|unexpected smtp server response|unexpected pop3 server response|weird server reply"
            "|missing port in address|invalid port|no recipients defined|imap already logged in"
        ),
        "!token",
    ),
)
