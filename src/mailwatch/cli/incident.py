"""`mailwatch incident list|show|close`: outages, one each however many mailboxes they took."""

from datetime import datetime
from typing import Annotated, Any, Final

import typer

from mailwatch.cli.moments import shown, span, stamp
from mailwatch.cli.opening import ConfigOption, JsonOption, Opened, with_store
from mailwatch.cli.output import CliError, emit_json, ends_cleanly, say
from mailwatch.cli.scopes import shown_scope
from mailwatch.core.cause_texts import texts_for
from mailwatch.core.incidents.life import Incident
from mailwatch.desk.outages import Outages
from mailwatch.ports.incidents import IncidentNotFoundError, IncidentOverError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
_AFFECTED: Final = 1000
_NAMED: Final = 20


@app.command("list")
@ends_cleanly
def list_incidents(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that go on.")] = False,  # noqa: FBT002  # a flag is a bool
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most, newest first.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """List incidents, newest first."""

    async def work(opened: Opened) -> tuple[list[Incident], datetime]:
        store, now = opened.store.incidents, opened.clock.now()
        found = await store.known(now) if only_open else await store.listed(None, limit)
        return [each for each in found if each.is_open or not only_open][:limit], now

    incidents, now = with_store(config, work, keys=False)
    if as_json:
        emit_json({"incidents": [incident_json(each) for each in incidents]})
        return
    for each in incidents:
        typer.echo(_line(each, now))
    if not incidents:
        say("no incident is open" if only_open else "there was no incident yet")


@app.command("show")
@ends_cleanly
def show(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="The incident, as `incident list` names it.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """Show an incident with what it took."""

    async def work(opened: Opened) -> tuple[Incident, list[str], list[str], datetime]:
        found = await opened.store.incidents.find(incident_id)
        if found is None:
            raise CliError(f"no incident {incident_id!r}; `mailwatch incident list` shows those there are")
        mailboxes, campaigns = await opened.store.incidents.affected(found, _AFFECTED)
        return found, list(mailboxes), list(campaigns), opened.clock.now()

    incident, mailboxes, campaigns, now = with_store(config, work, keys=False)
    if as_json:
        emit_json({**incident_json(incident), "mailboxes": mailboxes, "campaigns": campaigns})
        return
    typer.echo(_line(incident, now))
    typer.echo(f"  {texts_for(incident.cause).operator}")
    typer.echo(f"  mailboxes  {_some(mailboxes)}")
    typer.echo(f"  campaigns  {_some(campaigns)}")


@app.command("close")
@ends_cleanly
def close(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="The incident, as `incident list` names it.")],
    config: ConfigOption = None,
) -> None:
    """Say that an incident is over: its mailboxes are tried again; if they go on failing, it is reopened."""

    async def work(opened: Opened) -> Incident:
        return await Outages(opened.store.incidents, opened.clock).close(incident_id, opened.act("incident.close"))

    try:
        incident = with_store(config, work, keys=False)
    except IncidentNotFoundError as error:
        raise CliError(str(error)) from None
    except IncidentOverError as error:
        say(f"{incident_id} is over since {shown(error.closed_at)}")
        return
    say(f"{incident.id} closed: what waits at {shown_scope(incident.scope)} is due now, and what it had stopped is tried again")


def incident_json(incident: Incident) -> dict[str, Any]:
    """An incident for programs."""
    return {
        "id": incident.id,
        "scope": {incident.scope.kind.value: incident.scope.name},
        "cause": incident.cause.value,
        "opened_at": stamp(incident.opened_at),
        "last_failure_at": stamp(incident.last_failure_at),
        "closed_at": stamp(incident.closed_at),
        "failed": incident.failed,
        "peak_share": round(incident.peak_share, 3),
        "reopened": incident.reopened,
    }


def _line(incident: Incident, now: datetime) -> str:
    lasted = span(((incident.closed_at or now) - incident.opened_at).total_seconds())
    state = f"for {lasted}, still open" if incident.is_open else f"lasted {lasted}"
    again = f", came back {incident.reopened} times" if incident.reopened else ""
    share = f"{incident.failed} mailboxes, up to {incident.peak_share:.0%}" if incident.failed else "all of it"
    where = shown_scope(incident.scope)
    return f"{incident.id}\n  {where}: {incident.cause}, {share}; since {shown(incident.opened_at)}, {state}{again}"


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return (", ".join(names[:_NAMED]) or "none") + (f" and {more} more" if more > 0 else "")
