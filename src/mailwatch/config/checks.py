"""What no key alone can show: settings that contradict each other.

Each check names the keys it looks at; one that is faulty by itself silences the checks about it.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from mailwatch.config.faults import KeyPath
from mailwatch.config.reaching import OAuthApplication
from mailwatch.config.settings import Settings
from mailwatch.config.watching import Curve
from mailwatch.core.oauth import GrantKind, OAuthKind
from mailwatch.core.providers import OTHER, PACES


class Contradiction(NamedTuple):
    """Keys that do not go together; the fault is shown at the first."""

    keys: tuple[KeyPath, ...]
    problem: str
    cure: str


def _times(settings: Settings) -> Iterator[Contradiction]:
    confirm = settings.confirm
    if confirm.min_seconds > confirm.max_seconds:
        yield Contradiction(
            (("confirm", "min_seconds"), ("confirm", "max_seconds")),
            f"confirm.min_seconds ({confirm.min_seconds:g}) is more than max_seconds ({confirm.max_seconds:g})",
            "swap them, or raise max_seconds",
        )


def _curve(name: str, curve: Curve) -> Iterator[Contradiction]:
    path = ("backoff", name)
    if curve.first_seconds > curve.max_seconds:
        yield Contradiction(
            ((*path, "first_seconds"), (*path, "max_seconds")),
            f"backoff.{name}.first_seconds ({curve.first_seconds:g}) is more than max_seconds ({curve.max_seconds:g})",
            "the first wait is the shortest: lower it, or raise max_seconds",
        )


def _unreachable(settings: Settings) -> Iterator[Contradiction]:
    for name, provider in settings.providers.items():
        if name not in PACES and name != OTHER and not provider.hosts and not provider.domains:
            yield Contradiction(
                (("providers", name), ("providers", name, "hosts"), ("providers", name, "domains")),
                f"no mailbox can belong to provider {name}: it is not built in, and names neither hosts nor domains",
                f"add hosts or domains, or use a built-in name: {', '.join(sorted(PACES))}",
            )


def _providers(settings: Settings) -> Iterator[Contradiction]:
    for kind in ("hosts", "domains"):
        owners: dict[str, KeyPath] = {}
        for name, provider in settings.providers.items():
            for index, host in enumerate(getattr(provider, kind)):
                path: KeyPath = ("providers", name, kind, index)
                if host in owners:
                    yield Contradiction(
                        (path, owners[host]),
                        f'"{host}" belongs to two providers: {owners[host][1]} and {name}',
                        "leave it with one of them",
                    )
                owners.setdefault(host, path)


def _oauth(settings: Settings) -> Iterator[Contradiction]:
    for name, app in settings.oauth.items():
        path = ("oauth", name)
        if app.kind is OAuthKind.CUSTOM and app.token_url is None:
            yield Contradiction(
                ((*path, "token_url"), (*path, "kind")),
                f"oauth.{name}.token_url is missing",
                'set it, or set kind to "google" or "microsoft", whose endpoints are known',
            )
        if app.kind is not OAuthKind.MICROSOFT and "tenant" in app.model_fields_set:
            yield Contradiction(
                ((*path, "tenant"), (*path, "kind")),
                f'oauth.{name}.tenant means nothing to kind "{app.kind}"',
                'remove it, or set kind = "microsoft"',
            )
        yield from _grant(name, app)


#: Tenants that stand for many: an application can sign in by itself only in one.
_MANY_TENANTS: Final = frozenset({"common", "organizations", "consumers"})


def _grant(name: str, app: OAuthApplication) -> Iterator[Contradiction]:
    """What each grant needs, and who has it."""
    path = ("oauth", name)
    if app.grant is GrantKind.CLIENT_CREDENTIALS and app.client_secret is None:
        yield Contradiction(
            ((*path, "client_secret"), (*path, "grant")),
            f"oauth.{name}.client_secret is missing",
            "set it: with client_credentials it is all that signs in",
        )
    if app.kind is OAuthKind.MICROSOFT and app.grant is GrantKind.CLIENT_CREDENTIALS and app.tenant in _MANY_TENANTS:
        yield Contradiction(
            ((*path, "tenant"), (*path, "grant")),
            f'oauth.{name}.tenant is "{app.tenant}", and an application signs in by itself only in one tenant',
            "set it to the tenant's id or domain",
        )
    if app.grant is GrantKind.SERVICE_ACCOUNT and app.service_account is None:
        yield Contradiction(
            ((*path, "service_account"), (*path, "grant")),
            f"oauth.{name}.service_account is missing",
            "point it to the JSON key of the service account",
        )
    wrong = {OAuthKind.GOOGLE: GrantKind.CLIENT_CREDENTIALS, OAuthKind.MICROSOFT: GrantKind.SERVICE_ACCOUNT}
    if app.grant is wrong.get(app.kind):
        other = ({*wrong.values()} - {app.grant}).pop()
        yield Contradiction(
            ((*path, "grant"), (*path, "kind")), f'{app.kind} has no grant "{app.grant}"', f'use "code" or "{other}"'
        )


def contradictions(settings: Settings) -> Iterator[Contradiction]:
    """Everything in *settings* that does not go together."""
    yield from _times(settings)
    yield from _curve("transient", settings.backoff.transient)
    yield from _curve("throttled", settings.backoff.throttled)
    yield from _unreachable(settings)
    yield from _providers(settings)
    yield from _oauth(settings)
