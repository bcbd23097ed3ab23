"""Dovecot 2.3 in private: IMAP, submission, LMTP, and the SASL that Postfix asks."""

import base64
import os
import shutil
import smtplib
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from servers.authority import Authority
from servers.dovecot_config import PENALTY_SOCKET, DovecotOptions, Ports, mail_owner, oauth2_config, render, users_file
from servers.login_log import LoginTry, read_login_log
from servers.process import ServerProcess, free_port
from servers.relay import Relay
from servers.tokens import SIGNING_KEY, access_token

#: Users that each show one fault, with the password `pw-` and their name.
FAULTY_USERS = ("suspended", "nologin", "quota", "elsewhere", "unstored", "nouserdb")
DOMAIN = "mail.test"


class Dovecot:
    """One Dovecot below *root*; a context manager that starts and ends it.

    Users log in as `u00001` or `u00001@mail.test` with `pw-u00001`. Where no Postfix takes its submissions (see `Ports.relay`),
    `with_relay` hands them back to its own LMTP, so that what is sent arrives.
    """

    def __init__(
        self, root: Path, options: DovecotOptions | None = None, *, authority: Authority | None = None, with_relay: bool = True
    ) -> None:
        self.root, self.options, self.authority = root, options or DovecotOptions(), authority or Authority()
        self.ports = Ports(*(free_port() for _ in Ports._fields))
        self.log = root / "dovecot.log"
        self.ca_file = root / "ca.pem"
        self._passwords = {name: f"pw-{name}" for name in (*map(user_name, range(1, self.options.users + 1)), *FAULTY_USERS)}
        self._passwords.update(self.options.passwords or {})
        self._relay = Relay(self.ports.relay, self.ports.lmtp) if with_relay else None
        command = ["/usr/sbin/dovecot", "-F", "-c", str(root / "dovecot.conf")]
        # Clients have their farewell at once; a process that still looks for its neighbours would take five seconds to give up.
        self.process = ServerProcess("Dovecot", command, log=self.log, grace_seconds=1.5)
        self._users_written = 0
        self._prepare()

    @property
    def has_relay(self) -> bool:
        """Whether it brings its own relay for submissions; without, something else must listen at `ports.relay`."""
        return self._relay is not None

    @property
    def users(self) -> Sequence[str]:
        """The names of all users."""
        return tuple(self._passwords)

    def password(self, user: str) -> str:
        """The password of *user* as it is now."""
        return self._passwords[user]

    imap_port = property(lambda self: self.ports.imap, doc="IMAP with STARTTLS.")
    imaps_port = property(lambda self: self.ports.imaps, doc="IMAP with implicit TLS.")
    submission_port = property(lambda self: self.ports.submission, doc="Submission with STARTTLS.")
    submissions_port = property(lambda self: self.ports.submissions, doc="Submission with implicit TLS.")
    lmtp_port = property(lambda self: self.ports.lmtp, doc="LMTP, without authentication.")
    auth_port = property(lambda self: self.ports.auth, doc="SASL for Postfix.")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()  # a gentle end takes it a second, and nobody listens any more
        self.stop()

    def start(self) -> None:
        """Start, or start again on the same ports; returns when all of them accept."""
        if self._relay:
            self._relay.start()
        listening = (*self.ports,) if self._relay else self.ports[:-1]
        self.process.start(*listening)

    def stop(self) -> None:
        """End it: clients get its farewell, then a closed port."""
        self.process.stop()
        if self._relay:
            self._relay.stop()

    def crash(self) -> None:
        """End it in a moment: conversations break off, and from then on its ports refuse.

        `stop` takes it a while, in which a busy machine still lets clients in, and drops them.
        """
        self.process.kill()
        self.stop()

    def restart_with(self, **options: Any) -> None:
        """Stop, change these options, and start again on the same ports; accounts and mail stay."""
        self.stop()
        self.options = replace(self.options, **options)
        self._write_config()
        self.start()

    def set_password(self, user: str, password: str) -> None:
        """Give *user* (new or known) another password; holds when this returns, up to a second later."""
        self.set_passwords({user: password})

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """The same for several users at once."""
        self._passwords.update(passwords)
        self._write_users()

    def forget_user(self, user: str) -> None:
        """Delete the account of *user*; its mail stays."""
        del self._passwords[user]
        self._write_users()

    def access_token(self, user: str, *, valid_seconds: float = 3600) -> str:
        """An OAuth token that logs *user* in (XOAUTH2, OAUTHBEARER); with negative *valid_seconds* an expired one."""
        return access_token(user, valid_seconds=valid_seconds)

    def login_log(self, user: str | None = None) -> Sequence[LoginTry]:
        """All authentications decided so far, of *user* or of all, oldest first."""
        return [one for one in read_login_log(self.log) if user is None or one.user == user]

    def rejected(self, user: str | None = None) -> int:
        """How many authentications were refused so far, of *user* or of all."""
        return sum(not one.accepted for one in self.login_log(user))

    def accepted(self, user: str | None = None) -> int:
        """How many authentications were accepted so far, of *user* or of all."""
        return sum(one.accepted for one in self.login_log(user))

    def rejected_by_user(self) -> Counter[str]:
        """Refused authentications by user."""
        return Counter(one.user for one in self.login_log() if not one.accepted)

    def deliver(self, user: str, *, subject: str = "a message", size_bytes: int = 100) -> None:
        """Put a message into *user*'s inbox over LMTP; raises smtplib.SMTPRecipientsRefused or SMTPDataError when it is full."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = f"sender@{DOMAIN}", f"{user}@{DOMAIN}", subject
        message.set_content("x" * 70 + "\n" + ("x" * 70 + "\n") * (size_bytes // 71))
        with smtplib.LMTP("127.0.0.1", self.ports.lmtp) as lmtp:
            lmtp.send_message(message)

    def _prepare(self) -> None:
        for name in ("run", "state", "mail", "keys/default/HS256"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.authority.write_ca(self.ca_file)
        # Where Dovecot looks for a key that a token names neither by `azp` nor by `kid`.
        (self.root / "keys/default/HS256/default").write_bytes(base64.b64encode(SIGNING_KEY))
        (self.root / "oauth2.conf").write_text(oauth2_config(self.root))
        self._write_users()
        self._write_config()
        if os.geteuid() == 0:
            user, group = mail_owner()
            for name in ("mail", "state"):
                shutil.chown(self.root / name, user, group)

    def _write_config(self) -> None:
        penalty_socket = self.root / "run" / PENALTY_SOCKET
        penalty_socket.unlink(missing_ok=True)
        if not self.options.auth_penalty:
            # A socket that is absent Dovecot looks for for five seconds; one that can never be reached it does without at once.
            penalty_socket.symlink_to(PENALTY_SOCKET)
        self.authority.issue(self.options.certificate).write(self.root)
        (self.root / "dovecot.conf").write_text(render(self.root, self.ports, self.options))

    def _write_users(self) -> None:
        """Replace the file whole, each time with a later modification time: Dovecot re-reads it by that, in whole seconds."""
        draft, path = self.root / "users.new", self.root / "users"
        draft.write_text(users_file(self.options, self._passwords))
        draft.chmod(0o644)
        moment = int(draft.stat().st_mtime) - 1_000_000 + self._users_written
        os.utime(draft, (moment, moment))
        self._users_written += 1
        draft.replace(path)
        if self.process.running:
            # It looks at the file once in a second of the clock: a login in this one may yet find the old passwords.
            time.sleep(1.01 - time.time() % 1)


def user_name(number: int) -> str:
    """The name of the user of that number, from 1."""
    return f"u{number:05d}"


def main() -> None:
    """Serve until Enter is pressed: `python -m servers.dovecot DIR`, for trying things by hand."""
    with Dovecot(Path(sys.argv[1]).resolve()) as dovecot:
        print(dovecot.ports, dovecot.ca_file)
        input()


if __name__ == "__main__":
    main()
