"""`mailwatch history export`: every transition as a JSON line, for analysis (`mailwatch analyze --events` reads it back)."""

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from mailwatch.cli.moments import moment
from mailwatch.cli.opening import ConfigOption, Opened, with_store
from mailwatch.cli.output import ends_cleanly
from mailwatch.core.mailbox import Mailbox, Protocol
from mailwatch.core.standing import Transition

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE: Final = 1000


@app.callback()
def _group() -> None:
    """The history of transitions."""


@app.command("export")
@ends_cleanly
def export(
    since: Annotated[
        str | None, typer.Option(help="From this moment: 2026-11-01, or 2026-11-01T08:00:00Z.", show_default=False)
    ] = None,
    until: Annotated[str | None, typer.Option(help="To before this moment.", show_default=False)] = None,
    config: ConfigOption = None,
) -> None:
    """Print the history as JSON lines, oldest first."""
    first = moment(since, "--since") if since else _BEGINNING
    # a little ahead: another node's clock may be
    last = moment(until, "--until") if until else datetime.now(UTC) + timedelta(days=1)

    async def work(opened: Opened) -> None:
        after = 0
        while page := await opened.store.told(first, last, after=after, limit=_PAGE):
            sys.stdout.writelines(json.dumps(event(mailbox, step), ensure_ascii=False) + "\n" for _, mailbox, step in page)
            after = page[-1][0]

    with_store(config, work, keys=False)


def event(mailbox: Mailbox, transition: Transition) -> dict[str, Any]:
    """One transition as the export spells it; neither address nor user name is in it."""
    endpoint = mailbox.smtp if transition.protocol is Protocol.SMTP and mailbox.smtp else mailbox.imap or mailbox.smtp
    return {
        "at": transition.at.isoformat().replace("+00:00", "Z"),
        "mailbox": mailbox.id,
        "provider": mailbox.provider,
        "domain": mailbox.domain,
        "auth": mailbox.auth.value,
        "oauth_app": mailbox.oauth_app,
        "endpoint": endpoint.host if endpoint else mailbox.domain,
        "kind": "transition",
        "from": transition.from_state.value,
        "to": transition.to_state.value,
        "trigger": transition.trigger.value,
        "cause": transition.cause.value if transition.cause else None,
        "credential_age_seconds": transition.credential_age_seconds,
    }
