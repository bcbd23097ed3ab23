"""What the page calls states, triggers and phases: short words, each with an icon, so that colour alone never tells anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mailwatch.core.cause_texts import what_happened
from mailwatch.core.causes import Cause, Owner
from mailwatch.core.evidence import Phase
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.lifecycle import State, Trigger


@dataclass(frozen=True, slots=True)
class StateWord:
    """How a state is shown: `word` beside the icon, `counter` above the list, `meaning` where there is room for a sentence."""

    word: str
    counter: str
    icon: str
    meaning: str


STATES: Final[Mapping[State, StateWord]] = MappingProxyType(
    {
        State.BLOCKED: StateWord(
            "Needs action", "Need action", "hand", "Only a person can set it right; no login is tried until then."
        ),
        State.RECONNECTING: StateWord(
            "Reconnecting", "Reconnecting", "cycle", "Disconnected. mailwatch keeps trying by itself; campaigns are paused."
        ),
        State.VERIFYING: StateWord("Verifying", "Verifying", "scan", "Reached again, and proving itself before campaigns resume."),
        State.SUSPECT: StateWord("Checking", "Checking", "alert", "A failure is being confirmed; campaigns still run."),
        State.HELD: StateWord("On hold", "On hold", "shield", "Paused for protection; nothing is probed until the hold ends."),
        State.PENDING: StateWord("New", "New", "clock", "Waits for its first look."),
        State.INACTIVE: StateWord("Inactive", "Inactive", "pause", "Disconnected by a person; nothing is probed."),
        State.CONNECTED: StateWord("Connected", "Connected", "check", "It works, and is looked at on schedule."),
    }
)

TRIGGERS: Final[Mapping[Trigger, str]] = MappingProxyType(
    {
        Trigger.PROBE_SUCCEEDED: "A probe succeeded.",
        Trigger.PROBE_FAILED: "A probe failed.",
        Trigger.FAILURE_CONFIRMED: "The failure was seen again; mailwatch reconnects by itself.",
        Trigger.PERSON_NEEDED: "The failure was seen again, and only a person can set it right.",
        Trigger.VERIFIED: "It proved itself: enough clean probes over enough time.",
        Trigger.OBSTACLE_CLEARED: "What stood in the way is gone.",
        Trigger.BROUGHT_BACK: "The incident that had stopped it is over, or is being felt for: it is tried again.",
        Trigger.NEW_SECRET: "A new password or consent was stored.",
        Trigger.RECONNECT: "A person asked for a reconnection.",
        Trigger.DISCONNECT: "A person disconnected it.",
        Trigger.HOLD: "It was put on hold.",
        Trigger.RELEASE: "The hold was released.",
        Trigger.HOLD_ENDED: "The hold reached its end.",
    }
)

PHASES: Final[Mapping[Phase, str]] = MappingProxyType(
    {
        Phase.RESOLVE: "name lookup",
        Phase.CONNECT: "connect",
        Phase.TLS: "TLS",
        Phase.GREETING: "greeting",
        Phase.STARTTLS: "STARTTLS",
        Phase.AUTH: "login",
        Phase.SELECT: "open inbox",
        Phase.IDLE: "idle",
        Phase.SUBMIT: "submission",
        Phase.QUIT: "goodbye",
        Phase.TOKEN: "access token",
    }
)

OWNERS: Final[Mapping[Owner, str]] = MappingProxyType(
    {
        Owner.NOBODY: "nobody",
        Owner.US: "you, the operators",
        Owner.MAILBOX_OWNER: "the mailbox's owner",
        Owner.TENANT_ADMIN: "the domain's administrator",
        Owner.PROVIDER: "the provider",
    }
)

_UPPER: Final = {"dns": "DNS", "tls": "TLS", "ip": "IP", "oauth": "OAuth", "mfa": "MFA"}
_PROVIDERS: Final = {"icloud": "iCloud", "aol": "AOL", "qq": "QQ", "gmx": "GMX", "ovh": "OVH", "ionos": "IONOS", "other": "Other"}
_SCOPES: Final = {ScopeKind.OAUTH_APP: "OAuth application", ScopeKind.ENDPOINT: "server", ScopeKind.DOMAIN: "domain"}


def cause_word(cause: Cause | str) -> str:
    """The cause's name as words: `invalid_credentials` -> `Invalid credentials`."""
    first, *others = str(cause).split("_")
    return " ".join([_UPPER.get(first, first.capitalize()), *(_UPPER.get(word, word) for word in others)])


def provider_word(provider: str) -> str:
    """The provider's name as people write it, where that is more than a capital."""
    return _PROVIDERS.get(provider, provider[:1].upper() + provider[1:])


def scope_word(scope: Scope | None) -> str:
    """What an incident or a maintenance is about, as it stands within a sentence; None is everything."""
    if scope is None:
        return "all mailboxes"
    if scope.kind is ScopeKind.EGRESS:
        return "mailwatch's own network"
    if scope.kind is ScopeKind.PROVIDER:
        return provider_word(scope.name)
    return f"the {_SCOPES[scope.kind]} {scope.name}"


def what_it_is(cause: Cause) -> str:
    """The first sentence about the cause: what is wrong, without what is done about a single mailbox."""
    return what_happened(cause)


def capital(text: str) -> str:
    """With a capital letter at its begin, but for mailwatch's own name."""
    return text if text.startswith("mailwatch") else text[:1].upper() + text[1:]


def number_word(number: int, one: str, many: str | None = None) -> str:
    """`1 mailbox`, `12,000 mailboxes`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
