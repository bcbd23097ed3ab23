"""The words for faults of mailwatch's own that keep it from looking at a mailbox: what it is, and what heals it.

Such a fault is never a mailbox's failure: it changes no state.  So it must be told beside the state, or nobody would know that
what is shown is old.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mailwatch.core.lifecycle import State
from mailwatch.core.standing import Standing


@dataclass(frozen=True, slots=True)
class Impairment:
    """One fault of our own: a sentence for operators and the steps that heal it."""

    sentence: str
    remedy: tuple[str, ...]


_KEYS: Final = "Put the key ring back that sealed it, from its copy, and run `mailwatch config check --secrets`."
_SET_SECRET: Final = (
    "Where that key is lost, store the password anew: `mailwatch mailbox set-secret ADDRESS`, or let its owner consent."
)
_LOG: Final = "Read what the log says of it: `journalctl -u mailwatch -g probe.impaired`."

#: No login may be sent, since as many were refused as its secret's budget allows.
LOGIN_BUDGET: Final = "login_budget"

IMPAIRMENTS: Final[Mapping[str, Impairment]] = MappingProxyType(
    {
        "secret_unreadable": Impairment("its stored secret cannot be opened with the key ring of this node.", (_KEYS, _SET_SECRET)),
        "secret_missing": Impairment(
            "no secret is stored for it.",
            ("Store its password: `mailwatch mailbox set-secret ADDRESS`, or let its owner consent.",),
        ),
        "secret_unsendable": Impairment(
            "its user name or secret holds characters that no login can carry.",
            ("Store the secret without control characters and line ends: `mailwatch mailbox set-secret ADDRESS`.",),
        ),
        "cleartext_refused": Impairment(
            "one of its servers is to be spoken to without TLS, and this node does not allow that.",
            (
                "Add it anew with an endpoint that has TLS (imaps://, smtps://, imap+starttls://, smtp+starttls://).",
                "Only where nobody can listen on the way: set `[network] allow_cleartext = true` and reload.",
            ),
        ),
        "oauth_app_unknown": Impairment(
            "it logs in through an OAuth application that the configuration does not name.",
            ("Put its `[oauth.NAME]` section back into the configuration and reload, or add the mailbox anew with another one.",),
        ),
        "no_token_source": Impairment(
            "this node has no OAuth applications to get tokens from.", ("Configure its `[oauth.NAME]` and restart mailwatch.",)
        ),
        "service_account_unusable": Impairment(
            "the key of its application's service account is no usable RSA key.",
            ("Mend `service_account` of its `[oauth.NAME]`, check with `mailwatch config check --secrets`, reload.",),
        ),
        "token_refresh_pending": Impairment(
            "another node is renewing its access token and has not stored it yet.",
            ("Nothing, if it passes. If it lasts: `mailwatch status` on each node, and the log of the one that is stuck.",),
        ),
        "token_not_renewable": Impairment("there is no other access token for it.", (_LOG,)),
        "store_failing": Impairment(
            "the database does not hand out what a login needs.",
            ("Look after the database: free space, its log, `mailwatch db check`.",),
        ),
        LOGIN_BUDGET: Impairment(
            "as many logins of its secret were refused as may be within a day, so it is only reached, without a login.",
            (
                "Nothing, if that can wait: logins go on by themselves once the refused ones are a day old.",
                "Else `mailwatch mailbox reconnect ADDRESS`: it allows one login more. A new password allows all.",
            ),
        ),
        "mailbox_removed": Impairment("it was removed while it was looked at.", ("Nothing.",)),
        "ca_store_empty": Impairment(
            "this machine trusts no certificate authority at all.",
            ("Reinstall the package ca-certificates, or mend `[network] ca_file`.",),
        ),
        "network_unreachable": Impairment(
            "this machine has no route to its server.",
            ("Mend the route or the address family: `ip route get ADDRESS_OF_THE_SERVER`.",),
        ),
        "local_policy": Impairment(
            "a rule of this machine forbids the connection (firewall, route, sandbox).",
            ("Let mailwatch connect to the server's port: look at nftables, `ip route`, and the unit's sandbox.",),
        ),
        "out_of_ports": Impairment(
            "this machine has no free port left for connections.",
            ("Widen `net.ipv4.ip_local_port_range`, or lower `[probing] max_in_flight`.",),
        ),
        "out_of_descriptors": Impairment(
            "this process has no file descriptor left.", ("Raise `LimitNOFILE` of the unit, or lower `[probing] max_in_flight`.",)
        ),
        "out_of_memory": Impairment("this machine has no memory left for connections.", ("Give it memory, or lower its load.",)),
        "no_socket": Impairment("this machine does not give out a socket.", (_LOG,)),
        "no_resolver_configuration": Impairment(
            "this machine names no name server.", ("Mend /etc/resolv.conf, or set `[network] nameservers`, and restart mailwatch.",)
        ),
        "target_denied": Impairment(
            "one of its servers has no address and port that this node may connect to: `[network] allow_private_hosts` and "
            "`allowed_networks` say which.",
            (
                "Look where its host leads: `getent ahosts HOST`; where that is wrong, its DNS is to be mended.",
                "A server of ours: name its network in `[network] allowed_networks` or set `allow_private_hosts`, and restart.",
                "Elsewhere only the ports of mail are used (25, 143, 465, 587, 993, 2525): add it anew with one of these.",
                "Metadata services of clouds and mailwatch's own address are denied whatever is set.",
            ),
        ),
        "source_address_unusable": Impairment(
            "the address that connections are to come from is none of this machine's.",
            ("Give the address back to this machine, or connect from another one.",),
        ),
    }
)
_UNNAMED: Final = Impairment("a fault of mailwatch's own prevents it.", (_LOG,))
#: States in which nobody wants the mailbox looked at.
UNWATCHED: Final = frozenset({State.INACTIVE, State.HELD})
#: What passes by itself, or is told by a number of its own.
_PASSING: Final = frozenset({LOGIN_BUDGET, "mailbox_removed", "token_refresh_pending"})


def blinds(name: str) -> bool:
    """Whether the impairment of this *name* leaves its mailboxes unseen until somebody heals it."""
    return name not in _PASSING


def sentence_of(name: str) -> str:
    """What the impairment of this *name* is, as it ends a sentence about a mailbox."""
    return IMPAIRMENTS.get(name, _UNNAMED).sentence


def impairment_of(standing: Standing) -> Impairment | None:
    """What keeps mailwatch from looking at the mailbox now, in words; None when nothing does, or it is not to be looked at."""
    if standing.impairment is None or standing.state in UNWATCHED:
        return None
    found = IMPAIRMENTS.get(standing.impairment, _UNNAMED)
    return Impairment(f"mailwatch cannot look at it: {found.sentence}", found.remedy)
