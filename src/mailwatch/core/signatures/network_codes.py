"""What numbers and class names of the network stack mean: OpenSSL's verify codes, errno of Linux, macOS and Windows, exceptions.

Sources: OpenSSL `x509_vfy.h` (X509_V_ERR_*, 0 to 95), `errno.h` of Linux and macOS, Winsock error codes, the class lists of
CPython, dnspython, aiohttp, httpx, requests, JDK.
"""

from collections.abc import Mapping
from typing import Final

from mailwatch.core.causes import Cause

_EXPIRED: Final = frozenset({9, 10, 11, 12, 13, 14, 15, 16})  # not yet valid, expired; of certificate and CRL
_OWN_FAULT: Final = frozenset({1, 17, 65, 69, 81})  # unspecified, out of memory, invalid call, store lookup


def cause_of_verify_code(code: int) -> Cause:
    """The cause of an X509_V_ERR_* number; all but the expiries mean that the chain is not to be trusted."""
    return Cause.TLS_CERTIFICATE_EXPIRED if code in _EXPIRED else Cause.TLS_CERTIFICATE_UNTRUSTED


#: errno of Linux, macOS/BSD and Winsock (10000 and above), and the resolver's negative numbers.
ERRNO: Final[Mapping[int, Cause]] = {
    **dict.fromkeys((111, 61, 10061), Cause.CONNECTION_REFUSED),
    **dict.fromkeys(
        (110, 60, 113, 65, 101, 51, 112, 64, 99, 49, 100, 50, 121, 10060, 10065, 10051, 10064, 10049, 10050, 11),
        Cause.CONNECTION_TIMEOUT,
    ),
    **dict.fromkeys(
        (104, 54, 32, 103, 53, 107, 57, 108, 58, 102, 52, 10054, 10053, 10052, 10057, 10058, 995, 1236, 9), Cause.CONNECTION_DROPPED
    ),
    **dict.fromkeys((-2, -3, -4, -5, -8, 11001, 11002, 11003, 11004), Cause.DNS_FAILURE),
    # Node's numbers: the negated errno, and libuv's own on Windows
    **dict.fromkeys((-111, -61, -4078), Cause.CONNECTION_REFUSED),
    **dict.fromkeys((-110, -60, -113, -101, -4039, -4062, -4073), Cause.CONNECTION_TIMEOUT),
    **dict.fromkeys((-104, -54, -32, -4047, -4077, -4079, -4095), Cause.CONNECTION_DROPPED),
    **dict.fromkeys((-3008, -3001), Cause.DNS_FAILURE),
    **dict.fromkeys((24, 23, 10024, 12), Cause.UNKNOWN),  # our own table of descriptors, or memory
    **dict.fromkeys((71, 100_71), Cause.PROTOCOL_ERROR),
}

#: Classes that tell what the network did: they decide before the general words, which are about what servers say.
EXCEPTIONS: Final[Mapping[str, Cause]] = {
    "gaierror": Cause.DNS_FAILURE,
    "herror": Cause.DNS_FAILURE,
    "NXDOMAIN": Cause.DNS_FAILURE,
    "NoAnswer": Cause.DNS_FAILURE,
    "NoNameservers": Cause.DNS_FAILURE,
    "LifetimeTimeout": Cause.DNS_FAILURE,
    "YXDOMAIN": Cause.DNS_FAILURE,
    "DNSError": Cause.DNS_FAILURE,
    "ClientConnectorDNSError": Cause.DNS_FAILURE,
    "UnknownHostException": Cause.DNS_FAILURE,
    "NameResolutionError": Cause.DNS_FAILURE,
    "UnicodeError": Cause.DNS_FAILURE,
    "UnicodeEncodeError": Cause.DNS_FAILURE,
    "ECONNREFUSED": Cause.CONNECTION_REFUSED,
    "ConnectionRefusedError": Cause.CONNECTION_REFUSED,
    "ConnectException": Cause.CONNECTION_REFUSED,
    "SMTPConnectTimeoutError": Cause.CONNECTION_TIMEOUT,
    "SMTPReadTimeoutError": Cause.CONNECTION_TIMEOUT,
    "SMTPTimeoutError": Cause.CONNECTION_TIMEOUT,
    "TimeoutError": Cause.CONNECTION_TIMEOUT,
    "timeout": Cause.CONNECTION_TIMEOUT,
    "CommandTimeout": Cause.CONNECTION_TIMEOUT,
    "ReadTimeout": Cause.CONNECTION_TIMEOUT,
    "ConnectTimeout": Cause.CONNECTION_TIMEOUT,
    "WriteTimeout": Cause.CONNECTION_TIMEOUT,
    "PoolTimeout": Cause.CONNECTION_TIMEOUT,
    "ServerTimeoutError": Cause.CONNECTION_TIMEOUT,
    "ConnectionTimeoutError": Cause.CONNECTION_TIMEOUT,
    "SocketTimeoutError": Cause.CONNECTION_TIMEOUT,
    "SocketTimeoutException": Cause.CONNECTION_TIMEOUT,
    "NoRouteToHostException": Cause.CONNECTION_TIMEOUT,
    "OpenTimeout": Cause.CONNECTION_TIMEOUT,
    "ETIMEDOUT": Cause.CONNECTION_TIMEOUT,
    "EHOSTUNREACH": Cause.CONNECTION_TIMEOUT,
    "ENETUNREACH": Cause.CONNECTION_TIMEOUT,
    "ECONNRESET": Cause.CONNECTION_DROPPED,
    "EPIPE": Cause.CONNECTION_DROPPED,
    "ECONNABORTED": Cause.CONNECTION_DROPPED,
    "ConnectionResetError": Cause.CONNECTION_DROPPED,
    "ConnectionAbortedError": Cause.CONNECTION_DROPPED,
    "BrokenPipeError": Cause.CONNECTION_DROPPED,
    "SMTPServerDisconnected": Cause.CONNECTION_DROPPED,
    "ServerDisconnectedError": Cause.CONNECTION_DROPPED,
    "ClientOSError": Cause.CONNECTION_DROPPED,
    "ReadError": Cause.CONNECTION_DROPPED,
    "WriteError": Cause.CONNECTION_DROPPED,
    "IncompleteReadError": Cause.CONNECTION_DROPPED,
    "IncompleteRead": Cause.CONNECTION_DROPPED,
    "EOFError": Cause.CONNECTION_DROPPED,
    "EOFException": Cause.CONNECTION_DROPPED,
    "SocketException": Cause.CONNECTION_DROPPED,
    "ClientConnectionResetError": Cause.CONNECTION_DROPPED,
    "ClientPayloadError": Cause.CONNECTION_DROPPED,
    "SSLCertVerificationError": Cause.TLS_CERTIFICATE_UNTRUSTED,
    "CertificateError": Cause.TLS_CERTIFICATE_UNTRUSTED,
    "ClientConnectorCertificateError": Cause.TLS_CERTIFICATE_UNTRUSTED,
    "CertPathValidatorException": Cause.TLS_CERTIFICATE_UNTRUSTED,
    "SSLPeerUnverifiedException": Cause.TLS_CERTIFICATE_UNTRUSTED,
    "SSLError": Cause.TLS_HANDSHAKE_FAILED,
    "SSLZeroReturnError": Cause.CONNECTION_DROPPED,
    "SSLEOFError": Cause.CONNECTION_DROPPED,
    "SSLSyscallError": Cause.CONNECTION_DROPPED,
    "SSLHandshakeException": Cause.TLS_HANDSHAKE_FAILED,
    "SSLException": Cause.TLS_HANDSHAKE_FAILED,
    "ClientConnectorSSLError": Cause.TLS_HANDSHAKE_FAILED,
    "RemoteProtocolError": Cause.PROTOCOL_ERROR,
    "LocalProtocolError": Cause.PROTOCOL_ERROR,
    "LineTooLong": Cause.PROTOCOL_ERROR,
    # what `probe` finds by itself: the words with them quote a peer that is not to be believed
    "ProtocolViolationError": Cause.PROTOCOL_ERROR,
    "StartTlsUnavailableError": Cause.TLS_REQUIRED,
    "TlsRequiredError": Cause.TLS_REQUIRED,
    "MechanismUnsupportedError": Cause.MECHANISM_UNSUPPORTED,
    "JSONDecodeError": Cause.SERVER_UNAVAILABLE,
    "ContentTypeError": Cause.SERVER_UNAVAILABLE,
    "BadStatusLine": Cause.PROTOCOL_ERROR,
    "RemoteDisconnected": Cause.CONNECTION_DROPPED,
    "ConnectTimeoutError": Cause.CONNECTION_TIMEOUT,
    "ConnectError": Cause.CONNECTION_REFUSED,
    "ClientConnectorError": Cause.CONNECTION_REFUSED,
}

#: Classes by which a client tells the status of an IMAP reply that it hands on without it (Ruby's Net::IMAP, Java Mail).
STATUSES: Final[Mapping[str, str]] = {
    "NoResponseError": "NO",
    "BadResponseError": "BAD",
    "ByeResponseError": "BYE",
    "CommandFailedException": "NO",
    "BadCommandException": "BAD",
}

#: Classes that only carry what a server said: they decide when its words did not.
CARRIERS: Final[Mapping[str, Cause]] = {
    "SMTPConnectError": Cause.CONNECTION_REFUSED,
    "SMTPHeloError": Cause.PROTOCOL_ERROR,
    "SMTPNotSupported": Cause.MECHANISM_UNSUPPORTED,
    "SMTPResponseException": Cause.PROTOCOL_ERROR,
    "UnicodeDecodeError": Cause.PROTOCOL_ERROR,
    "SMTPAuthenticationError": Cause.INVALID_CREDENTIALS,
    "AuthenticationFailedException": Cause.INVALID_CREDENTIALS,
    "MailboxLoginError": Cause.INVALID_CREDENTIALS,
    "MailboxFolderSelectError": Cause.MAILBOX_MISSING,
    "SMTPSenderRefused": Cause.ACCESS_DENIED,
    "SMTPRecipientsRefused": Cause.MAILBOX_MISSING,
    "ImapProtocolException": Cause.PROTOCOL_ERROR,
    "Abort": Cause.CONNECTION_DROPPED,
    "abort": Cause.CONNECTION_DROPPED,
    "SMTPNotSupportedError": Cause.MECHANISM_UNSUPPORTED,
}
