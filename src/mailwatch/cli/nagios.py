"""`mailwatch nagios`: a plugin for Nagios, Icinga, Naemon and checkmk: one line, perfdata, exit codes 0 to 3.

It reads the daemon's /metrics, so that a provider can be looked at alone.  Form: the Monitoring Plugins Development Guidelines,
"Plugin Output for Nagios" and "Threshold and Ranges".
"""

import base64
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, unique
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Annotated, Final, NoReturn
from urllib.parse import urlsplit

import typer

from mailwatch.cli.daemon_url import UrlOption, url_of
from mailwatch.cli.output import CliError

_MAX_BYTES: Final = 64 * 1024 * 1024
_OK_STATUS: Final = 200
_SHUT: Final = (401, 403)
#: Where the password of --user may be, beside a file: never on the command line, which every process of the machine can read.
_PASSWORD_VARIABLE: Final = "MAILWATCH_NAGIOS_PASSWORD"
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
    unseen: dict[str, int] = field(default_factory=dict)  #: mailboxes that mailwatch cannot look at, by reason

    @property
    def broken(self) -> int:
        """Mailboxes that do not work."""
        return sum(self.states.get(state, 0) for state in _BROKEN)

    @property
    def watched(self) -> int:
        """Mailboxes that somebody wants to work."""
        return sum(count for state, count in self.states.items() if state != "inactive")


@dataclass(frozen=True, slots=True)
class Access:
    """How the daemon is reached: by whose right, and whom TLS trusts and shows."""

    authorization: str | None = field(default=None, repr=False)
    ca_file: Path | None = None  #: None: what the system trusts, or what SSL_CERT_FILE names
    cert_file: Path | None = None  #: of this client, with its key behind it or in `key_file`
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """For https; raises UnknownError."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file, password="")  # with none OpenSSL would ask the terminal
        except OSError as error:  # ssl.SSLError is one
            named = ", ".join(str(path) for path in (self.ca_file, self.cert_file, self.key_file) if path is not None)
            raise UnknownError(f"the certificates in {named} cannot be used ({error})") from error
        return context


class UnknownError(Exception):
    """Nothing can be said; the text says why."""


def nagios(
    provider: Annotated[str | None, typer.Option(help="Only mailboxes of this provider.")] = None,
    warning: Annotated[str, typer.Option("--warning", "-w", help="WARNING when more are broken: a share or a number.")] = "5%",
    critical: Annotated[str, typer.Option("--critical", "-c", help="CRITICAL when more are broken: a share or a number.")] = "20%",
    url: UrlOption = None,
    timeout: Annotated[float, typer.Option("--timeout", "-t", help="Seconds to wait for the daemon.")] = 10.0,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="A user of the daemon's web_config (basic auth).")] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", readable=False, help=f"Its password, where ${_PASSWORD_VARIABLE} does not hold it."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="A token of the role read, instead of a user.")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="PEM file of the certificate authorities to trust.")
    ] = None,
    cert_file: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="PEM file of a client certificate to show.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="Its key, where it is not in the same file.")
    ] = None,
    config: Annotated[  # not -c, which is a threshold here
        Path | None, typer.Option("--config", metavar="FILE", readable=False, help="The configuration that says where it serves.")
    ] = None,
) -> None:
    """One line with perfdata for Nagios and its kin: exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""
    try:
        limits = _limits(warning, critical)
        access = Access(_authorization(user, password_file, token_file), ca_file, cert_file, key_file)
        reading = read(_metrics(url_of(url, config), timeout, access), provider)
    except (UnknownError, CliError) as error:
        _end(Verdict.UNKNOWN, str(error))
    verdict, words = judge(reading, *limits)
    _end(verdict, words, perfdata(reading, *limits))


def read(text: str, provider: str | None) -> Reading:
    """What the exposition *text* says of *provider*, or of all; raises UnknownError."""
    # parsing costs an import: the other verbs do not pay it
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  # see above

    reading = Reading()
    providers: set[str] = set()
    known = False
    try:
        for family in text_string_to_metric_families(text):
            known |= family.name == "mailwatch_mailboxes"
            for sample in family.samples:
                providers |= {sample.labels["provider"]} if sample.name == "mailwatch_mailboxes" else set()
                _take(reading, sample.name, sample.labels, sample.value, provider)
    except (ValueError, KeyError) as error:
        raise UnknownError("what answers there is not mailwatch's /metrics") from error
    if known and not providers:
        raise UnknownError("the daemon has not been able to read its database for two minutes: nothing is known of the mailboxes")
    if not providers:
        raise UnknownError("what answers there is not mailwatch's /metrics")
    if provider is not None and provider not in providers:
        raise UnknownError(f"--provider {provider}: mailwatch knows {', '.join(sorted(providers))}")
    return reading


def _take(reading: Reading, name: str, labels: Mapping[str, str], value: float, provider: str | None) -> None:
    ours = provider is None or labels.get("provider") == provider
    if name == "mailwatch_mailboxes" and ours:
        reading.states[labels["state"]] = reading.states.get(labels["state"], 0) + int(value)
    elif name == "mailwatch_impaired_mailboxes" and ours:
        reason = labels["reason"]
        reading.unseen[reason] = reading.unseen.get(reason, 0) + int(value)
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
    unseen = sum(reading.unseen.values())
    if unseen:
        words += f", {unseen} cannot be looked at ({', '.join(sorted(reading.unseen))}): what is told of them is old"
    if not reading.self_up:
        return Verdict.CRITICAL, f"mailwatch's own network is down, no verdict is passed; before that {words}"
    if reading.lag_seconds > _LATE_SECONDS:
        words += f", probes are {reading.lag_seconds:.0f} s late"
    if critical.reached(broken, watched) or critical.reached(unseen, watched):
        return Verdict.CRITICAL, words
    if unseen or warning.reached(broken, watched) or reading.lag_seconds > _LATE_SECONDS:
        return Verdict.WARNING, words
    return Verdict.OK, words


def perfdata(reading: Reading, warning: Threshold, critical: Threshold) -> str:
    """`label=value;warn;crit;min;max …` for graphs."""
    watched = reading.watched
    limits = f"{warning.limit(watched):g};{critical.limit(watched):g}"
    values = [f"disconnected={reading.broken};{limits};0;{watched}"]
    values += [f"{state}={reading.states.get(state, 0)};;;0;{watched}" for state in _SHOWN]
    values.append(f"unseen={sum(reading.unseen.values())};{limits};0;{watched}")
    return " ".join([*values, f"incidents={reading.incidents};;;0", f"lag={reading.lag_seconds:.3f}s;{_LATE_SECONDS:g};;0"])


def _limits(warning: str, critical: str) -> tuple[Threshold, Threshold]:
    limits = _threshold("-w", warning), _threshold("-c", critical)
    if limits[0].is_share is limits[1].is_share and limits[0].amount > limits[1].amount:
        raise UnknownError(f"-w {warning} -c {critical}: the warning is to come before the critical state; give -w the lower one")
    return limits


def _threshold(option: str, text: str) -> Threshold:
    try:
        return Threshold.parse(text)
    except ValueError:
        raise UnknownError(f"{option} {text}: a share such as 5%, or a number of mailboxes such as 20, is needed") from None


def _authorization(user: str | None, password_file: Path | None, token_file: Path | None) -> str | None:
    """The header's value; raises UnknownError."""
    if user is None:
        if password_file is not None:
            raise UnknownError("--password-file needs the --user whose password that is")
        return None if token_file is None else f"Bearer {secret_in('--token-file', token_file)}"
    if token_file is not None:
        raise UnknownError("--user and --token-file are two ways in: give one")
    if ":" in user or not user.isprintable():
        raise UnknownError("--user: a name has no colon in it (RFC 7617)")
    password = os.environ.get(_PASSWORD_VARIABLE) if password_file is None else secret_in("--password-file", password_file)
    if not password:
        raise UnknownError(f"--user {user}: its password is needed, in --password-file or in ${_PASSWORD_VARIABLE}")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def secret_in(option: str, path: Path) -> str:
    """The first line of a file; raises UnknownError, which shows nothing of it."""
    try:
        secret = path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        # not for text that is none: the error would hold what was read
        raise UnknownError(f"{option} {path}: {reason}") from (error if isinstance(error, OSError) else None)
    if not secret or not secret.isprintable():
        raise UnknownError(f"{option} {path}: its first line is to be the secret")
    return secret


def _metrics(url: str, timeout_seconds: float, access: Access) -> str:
    """The exposition; raises UnknownError."""
    connection, path = _connection(url, timeout_seconds, access)
    headers = {"accept": "text/plain"} | ({} if access.authorization is None else {"authorization": access.authorization})
    try:
        connection.request("GET", f"{path}/metrics", headers=headers)
        response = connection.getresponse()
        body = response.read(_MAX_BYTES)
    except (OSError, HTTPException) as error:
        raise UnknownError(f"no daemon answers at {url} ({str(error) or type(error).__name__})") from error
    finally:
        connection.close()
    if response.status in _SHUT:
        cure = "give --user or --token-file" if access.authorization is None else "are user, password or token right?"
        raise UnknownError(f"the daemon at {url} admits nobody without a right to it ({response.status}): {cure}")
    if response.status != _OK_STATUS:
        raise UnknownError(f"the daemon at {url} answered {response.status}")
    return body.decode("utf-8", "replace")


def _connection(url: str, timeout_seconds: float, access: Access) -> tuple[HTTPConnection, str]:
    try:
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        if parts.scheme == "http" and parts.hostname:
            return HTTPConnection(parts.hostname, parts.port, timeout=timeout_seconds), path
        if parts.scheme == "https" and parts.hostname:
            return HTTPSConnection(parts.hostname, parts.port, timeout=timeout_seconds, context=access.context()), path
    except ValueError:
        pass  # no port, or no address
    raise UnknownError(f"--url {url}: an http:// or https:// URL is needed, such as http://127.0.0.1:9725")


def _end(verdict: Verdict, words: str, figures: str = "") -> NoReturn:
    # `|` parts words from figures
    line = " ".join(words.replace("|", "/").split())
    typer.echo(f"MAILWATCH {verdict.name} - {line}{f' | {figures}' if figures else ''}")
    raise typer.Exit(verdict)
