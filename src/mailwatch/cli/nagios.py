"""`mailwatch nagios`: a plugin for Nagios, Icinga, Naemon and checkmk: one line, perfdata, exit codes 0 to 3.

It reads the daemon's /metrics, so that a provider can be looked at alone.  Form: the Monitoring Plugins Development Guidelines,
"Plugin Output for Nagios" and "Threshold and Ranges".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, unique
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Annotated, Final, NoReturn
from urllib.parse import urlsplit

import typer

_MAX_BYTES: Final = 64 * 1024 * 1024
_OK_STATUS: Final = 200
#: TLS trusts what the system trusts, or what SSL_CERT_FILE names.
_KINDS: Final[Mapping[str, type[HTTPConnection]]] = {"http": HTTPConnection, "https": HTTPSConnection}
#: Not working, though somebody wants it to.
_BROKEN: Final = ("reconnecting", "verifying", "blocked")
_SHOWN: Final = ("connected", "suspect", *_BROKEN, "held", "pending")
_LATE_SECONDS: Final = 600.0


@unique
class Verdict(IntEnum):
    """The plugin's exit code; the worst of several counts, and CRITICAL is worse than UNKNOWN."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Threshold:
    """From how many broken mailboxes on; of a share the mailboxes are counted that are watched."""

    text: str
    amount: float
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> "Threshold":
        """`5%` or `20`; raises ValueError."""
        is_share = text.endswith("%")
        amount = float(text.removesuffix("%"))
        if not 0 <= amount <= (100 if is_share else float("1e9")):
            raise ValueError(text)
        return cls(text, amount, is_share)

    def reached(self, broken: int, watched: int) -> bool:
        """Whether *broken* of *watched* mailboxes are more than it allows."""
        return broken > self.limit(watched)

    def limit(self, watched: int) -> float:
        """The most that is allowed, as a number of mailboxes."""
        return self.amount * watched / 100 if self.is_share else self.amount


@dataclass(slots=True)
class Reading:
    """What the daemon says now."""

    states: dict[str, int] = field(default_factory=dict)
    incidents: int = 0
    lag_seconds: float = 0.0
    self_up: bool = True

    @property
    def broken(self) -> int:
        """Mailboxes that do not work."""
        return sum(self.states.get(state, 0) for state in _BROKEN)

    @property
    def watched(self) -> int:
        """Mailboxes that somebody wants to work."""
        return sum(count for state, count in self.states.items() if state != "inactive")


class UnknownError(Exception):
    """Nothing can be said; the text says why."""


def nagios(
    provider: Annotated[str | None, typer.Option(help="Only mailboxes of this provider.")] = None,
    warning: Annotated[str, typer.Option("--warning", "-w", help="WARNING when more are broken: a share or a number.")] = "5%",
    critical: Annotated[str, typer.Option("--critical", "-c", help="CRITICAL when more are broken: a share or a number.")] = "20%",
    url: Annotated[str, typer.Option(help="Where the daemon serves HTTP.", envvar="MAILWATCH_URL")] = "http://127.0.0.1:9725",
    timeout: Annotated[float, typer.Option("--timeout", "-t", help="Seconds to wait for the daemon.")] = 10.0,
) -> None:
    """One line with perfdata for Nagios and its kin: exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""
    try:
        limits = _threshold("-w", warning), _threshold("-c", critical)
        reading = read(_metrics(url, timeout), provider)
    except UnknownError as error:
        _end(Verdict.UNKNOWN, str(error))
    verdict, words = judge(reading, *limits)
    _end(verdict, words, perfdata(reading, *limits))


def read(text: str, provider: str | None) -> Reading:
    """What the exposition *text* says of *provider*, or of all; raises UnknownError."""
    # parsing costs an import: the other verbs do not pay it
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  # see above

    reading = Reading()
    providers: set[str] = set()
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                providers |= {sample.labels["provider"]} if sample.name == "mailwatch_mailboxes" else set()
                _take(reading, sample.name, sample.labels, sample.value, provider)
    except (ValueError, KeyError) as error:
        raise UnknownError("what answers there is not mailwatch's /metrics") from error
    if not providers:
        raise UnknownError("what answers there is not mailwatch's /metrics")
    if provider is not None and provider not in providers:
        raise UnknownError(f"--provider {provider}: mailwatch knows {', '.join(sorted(providers))}")
    return reading


def _take(reading: Reading, name: str, labels: Mapping[str, str], value: float, provider: str | None) -> None:
    ours = provider is None or labels.get("provider") == provider
    if name == "mailwatch_mailboxes" and ours:
        reading.states[labels["state"]] = reading.states.get(labels["state"], 0) + int(value)
    elif name == "mailwatch_incident_mailboxes" and ours:
        reading.incidents += 1
    elif name == "mailwatch_probe_lag_seconds":
        reading.lag_seconds = value
    elif name == "mailwatch_self_connectivity_up":
        reading.self_up = value > 0


def judge(reading: Reading, warning: Threshold, critical: Threshold) -> tuple[Verdict, str]:
    """The verdict, and the words after it."""
    broken, watched = reading.broken, reading.watched
    words = f"{broken} of {watched} mailboxes are disconnected"
    if reading.incidents:
        words += f", {reading.incidents} incident{'s' if reading.incidents > 1 else ''} open"
    if not reading.self_up:
        return Verdict.CRITICAL, f"mailwatch's own network is down, no verdict is passed; before that {words}"
    if reading.lag_seconds > _LATE_SECONDS:
        words += f", probes are {reading.lag_seconds:.0f} s late"
    if critical.reached(broken, watched):
        return Verdict.CRITICAL, words
    if warning.reached(broken, watched) or reading.lag_seconds > _LATE_SECONDS:
        return Verdict.WARNING, words
    return Verdict.OK, words


def perfdata(reading: Reading, warning: Threshold, critical: Threshold) -> str:
    """`label=value;warn;crit;min;max …` for graphs."""
    watched = reading.watched
    limits = f"{warning.limit(watched):g};{critical.limit(watched):g}"
    values = [f"disconnected={reading.broken};{limits};0;{watched}"]
    values += [f"{state}={reading.states.get(state, 0)};;;0;{watched}" for state in _SHOWN]
    return " ".join([*values, f"incidents={reading.incidents};;;0", f"lag={reading.lag_seconds:.3f}s;{_LATE_SECONDS:g};;0"])


def _threshold(option: str, text: str) -> Threshold:
    try:
        return Threshold.parse(text)
    except ValueError:
        raise UnknownError(f"{option} {text}: a share such as 5%, or a number of mailboxes such as 20, is needed") from None


def _metrics(url: str, timeout_seconds: float) -> str:
    """The exposition; raises UnknownError."""
    connection, path = _connection(url, timeout_seconds)
    try:
        connection.request("GET", f"{path}/metrics", headers={"accept": "text/plain"})
        response = connection.getresponse()
        body = response.read(_MAX_BYTES)
    except (OSError, HTTPException) as error:
        raise UnknownError(f"no daemon answers at {url} ({str(error) or type(error).__name__})") from error
    finally:
        connection.close()
    if response.status != _OK_STATUS:
        raise UnknownError(f"the daemon at {url} answered {response.status}")
    return body.decode("utf-8", "replace")


def _connection(url: str, timeout_seconds: float) -> tuple[HTTPConnection, str]:
    try:
        parts = urlsplit(url)
        if parts.scheme in _KINDS and parts.hostname:
            return _KINDS[parts.scheme](parts.hostname, parts.port, timeout=timeout_seconds), parts.path.rstrip("/")
    except ValueError:
        pass  # no port, or no address
    raise UnknownError(f"--url {url}: an http:// or https:// URL is needed, such as http://127.0.0.1:9725")


def _end(verdict: Verdict, words: str, figures: str = "") -> NoReturn:
    # `|` parts words from figures
    line = " ".join(words.replace("|", "/").split())
    typer.echo(f"MAILWATCH {verdict.name} - {line}{f' | {figures}' if figures else ''}")
    raise typer.Exit(verdict)
