"""What the dashboards show: panels with a title, an explanation, a unit and queries, in rows under headings.

Gauges that every node tells of the whole fleet are taken as `max by`, what each node counts of its own work as `sum`.
"""  # noqa: INP001  # a script's other half

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

#: What every query asks for: the chosen scrape job and nodes - and provider.
T: Final = 'job=~"$job",instance=~"$instance"'
P: Final = f'{T},provider=~"$provider"'

Steps = Sequence[tuple[float | None, str]]
_GREEN: Final[Steps] = ((None, "green"),)
_FEW: Final[Steps] = ((None, "green"), (1.0, "orange"))
_NONE: Final[Steps] = ((None, "green"), (1.0, "red"))
_UP: Final[Steps] = ((None, "red"), (1.0, "green"))
_SHARE: Final[Steps] = ((None, "red"), (0.9, "orange"), (0.98, "green"))


@dataclass(frozen=True)
class Panel:
    """One panel; *queries* are pairs of expression and legend."""

    title: str
    about: str
    unit: str
    queries: Sequence[tuple[str, str]]
    kind: str = "timeseries"
    width: int = 8
    stacked: bool = False
    steps: Steps = _GREEN
    decimals: int | None = None


@dataclass(frozen=True)
class Dashboard:
    """One dashboard."""

    uid: str
    title: str
    about: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    variables: Sequence[str] = ("job", "instance")


def number(title: str, about: str, unit: str, query: str, *, width: int = 4, steps: Steps = _GREEN) -> Panel:
    """One number, with its colour."""
    return Panel(
        title, about, unit, [(query, title.lower())], "stat", width, steps=steps, decimals=2 if unit == "percentunit" else None
    )


def lines(title: str, about: str, unit: str, *queries: tuple[str, str], width: int = 8) -> Panel:
    """Lines over time."""
    return Panel(title, about, unit, queries, width=width)


def layers(title: str, about: str, unit: str, *queries: tuple[str, str], width: int = 8) -> Panel:
    """What adds up to a whole, over time."""
    return replace(lines(title, about, unit, *queries, width=width), stacked=True)


def bars(title: str, about: str, unit: str, query: str, legend: str, *, width: int = 8, steps: Steps = _GREEN) -> Panel:
    """Bars, now."""
    return Panel(title, about, unit, [(query, legend)], "bargauge", width, steps=steps)


def table(title: str, about: str, unit: str, query: str, *, width: int = 12) -> Panel:
    """Rows, now."""
    return Panel(title, about, unit, [(query, "")], "table", width)


def told(metric: str, labels: str, by: str, chosen: str = T) -> str:
    """A gauge that every node tells of the whole fleet, by some of its *labels*."""
    return f"sum by ({by}) (max by (job, {labels}) (mailwatch_{metric}{{{chosen}}}))"


def in_all(metric: str, labels: str, chosen: str = T) -> str:
    """As `told`, of all together."""
    return f"sum(max by (job, {labels}) (mailwatch_{metric}{{{chosen}}}))"


def grown(metric: str, by: str, chosen: str = T, span: str = "$__rate_interval") -> str:
    """By how much a counter has grown."""
    return f"sum by ({by}) (increase(mailwatch_{metric}_total{{{chosen}}}[{span}]))"


def pace(metric: str, by: str, chosen: str = T) -> str:
    """A counter's growth a second."""
    return f"sum by ({by}) (rate(mailwatch_{metric}_total{{{chosen}}}[$__rate_interval]))"


def each(metric: str, how: str = "max") -> str:
    """A gauge of each node about itself."""
    return f"{how} by (instance) ({metric}{{{T}}})"


def quantile(q: float, metric: str, by: str, chosen: str = T) -> str:
    """A quantile of a histogram."""
    return f"histogram_quantile({q}, sum by (le, {by}) (rate(mailwatch_{metric}_bucket{{{chosen}}}[$__rate_interval])))"


def mailboxes(states: str, chosen: str = T) -> str:
    """Mailboxes in *states* (a regular expression)."""
    return in_all("mailboxes", "provider, state", f'{chosen},state=~"{states}"')


def connected(chosen: str = T) -> str:
    """The share of the watched mailboxes that work."""
    watched = mailboxes("connected|suspect|reconnecting|verifying|blocked|held|pending", chosen)
    return f"{mailboxes('connected|suspect', chosen)} / ({watched} > 0)"


_AWAY: Final = "reconnecting|verifying|blocked"
_WAITING: Final = told("mailboxes_waiting_for_person", "owner, cause", "owner, cause")
_PAUSED: Final = in_all("campaigns", "state, pause_reason", f'{T},state="paused",pause_reason="automatic"')
_EXPIRY: Final = f"min by (endpoint) (mailwatch_tls_certificate_expiry_timestamp_seconds{{{T}}})"
_FAILED: Final = pace("probes", "provider", f'{P},result="failed"')
_SAID_SOMETHING: Final = pace("probes", "provider", f'{P},result=~"failed|healthy"')
_OUTAGE: Final = "From the confirmed disconnection to the verified return."
_RECONNECTIONS: Final = "Verified, and attempts that failed."

FLEET: Final = Dashboard(
    "mailwatch-fleet",
    "mailwatch / fleet",
    "How all mailboxes are, what is wrong now, and who must act.",
    (
        (
            "Now",
            (
                number("Connected", "Share of the watched mailboxes that work.", "percentunit", connected(), steps=_SHARE),
                number(
                    "Being brought back", "mailwatch retries or verifies.", "short", mailboxes("reconnecting|verifying"), steps=_FEW
                ),
                number("Waiting for people", "Stopped until a person acts.", "short", mailboxes("blocked"), steps=_FEW),
                number(
                    "Open incidents",
                    "One each, however many mailboxes it took.",
                    "short",
                    in_all("incidents", "scope"),
                    steps=_NONE,
                ),
                number("Campaigns paused", "By mailwatch, for mailboxes that are away.", "short", _PAUSED, steps=_FEW),
                number(
                    "Own network", "At 0 no verdict is passed.", "short", f"min(mailwatch_self_connectivity_up{{{T}}})", steps=_UP
                ),
            ),
        ),
        (
            "Mailboxes",
            (
                layers(
                    "Mailboxes by state",
                    "What leaves connected, and how it comes back.",
                    "short",
                    (told("mailboxes", "provider, state", "state"), "{{state}}"),
                    width=12,
                ),
                layers(
                    "Mailboxes in open incidents",
                    "What outages took.",
                    "short",
                    (told("incident_mailboxes", "scope, provider, cause", "provider, cause"), "{{provider}}: {{cause}}"),
                    width=12,
                ),
                lines(
                    "Away by provider",
                    "Reconnecting, verifying or blocked.",
                    "short",
                    (told("mailboxes", "provider, state", "provider", f'{T},state=~"{_AWAY}"') + " > 0", "{{provider}}"),
                    width=12,
                ),
                bars(
                    "Who must act, and why",
                    "Blocked mailboxes outside of incidents.",
                    "short",
                    f"{_WAITING} > 0",
                    "{{owner}}: {{cause}}",
                    width=12,
                ),
            ),
        ),
        (
            "Coming and going",
            (
                layers("Disconnections", "Confirmed, by cause.", "short", (grown("disconnections", "cause") + " > 0", "{{cause}}")),
                lines("Reconnections", _RECONNECTIONS, "short", (grown("reconnections", "result"), "{{result}}")),
                lines(
                    "How long mailboxes are away",
                    _OUTAGE,
                    "s",
                    (quantile(0.5, "outage_duration_seconds", "job"), "half are back within"),
                    (quantile(0.95, "outage_duration_seconds", "job"), "95 % are back within"),
                ),
                layers(
                    "Campaigns",
                    "By state, and why a paused one is paused.",
                    "short",
                    (told("campaigns", "state, pause_reason", "state, pause_reason"), "{{state}} ({{pause_reason}})"),
                ),
                lines(
                    "Longest pause",
                    "Of the campaign that has waited longest, by who paused it.",
                    "s",
                    (f"max by (pause_reason) (mailwatch_campaigns_paused_longest_seconds{{{T}}})", "{{pause_reason}}"),
                ),
                lines(
                    "Flapping mailboxes",
                    "They come and go; their campaigns wait until they are calm.",
                    "short",
                    (f"max by (provider) (mailwatch_flapping_mailboxes{{{T}}}) > 0", "{{provider}}"),
                ),
            ),
        ),
    ),
)

_PROVIDERS_INCIDENTS: Final = in_all("incident_mailboxes", "scope, provider, cause", P)
_REFUSED: Final = f"sum(increase(mailwatch_logins_rejected_total{{{P}}}[1h]))"
PROVIDER: Final = Dashboard(
    "mailwatch-provider",
    "mailwatch / provider",
    "One provider: how its mailboxes are, how fast it answers, whom it refuses, and how gently it is asked.",
    (
        (
            "Now",
            (
                number(
                    "Connected", "Share of its watched mailboxes that work.", "percentunit", connected(P), width=6, steps=_SHARE
                ),
                number("Away", "Reconnecting, verifying or blocked.", "short", mailboxes(_AWAY, P), width=6, steps=_FEW),
                number(
                    "In incidents",
                    "Mailboxes one root took.",
                    "short",
                    f"{_PROVIDERS_INCIDENTS} or vector(0)",
                    width=6,
                    steps=_NONE,
                ),
                number(
                    "Refused logins in an hour",
                    "For their secret.",
                    "short",
                    _REFUSED,
                    width=6,
                    steps=((None, "green"), (20.0, "orange")),
                ),
            ),
        ),
        (
            "Mailboxes",
            (
                layers(
                    "Mailboxes by state",
                    "The provider's mailboxes.",
                    "short",
                    (told("mailboxes", "provider, state", "state", P), "{{state}}"),
                    width=12,
                ),
                layers(
                    "Disconnections by cause",
                    "Confirmed ones.",
                    "short",
                    (grown("disconnections", "cause", P) + " > 0", "{{cause}}"),
                    width=12,
                ),
            ),
        ),
        (
            "Probes",
            (
                layers(
                    "Probes by result",
                    "withheld: reached, without a login; impaired: by our own fault without a verdict.",
                    "ops",
                    (pace("probes", "protocol, result", P), "{{protocol}} {{result}}"),
                ),
                lines(
                    "Phases, 95 %",
                    "What the slowest twentieth of each phase takes at least.",
                    "s",
                    (quantile(0.95, "probe_duration_seconds", "protocol, phase", P), "{{protocol}} {{phase}}"),
                ),
                lines(
                    "Phases, half",
                    "The median of each phase.",
                    "s",
                    (quantile(0.5, "probe_duration_seconds", "protocol, phase", P), "{{protocol}} {{phase}}"),
                ),
                lines(
                    "Failed share of probes",
                    "Of those that said something of the mailbox.",
                    "percentunit",
                    (f"{_FAILED} / ({_SAID_SOMETHING} > 0)", "{{provider}}"),
                ),
                lines(
                    "Circuit",
                    "1 while only canaries (open) or a growing part of the probes (half_open) go through.",
                    "short",
                    (
                        told("provider_circuit_state", "provider, state", "provider, state", f'{P},state!="closed"'),
                        "{{provider}} {{state}}",
                    ),
                ),
                layers(
                    "Token renewals",
                    "refused: a person must consent again; failed: tried again.",
                    "ops",
                    (pace("oauth_refreshes", "result", P), "{{result}}"),
                ),
            ),
        ),
        (
            "Coming back",
            (
                lines("Reconnections", _RECONNECTIONS, "short", (grown("reconnections", "result", P), "{{result}}"), width=12),
                lines(
                    "How long mailboxes are away",
                    _OUTAGE,
                    "s",
                    (quantile(0.5, "outage_duration_seconds", "provider", P), "{{provider}}, half"),
                    (quantile(0.95, "outage_duration_seconds", "provider", P), "{{provider}}, 95 %"),
                    width=12,
                ),
            ),
        ),
    ),
    ("job", "instance", "provider"),
)

CAUSES: Final = Dashboard(
    "mailwatch-causes",
    "mailwatch / mailbox causes",
    "Why mailboxes disconnect: causes over time, by provider, and what only people can mend.",
    (
        (
            "What people must do",
            (
                table("Waiting for people", "Blocked mailboxes outside of incidents.", "short", f"sort_desc({_WAITING} > 0)"),
                layers(
                    "Waiting for people, over time",
                    "By who must act.",
                    "short",
                    (told("mailboxes_waiting_for_person", "owner, cause", "owner"), "{{owner}}"),
                    width=12,
                ),
            ),
        ),
        (
            "Causes",
            (
                layers(
                    "Disconnections by cause",
                    "Confirmed ones, at the chosen providers.",
                    "short",
                    (grown("disconnections", "cause", P) + " > 0", "{{cause}}"),
                    width=16,
                ),
                bars(
                    "Most frequent causes",
                    "Over the whole time shown.",
                    "short",
                    f"topk(15, {grown('disconnections', 'cause', P, '$__range')} > 0)",
                    "{{cause}}",
                ),
                table(
                    "By provider and cause",
                    "Over the whole time shown.",
                    "short",
                    f"sort_desc({grown('disconnections', 'provider, cause', P, '$__range')} > 0)",
                ),
                lines(
                    "Refused logins",
                    "For their secret; they count on the login budget.",
                    "short",
                    (grown("logins_rejected", "provider", P) + " > 0", "{{provider}}"),
                    width=12,
                ),
            ),
        ),
        (
            "What was not tried, and what told nothing",
            (
                layers(
                    "Logins withheld",
                    "Reached without sending the secret, by the reason.",
                    "short",
                    (grown("logins_withheld", "reason"), "{{reason}}"),
                    width=12,
                ),
                layers(
                    "Probes impaired",
                    "By the fault of our own that prevented a verdict.",
                    "short",
                    (grown("probes_impaired", "reason"), "{{reason}}"),
                    width=12,
                ),
                layers(
                    "Changes of state",
                    "How mailboxes move.",
                    "short",
                    (grown("transitions", "from_state, to_state") + " > 0", "{{from_state}} → {{to_state}}"),
                    width=12,
                ),
                bars(
                    "Certificates that end soon",
                    "Days left, the ten that end first.",
                    "d",
                    f"bottomk(10, ({_EXPIRY} - time()) / 86400)",
                    "{{endpoint}}",
                    width=12,
                    steps=((None, "red"), (7.0, "orange"), (21.0, "green")),
                ),
            ),
        ),
    ),
    ("job", "instance", "provider"),
)

_LATE: Final = f"max(mailwatch_probe_lag_seconds{{{T}}})"
_LOADED: Final = f"min(mailwatch_config_last_reload_successful{{{T}}})"
_RUNNING: Final = f"min(time() - process_start_time_seconds{{{T}}})"
_ALL_PROBES: Final = f"sum(rate(mailwatch_probes_total{{{T}}}[$__rate_interval]))"
_STALE: Final = f"max(mailwatch_stale_mailboxes{{{T}}})"
_WRITES: Final = "store_write_duration_seconds"
ITSELF: Final = Dashboard(
    "mailwatch-itself",
    "mailwatch / itself",
    "Whether mailwatch keeps up: lateness, the database, deliveries, memory.",
    (
        (
            "Now",
            (
                number("Nodes", "Nodes that answer scrapes.", "short", f"sum(up{{{T}}})", steps=_UP),
                number(
                    "Late",
                    "Of the mailbox that waits longest.",
                    "s",
                    _LATE,
                    steps=((None, "green"), (60.0, "orange"), (600.0, "red")),
                ),
                number("Probes a second", "On all chosen nodes.", "ops", _ALL_PROBES),
                number("Stale", "Mailboxes not looked at for too long.", "short", _STALE, steps=_FEW),
                number("Configuration", "1 when its last load was in order.", "short", _LOADED, steps=_UP),
                number("Running for", "Since the last start.", "s", _RUNNING),
            ),
        ),
        (
            "Probing",
            (
                lines(
                    "Probes in flight",
                    "On each node; the limit is max_in_flight of [probing].",
                    "short",
                    (each("mailwatch_probes_in_flight"), "{{instance}}"),
                ),
                lines("Mailboxes due", "They wait for a probe.", "short", (f"max(mailwatch_due_mailboxes{{{T}}})", "due")),
                lines(
                    "Event loop",
                    "The longest delay of a timer in the last minute.",
                    "s",
                    (each("mailwatch_event_loop_lag_seconds"), "{{instance}}"),
                ),
                lines(
                    "Open sessions",
                    "Mailboxes of [probing] watch whose IMAP session is open between probes, and those that watch_max leaves out.",
                    "short",
                    (each("mailwatch_watched_mailboxes"), "{{instance}}"),
                    (each("mailwatch_watch_passed_over_mailboxes"), "{{instance}}, left out"),
                ),
                lines(
                    "Ends of open sessions",
                    "Those that ended by themselves, by cause; each is followed by a probe.",
                    "short",
                    (grown("watch_ends", "cause"), "{{cause}}"),
                ),
            ),
        ),
        (
            "Database and deliveries",
            (
                lines(
                    "Writing transactions",
                    "How long one takes.",
                    "s",
                    (quantile(0.5, _WRITES, "instance"), "{{instance}}, half"),
                    (quantile(0.99, _WRITES, "instance"), "{{instance}}, 99 %"),
                ),
                lines(
                    "Database failures",
                    "Times it could not be used, or a result was not written.",
                    "short",
                    (grown("store_failures", "instance"), "{{instance}}"),
                ),
                lines("Rows waiting", "To be written behind.", "short", (each("mailwatch_store_pending_rows"), "{{instance}}")),
                lines(
                    "Deliveries",
                    "To webhooks and Alertmanager, by how each try ended.",
                    "ops",
                    (pace("deliveries", "kind, result"), "{{kind}} {{result}}"),
                ),
                lines("Outbox", "Events and deliveries that wait.", "short", (f"max(mailwatch_outbox_pending{{{T}}})", "waiting")),
                lines(
                    "Results dropped",
                    "They came too late: the lease was lost, or the mailbox had changed.",
                    "short",
                    (grown("results_fenced", "instance"), "{{instance}}"),
                ),
            ),
        ),
        (
            "Process",
            (
                lines("Memory", "Resident.", "bytes", (each("process_resident_memory_bytes"), "{{instance}}")),
                lines(
                    "CPU",
                    "Cores used.",
                    "short",
                    (f"sum by (instance) (rate(process_cpu_seconds_total{{{T}}}[$__rate_interval]))", "{{instance}}"),
                ),
                lines(
                    "Descriptors",
                    "Share of the limit that is open.",
                    "percentunit",
                    (f"max by (instance) (process_open_fds{{{T}}} / process_max_fds{{{T}}})", "{{instance}}"),
                ),
            ),
        ),
    ),
)
