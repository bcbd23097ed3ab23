"""Postfix 3.7 in private: submission with AUTH asked of a Dovecot, delivery to its LMTP.  Its master process insists on root."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from servers.authority import Certificate
from servers.dovecot import DOMAIN, Dovecot
from servers.process import ServerFailedError, ServerProcess, free_port

_DAEMONS = Path("/usr/lib/postfix/sbin")
_REFUSED = re.compile(r"SASL (?P<mechanism>\S+) authentication failed")
_ACCEPTED = re.compile(r"sasl_method=\S+, sasl_username=(?P<user>\S+)")


class Ports(NamedTuple):
    """Where a Postfix listens."""

    submission: int
    submissions: int
    smtp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostfixOptions:
    """How a Postfix differs from one that serves every authenticated sender."""

    certificate: Certificate = Certificate.GOOD
    settings: Mapping[str, str] = field(default_factory=dict)  #: of main.cf; they win
    submission_settings: Mapping[str, str] = field(default_factory=dict)  #: of the two submission services alone
    master_lines: str = ""  #: appended to master.cf


class Postfix:
    """One Postfix below *root*, in front of *dovecot*; a context manager that starts and ends it.

    Its port without authentication is where that Dovecot hands its own submissions on to, if it has no relay of its own.
    """

    def __init__(self, root: Path, dovecot: Dovecot, options: PostfixOptions | None = None) -> None:
        self.root, self.dovecot, self.options = root, dovecot, options or PostfixOptions()
        taken = dovecot.has_relay
        self.ports = Ports(free_port(), free_port(), free_port() if taken else dovecot.ports.relay)
        self.log = root / "mail.log"
        self.ca_file = dovecot.ca_file
        command = [str(_DAEMONS / "master"), "-c", str(root / "etc"), "-s"]
        self.process = ServerProcess("Postfix", command, log=self.log)
        self._prepare()

    submission_port = property(lambda self: self.ports.submission, doc="Submission with STARTTLS.")
    submissions_port = property(lambda self: self.ports.submissions, doc="Submission with implicit TLS.")
    smtp_port = property(lambda self: self.ports.smtp, doc="SMTP from other servers: no AUTH, STARTTLS on offer.")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, or start again on the same ports; returns when all of them accept."""
        self.process.start(*self.ports)

    def stop(self) -> None:
        """End it; the queue stays."""
        self.process.stop()

    def restart_with(self, **options: Any) -> None:
        """Stop, change these options, and start again on the same ports."""
        self.stop()
        self.options = replace(self.options, **options)
        self._write_config()
        self.start()

    def rejected(self) -> int:
        """How many AUTH commands were refused so far."""
        return len(_REFUSED.findall(self.log.read_text(errors="replace")))

    def accepted(self, user: str | None = None) -> int:
        """How many messages were begun by authenticated senders so far, by *user* or by all."""
        return sum(user in (None, who) for who in _ACCEPTED.findall(self.log.read_text(errors="replace")))

    def _prepare(self) -> None:
        for name in ("etc", "spool", "data"):
            (self.root / name).mkdir(exist_ok=True)
        shutil.chown(self.root / "data", "postfix")
        self.log.touch()
        self._write_config()
        # It checks the configuration, and lays the queue directories out.
        done = subprocess.run(
            ["/usr/sbin/postfix", "-c", str(self.root / "etc"), "check"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerFailedError(f"postfix check: {done.stderr}{self.log.read_text()}")

    def _write_config(self) -> None:
        self.dovecot.authority.issue(self.options.certificate).write(self.root)
        settings = {**_settings(self.root, self.dovecot), **self.options.settings}
        etc = self.root / "etc"
        (etc / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        (etc / "master.cf").write_text(_services(self.ports, self.options))
        users = "|".join(map(re.escape, self.dovecot.users))
        (etc / "mailboxes").write_text(f"/^({users})@{re.escape(DOMAIN)}$/ ok\n")


def _settings(root: Path, dovecot: Dovecot) -> dict[str, str]:
    nowhere = "error:5.7.1 nothing leaves this machine"
    return {
        "compatibility_level": "3.6",
        "queue_directory": f"{root}/spool",
        "data_directory": f"{root}/data",
        "command_directory": "/usr/sbin",
        "daemon_directory": str(_DAEMONS),
        "shlib_directory": "/usr/lib/postfix",
        "meta_directory": "/etc/postfix",
        "mail_owner": "postfix",
        "setgid_group": "postdrop",
        "maillog_file": f"{root}/mail.log",
        "maillog_file_prefixes": str(root),
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "myhostname": DOMAIN,
        "mydestination": "",
        "mynetworks": "127.0.0.0/8",
        "biff": "no",
        "alias_maps": "",
        "local_recipient_maps": "",
        "local_transport": nowhere,
        "default_transport": nowhere,
        "relay_transport": nowhere,
        "virtual_mailbox_domains": DOMAIN,
        "virtual_mailbox_maps": f"regexp:{root}/etc/mailboxes",
        "virtual_transport": f"lmtp:inet:127.0.0.1:{dovecot.lmtp_port}",
        "smtpd_tls_cert_file": f"{root}/server.pem",
        "smtpd_tls_key_file": f"{root}/server.key",
        "smtpd_tls_security_level": "may",
        "smtpd_tls_auth_only": "yes",
        "smtpd_tls_session_cache_database": "",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": f"inet:127.0.0.1:{dovecot.auth_port}",
        "smtpd_sasl_security_options": "noanonymous",
        "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
        "smtpd_peername_lookup": "no",
        # Everybody here is one address: limits by address would limit the test.
        "smtpd_client_connection_rate_limit": "0",
        "smtpd_client_connection_count_limit": "0",
        "smtpd_client_auth_rate_limit": "0",
        "smtpd_client_event_limit_exceptions": "",
        # Else each queue file waits a second once the queue manager lags, and probes would measure that.
        "in_flow_delay": "0s",
    }


def _services(ports: Ports, options: PostfixOptions) -> str:
    authenticated = {
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
        **options.submission_settings,
    }
    submission = {"syslog_name": "postfix/submission", "smtpd_tls_security_level": "encrypt", **authenticated}
    submissions = {"syslog_name": "postfix/submissions", "smtpd_tls_wrappermode": "yes", **authenticated}
    lines = [f"{ports.smtp} inet n - n - 100 smtpd"]
    for port, own in ((ports.submission, submission), (ports.submissions, submissions)):
        lines.append(f"{port} inet n - n - 200 smtpd")
        lines += [f"  -o {{ {name} = {value} }}" for name, value in own.items()]
    return "\n".join([*lines, _INNER_SERVICES, options.master_lines, ""])


_INNER_SERVICES = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd"""
