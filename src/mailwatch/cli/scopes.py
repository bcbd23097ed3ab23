"""Scopes as people type them: `provider:google`, `domain:example.org`, `endpoint:imap.example.org`, `oauth_app:outreach`."""

from mailwatch.cli.output import CliError
from mailwatch.core.incidents.scopes import Scope
from mailwatch.desk.windows import WindowError, scope_named


def scope_of(text: str) -> Scope:
    """The scope that *text* names; raises CliError with the cure."""
    kind, _, name = text.partition(":")
    try:
        return scope_named(kind, name)
    except WindowError as error:
        raise CliError(f"--scope {text!r}: {error.problem}") from None


def shown_scope(scope: Scope | None) -> str:
    """A scope for eyes."""
    return "everything" if scope is None else f"{scope.kind}:{scope.name}"
