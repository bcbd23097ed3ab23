"""`mailwatch oauth login|link|expiring`: give consent for a mailbox, make a link with which its owner does, list what ends soon."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from mailwatch.cli.consenting import consenting
from mailwatch.cli.loopback import Loopback
from mailwatch.cli.mailbox_show import AddressArgument
from mailwatch.cli.moments import stamp
from mailwatch.cli.opening import ConfigOption, JsonOption, Opened, with_store
from mailwatch.cli.output import CliError, ExitCode, emit_json, ends_cleanly, say
from mailwatch.core.oauth import OAuthApp, OAuthKind
from mailwatch.ports import MailboxView
from mailwatch.ports.consents import ConsentError, ConsentSession, ConsentState
from mailwatch.ports.pages import EndingConsent

if TYPE_CHECKING:
    from mailwatch.desk.consents import Consents

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

T = TypeVar("T")

_LOOK_SECONDS = 0.5
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Place:
    """A mailbox, and how to give consent for it."""

    opened: Opened
    view: MailboxView
    app: OAuthApp | None
    consents: "Callable[[Callable[[], str]], Consents]"  #: given where the provider sends browsers back to


@app.command("login")
@ends_cleanly
def login(
    address: AddressArgument,
    browser: Annotated[bool, typer.Option("--browser", help="By browser, also where a code would do.")] = False,  # noqa: FBT002  # a flag is a bool
    config: ConfigOption = None,
) -> None:
    """Sign in as the mailbox at its provider and store the consent; campaigns resume after verification.

    Where the provider has a device flow (Microsoft), a code is typed on any device; else a browser is needed that can reach this
    machine, or whose last address you paste here.
    """

    async def work(opened: Opened) -> str:
        async with _place(opened, address) as place:
            by_device = place.app is not None and place.app.device_url is not None and not browser
            session = await (_by_device(place) if by_device else _by_browser(place))
            if session.state is not ConsentState.STORED:
                raise CliError(f"{place.view.mailbox.address}: {session.error or session.state}", ExitCode.UNHEALTHY)
            standing = (await opened.store.find(place.view.mailbox.id)).standing
            return f"{place.view.mailbox.address}: consent stored, {standing.state}"

    say(_told(config, work))


@app.command("link")
@ends_cleanly
def link(address: AddressArgument, config: ConfigOption = None) -> None:
    """Print a one-time link with which the mailbox's owner gives consent anew, and can do nothing else; good for 7 days."""

    async def work(opened: Opened) -> str:
        from mailwatch.desk.whereabouts import CALLBACK, RECONNECT, page_url  # noqa: PLC0415  # slow to import

        async with _place(opened, address) as place:
            if opened.settings.web.external_url is None:
                say("note: only a browser on this machine can open it; others need [web] external_url")
            consents = place.consents(lambda: page_url(opened.settings, CALLBACK))
            key = await consents.reconnect_link(place.view.mailbox.id, opened.act("consent.link"))
            return f"{page_url(opened.settings, RECONNECT)}?key={key}"

    typer.echo(_told(config, work))


@app.command("expiring")
@ends_cleanly
def expiring(
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="End within so many days.")] = 3,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """List the consents that end soon, the next first; send each owner a link (`mailwatch oauth link`) before."""

    async def work(opened: Opened) -> Sequence[EndingConsent]:
        now = opened.clock.now()
        return await opened.store.pages.consents_ending(now, now + timedelta(days=days), _MOST)

    found = _told(config, work)
    if as_json:
        ending = [
            {"mailbox": each.mailbox_id, "address": each.address, "oauth_app": each.oauth_app, "ends_at": stamp(each.ends_at)}
            for each in found
        ]
        emit_json({"consents": ending})
        return
    if not found:
        say(f"no consent ends within {days} days, as far as providers have said")
    widest = max((len(each.address) for each in found), default=0)
    for each in found:
        typer.echo(f"{each.ends_at:%Y-%m-%d %H:%M}Z  {each.address:<{widest}}  {each.oauth_app}")


def _told(config: Path | None, work: Callable[[Opened], Awaitable[T]]) -> T:
    try:
        return with_store(config, work)
    except ConsentError as error:
        raise CliError(str(error)) from None


@asynccontextmanager
async def _place(opened: Opened, address: str) -> AsyncIterator[_Place]:
    view = await opened.store.find(address)
    async with consenting(opened) as way:
        yield _Place(opened, view, way.apps.get(view.mailbox.oauth_app or ""), way.consents)


async def _by_device(place: _Place) -> ConsentSession:
    consents = place.consents(str)  # nobody is sent back
    session = await consents.begin_device(place.view.mailbox.id, place.opened.act("consent.begin"))
    say(f"On any device open {session.verification_url}, sign in as {place.view.mailbox.address} and type the code:")
    typer.echo(session.user_code)
    while session.state is ConsentState.WAITING:
        await asyncio.sleep(_LOOK_SECONDS)
        session = await consents.poll_device(session.id, origin="cli") or session
    return session


async def _by_browser(place: _Place) -> ConsentSession:
    microsoft = place.app is not None and place.app.kind is OAuthKind.MICROSOFT
    async with Loopback("localhost" if microsoft else "127.0.0.1") as way_back:
        consents = place.consents(lambda: way_back.url)
        browser = secrets.token_urlsafe(32)  # this process is the browser that began
        session, url = await consents.begin(place.view.mailbox.id, place.opened.act("consent.begin"), browser=browser)
        say(f"Open this in a browser and sign in as {place.view.mailbox.address}; if the browser runs elsewhere, paste here the")
        say(f"address at which it ends (it begins with {way_back.url}):")
        typer.echo(url)
        way_back.read_terminal()
        try:
            async with asyncio.timeout((session.expires_at - place.opened.clock.now()).total_seconds()):
                return await _came_back(consents, way_back, browser)
        except TimeoutError:
            raise CliError("nobody signed in within ten minutes; start again", ExitCode.UNHEALTHY) from None


async def _came_back(consents: "Consents", way_back: Loopback, browser: str) -> ConsentSession:
    while True:
        back = await way_back.returns.get()
        try:
            return await consents.finish(
                back.state, browser, code=back.code, error=back.error, description=back.description, origin="cli"
            )
        except ConsentError:
            say("that was not the answer to this sign-in; still waiting")
