"""The configuration of a private Dovecot 2.3: everything below one directory, on loopback, as root or as anybody."""

import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from servers import login_log, tokens
from servers.authority import Certificate

#: Where Dovecot's authentication asks how long an address must wait; without it nobody waits.
PENALTY_SOCKET = "anvil-auth-penalty"


class Ports(NamedTuple):
    """Where a Dovecot listens; `relay` is where it hands submissions on to."""

    imap: int
    imaps: int
    submission: int
    submissions: int
    lmtp: int
    auth: int
    relay: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DovecotOptions:
    """How a Dovecot differs from one that serves everybody at once and without delay."""

    users: int = 20  #: `u00001`, `u00002`, … with the passwords `pw-u00001`, …
    passwords: Mapping[str, str] | None = None  #: further users
    certificate: Certificate = Certificate.GOOD
    max_userip_connections: int = 0  #: per user and client address; 0 is no limit
    auth_failure_delay_seconds: int = 0  #: how long a refusal is held back
    auth_penalty: bool = False  #: each refusal slows the client's address down, up to 15 s
    plaintext_login: bool = False  #: accept secrets without TLS (loopback counts as secure to Dovecot all the same)
    mechanisms: str = "plain login xoauth2 oauthbearer"
    greeting: str = "Dovecot ready."
    quota_bytes: int = 4096  #: of the user `quota`
    suspended_reason: str = "Account_suspended_for_abuse"  #: what the user `suspended` is told; no spaces
    login_client_limit: int = 2000  #: connections one login process holds
    imap_process_limit: int = 500
    extra_config: str = ""  #: appended; wins over what is above it


def users_file(options: DovecotOptions, passwords: Mapping[str, str]) -> str:
    """The password file: *passwords* by user, and the extra fields of the users that show a fault."""
    extra = {
        "suspended": f"nologin=y reason={options.suspended_reason}",
        "nologin": "nologin=y",
        "quota": f"userdb_quota_rule=*:bytes={options.quota_bytes}",
        "elsewhere": "allow_nets=10.9.9.0/24",
        "unstored": "userdb_mail=maildir:/proc/absent",
        "nouserdb": "user=ghost",
    }
    return "".join(f"{user}:{{PLAIN}}{password}::::::{extra.get(user, '')}\n" for user, password in passwords.items())


def oauth2_config(root: Path) -> str:
    """Tokens are checked with a key on disk, without asking anybody (RFC 7519, HS256)."""
    return f"""
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={root}/keys/
username_attribute = sub
issuers = {tokens.ISSUER}
client_id = {tokens.CLIENT_ID}
openid_configuration_url = {tokens.ISSUER}/.well-known/openid-configuration
"""


def render(root: Path, ports: Ports, options: DovecotOptions) -> str:
    """`dovecot.conf`."""
    parts = (
        _general(root, options),
        _accounts(root),
        _services(ports, options),
        _mail(ports),
        login_log.CONFIG,
        options.extra_config,
    )
    return "\n".join(parts)


def mail_owner() -> tuple[str, str]:
    """User and group that own the mail: Dovecot's own when root starts it, else whoever does."""
    if os.geteuid() == 0:
        return "dovecot", "dovecot"
    return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name


def _general(root: Path, options: DovecotOptions) -> str:
    user, group = mail_owner()
    login_user = "dovenull" if os.geteuid() == 0 else user
    return f"""
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
instance_name = mailwatch-tests
listen = 127.0.0.1
protocols = imap lmtp submission
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login_user}
first_valid_uid = 1
default_process_limit = 1000
default_client_limit = 20000
ssl = yes
ssl_cert = <{root}/server.pem
ssl_key = <{root}/server.key
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = {"no" if options.plaintext_login else "yes"}
auth_mechanisms = {options.mechanisms}
auth_failure_delay = {options.auth_failure_delay_seconds} secs
auth_username_format = %Ln
auth_verbose = yes
login_greeting = {options.greeting}
mail_max_userip_connections = {options.max_userip_connections}
"""


def _accounts(root: Path) -> str:
    user, group = mail_owner()
    return f"""
mail_location = maildir:{root}/mail/%u
mailbox_list_index = no
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN username_format=%u {root}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {root}/oauth2.conf
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {root}/users
  override_fields = uid={user} gid={group} home={root}/mail/%u
}}
namespace inbox {{
  inbox = yes
}}
"""


def _services(ports: Ports, options: DovecotOptions) -> str:
    jail = "" if os.geteuid() == 0 else "chroot ="
    penalty = "" if options.auth_penalty else f"unix_listener {PENALTY_SOCKET} {{\n    mode = 0\n  }}"
    return f"""
service imap-login {{
  {jail}
  service_count = 0
  client_limit = {options.login_client_limit}
  process_limit = 4
  inet_listener imap {{
    port = {ports.imap}
  }}
  inet_listener imaps {{
    port = {ports.imaps}
    ssl = yes
  }}
}}
service submission-login {{
  {jail}
  service_count = 0
  client_limit = {options.login_client_limit}
  process_limit = 4
  inet_listener submission {{
    port = {ports.submission}
  }}
  inet_listener submissions {{
    port = {ports.submissions}
    ssl = yes
  }}
}}
service imap {{
  process_limit = {options.imap_process_limit}
  service_count = 100
}}
service lmtp {{
  inet_listener lmtp {{
    port = {ports.lmtp}
  }}
}}
service auth {{
  inet_listener {{
    port = {ports.auth}
  }}
}}
service anvil {{
  {jail}
  {penalty}
}}
service stats {{
  {jail}
}}
"""


def _mail(ports: Ports) -> str:
    return f"""
hostname = mail.test
submission_relay_host = 127.0.0.1
submission_relay_port = {ports.relay}
submission_relay_trusted = yes
mail_plugins = quota
protocol lmtp {{
  postmaster_address = postmaster@mail.test
}}
protocol imap {{
  mail_plugins = $mail_plugins imap_quota
}}
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage=1G
  quota_status_overquota = 552 5.2.2 Mailbox is full
}}
"""
