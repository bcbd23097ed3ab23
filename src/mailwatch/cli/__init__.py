"""The command line: `mailwatch VERB …`.  Thin: each verb's file says what it asks of the rest.

Only the verb that was asked for is imported, so that `mailwatch --help` and `mailwatch explain` answer at once.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Final

import typer

from mailwatch import __version__


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a verb lives, and what `--help` says of it."""

    name: str
    home: str  #: module:attribute; an attribute `app` is a group of verbs
    about: str


VERBS: Final = (
    Verb("run", "run:run", "Run the daemon."),
    Verb("demo", "demo:demo", "Watch simulated mailboxes fail and recover; no network, no configuration."),
    Verb("check", "check:check", "Diagnose one mailbox, phase by phase."),
    Verb("status", "status:status", "Ask the running daemon how the fleet is."),
    Verb("nagios", "nagios:nagios", "A plugin for Nagios and its kin: one line with perfdata."),
    Verb("rules", "rules:rules", "Print alert rules, dashboards and runbooks for Prometheus, Alertmanager, Grafana."),
    Verb("mailbox", "mailbox:app", "Add, import, list, show, disconnect, reconnect, remove … mailboxes."),
    Verb("oauth", "oauth:app", "Sign in as an OAuth mailbox, or make a link with which its owner does."),
    Verb("campaign", "campaign:app", "Register, list, show, link, pause, resume … campaigns, and export when they were paused."),
    Verb("incident", "incident:app", "List outages: one incident each, however many mailboxes it took."),
    Verb("maintenance", "maintenance:app", "Declare, list and end maintenance windows."),
    Verb("history", "history:app", "Export the history of transitions."),
    Verb("classify", "classify:classify", "Tell the cause of server replies, as JSON lines."),
    Verb("explain", "classify:explain", "Explain a cause, or a server's words."),
    Verb("config", "config:app", "Check, show or describe the configuration."),
    Verb("user", "user:app", "Add, list, remove the people who use the page; set-up and sign-in links."),
    Verb("token", "token:app", "Make, list, revoke the tokens with which programs use the API."),
    Verb("key", "key:app", "Make or rotate the keys that seal the mailboxes' secrets."),
    Verb("db", "db:app", "Create, upgrade, check or back up the database."),
)


def build(arguments: Sequence[str]) -> typer.Typer:
    """The application for *arguments*: the verb that is asked for, and placeholders for the others."""
    app = typer.Typer(
        name="mailwatch",
        help="Watches mailboxes over IMAP and SMTP, knows why each is disconnected, and brings it back.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # a traceback with locals could show a secret
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    wanted = next((argument for argument in arguments if not argument.startswith("-")), None)
    for verb in VERBS:
        if verb.name != wanted:
            app.command(verb.name, help=verb.about)(_placeholder(verb))
            continue
        module, _, attribute = verb.home.partition(":")
        target = getattr(import_module(f"mailwatch.cli.{module}"), attribute)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=verb.name, help=verb.about)
        else:
            app.command(verb.name)(target)
    return app


def main() -> None:
    """The entry point; ends the process with one of `output.ExitCode`."""
    occupy_standard_streams()
    build(sys.argv[1:])()


def occupy_standard_streams() -> None:
    """Open /dev/null in place of each standard stream that was closed before the start.

    Otherwise the next file or connection takes its number: whoever writes to standard error would write into it, and libuv ends
    the process when it is to close such a descriptor.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


def _show_version(wanted: bool) -> None:  # noqa: FBT001  # typer calls it with the flag's value
    if wanted:
        typer.echo(f"mailwatch {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[  # noqa: FBT002  # a flag is a bool
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version and end.")
    ] = False,
) -> None:
    del version


def _placeholder(verb: Verb) -> Callable[[], None]:
    def stand_in() -> None:
        raise AssertionError(f"{verb.name} was asked for but not loaded")

    return stand_in
