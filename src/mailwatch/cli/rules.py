"""`mailwatch rules`: prints what Prometheus, Alertmanager and Grafana need of mailwatch, and the runbooks."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from mailwatch.cli.output import CliError, ends_cleanly

#: Where the shipped rules say that the runbooks are; `--runbooks` puts a place of one's own there.
RUNBOOKS: Final = "https://mailwatch.invalid/docs/runbooks"
_RECORDING, _ALERTS, _EXAMPLE = "alerts/mailwatch.rules.yml", "alerts/mailwatch.alerts.yml", "alerts/alertmanager.example.yml"


@ends_cleanly
def rules(
    recording: Annotated[bool, typer.Option("--recording", help="Only the recording rules.")] = False,  # noqa: FBT002  # a flag is a bool
    alerts: Annotated[bool, typer.Option("--alerts", help="Only the alerting rules.")] = False,  # noqa: FBT002  # a flag is a bool
    alertmanager: Annotated[bool, typer.Option("--alertmanager", help="The example configuration of Alertmanager.")] = False,  # noqa: FBT002  # a flag is a bool
    dashboard: Annotated[str | None, typer.Option(metavar="NAME", help="A dashboard of Grafana; `list` names them.")] = None,
    runbook: Annotated[str | None, typer.Option(metavar="ALERT", help="What to do about an alert.")] = None,
    runbooks: Annotated[
        str | None, typer.Option(metavar="URL", help="Where your people read the runbooks: put into runbook_url, before /ALERT.md.")
    ] = None,
) -> None:
    """Print what Prometheus, Alertmanager and Grafana need of mailwatch; without options all rules as one file."""
    if runbooks is not None and not _is_url(runbooks):
        raise CliError(f"--runbooks {runbooks!r}: an http:// or https:// URL is needed, such as https://wiki.example.org/runbooks")
    wanted = [recording, alerts, alertmanager, dashboard is not None, runbook is not None]
    if sum(wanted) > 1:
        raise CliError(
            "one of --recording, --alerts, --alertmanager, --dashboard and --runbook at a time: each is a file of its own"
        )
    if dashboard is not None:
        text = _dashboard(dashboard)
    elif runbook is not None:
        text = _named("docs/runbooks", runbook, ".md", "--runbook")
    elif alertmanager:
        text = _shipped(_EXAMPLE)
    else:
        text = _rules(recording=recording, alerts=alerts)
    typer.echo(text if runbooks is None else text.replace(RUNBOOKS, runbooks.rstrip("/")), nl=False)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not set(text) & set(" \n\"'`")
    except ValueError:
        return False


def _rules(*, recording: bool, alerts: bool) -> str:
    """The rules; both kinds make one file when none is asked for alone."""
    if recording:
        return _shipped(_RECORDING)
    if alerts:
        return _shipped(_ALERTS)
    head, _, groups = _shipped(_ALERTS).partition("groups:\n")
    return f"{head}\n{_shipped(_RECORDING)}\n{groups}"


def _dashboard(name: str) -> str:
    if name == "list":
        return "".join(f"{each}\n" for each in _names("dashboards", ".json"))
    return _named("dashboards", name, ".json", "--dashboard")


def _named(folder: str, name: str, suffix: str, option: str) -> str:
    known = _names(folder, suffix)
    if name not in known:
        raise CliError(f"{option} {name!r}: there is none of that name; there are {', '.join(known)}")
    return _shipped(f"{folder}/{name}{suffix}")


def _names(folder: str, suffix: str) -> list[str]:
    found = (each.name for each in _home().joinpath(*folder.split("/")).iterdir())
    return sorted(name.removesuffix(suffix) for name in found if name.endswith(suffix) and name != "README.md")


def _shipped(path: str) -> str:
    return _home().joinpath(*path.split("/")).read_text(encoding="utf-8")


def _home() -> Traversable:
    """The folder that holds alerts/, dashboards/ and docs/: inside the installed package, else the checkout's root."""
    packed = files("mailwatch") / "shipped"
    return packed if packed.is_dir() else Path(__file__).parents[3]
