"""What no key alone can show: settings that contradict each other.

Each check names the keys it looks at; one that is faulty by itself silences the checks about it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from mailwatch.config.faults import KeyPath
from mailwatch.config.settings import Settings
from mailwatch.config.watching import Curve
from mailwatch.core.oauth import OAuthKind
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


def _listen(settings: Settings) -> Iterator[Contradiction]:
    if not settings.web.is_loopback:
        yield Contradiction(
            (("web", "listen"),),
            f"web.listen ({settings.web.listen}) can be reached from other machines, and asks nobody for a password",
            "listen on 127.0.0.1 and put a proxy that authenticates in front",
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


def contradictions(settings: Settings) -> Iterator[Contradiction]:
    """Everything in *settings* that does not go together."""
    yield from _times(settings)
    yield from _curve("transient", settings.backoff.transient)
    yield from _curve("throttled", settings.backoff.throttled)
    yield from _listen(settings)
    yield from _unreachable(settings)
    yield from _providers(settings)
    yield from _oauth(settings)
