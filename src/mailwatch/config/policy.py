"""Settings as the values the rest of the program works with: the core's policy, the providers' paces, the OAuth applications."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mailwatch.config.reaching import OAuthApplication, Provider
from mailwatch.config.references import SecretReference, SecretReferenceError
from mailwatch.config.settings import Settings
from mailwatch.config.watching import Curve
from mailwatch.core.campaigns import CampaignPolicy
from mailwatch.core.mailbox import Depth
from mailwatch.core.oauth import AUTHORIZE_URLS, DEVICE_URLS, REVOKE_URLS, TOKEN_URLS, OAuthApp, OAuthKind, ServiceAccountKey
from mailwatch.core.pacing import Pace
from mailwatch.core.policy import BackoffPolicy, BudgetPolicy, ConfirmPolicy, Policy, VerifyPolicy
from mailwatch.core.secret import Secret
from mailwatch.core.watching import WatchRules
from mailwatch.core.webhooks import Endpoint, WebhookSecretError, webhook_key

_PACE_KEYS: Final = frozenset({"max_connections", "logins_per_minute", "burst", "per_address_bans"})


def _backoff(curve: Curve) -> BackoffPolicy:
    return BackoffPolicy(curve.first_seconds, curve.max_seconds, curve.factor, curve.jitter_ratio)


def to_policy(settings: Settings) -> Policy:
    """The numbers behind every decision; the default settings give the default policy."""
    confirm, verify, budget = settings.confirm, settings.verify, settings.budget
    return Policy(
        interval_seconds=settings.probing.interval_seconds,
        timeout_seconds=settings.probing.timeout_seconds,
        depth=Depth(settings.probing.depth.value),
        confirm=ConfirmPolicy(confirm.min_seconds, confirm.max_seconds, confirm.secret_seconds, confirm.unknown_tries),
        transient=_backoff(settings.backoff.transient),
        throttled=_backoff(settings.backoff.throttled),
        verify=VerifyPolicy(verify.successes, verify.min_seconds, verify.spacing_seconds),
        budget=BudgetPolicy(budget.rejected_logins, budget.window_seconds, budget.host_rejected_logins, budget.host_window_seconds),
        survival_seconds=settings.backoff.survival_seconds,
        recheck_seconds=settings.blocked.recheck_seconds,
    )


def to_watch_rules(settings: Settings) -> WatchRules:
    """Who is watched between probes; the default settings watch nobody."""
    probing = settings.probing
    return WatchRules(probing.watch, probing.watch_max, probing.watch_renew_seconds, probing.interval_seconds)


def to_pace(provider: Provider, known: Pace | None = None) -> Pace:
    """The pace of a provider: *known* is what is built in for its name; only keys the operator set change it."""
    return replace(known or Pace(), **{key: getattr(provider, key) for key in _PACE_KEYS & provider.model_fields_set})


def to_paces(settings: Settings, known: Mapping[str, Pace]) -> Mapping[str, Pace]:
    """The pace of every provider, built in or configured, by name."""
    return {**known, **{name: to_pace(provider, known.get(name)) for name, provider in settings.providers.items()}}


def token_url(application: OAuthApplication) -> str:
    """Where the application's tokens are renewed."""
    # A custom application without its own URL is refused when the file is read.
    return application.token_url or TOKEN_URLS[application.kind].format(tenant=application.tenant)


def to_oauth_apps(settings: Settings, environ: Mapping[str, str] | None = None) -> Mapping[str, OAuthApp]:
    """The OAuth applications with their secrets read, by name.  Blocks while reading; raises SecretReferenceError."""
    return {name: _oauth_app(name, app, environ) for name, app in settings.oauth.items()}


def _oauth_app(name: str, app: OAuthApplication, environ: Mapping[str, str] | None) -> OAuthApp:
    return OAuthApp(
        name=name,
        kind=app.kind,
        client_id=app.client_id,
        client_secret=None if app.client_secret is None else app.client_secret.read(environ),
        token_url=token_url(app),
        scopes=app.scopes,
        grant=app.grant,
        authorize_url=app.authorize_url or _known(AUTHORIZE_URLS, app),
        device_url=app.device_url or _known(DEVICE_URLS, app),
        revoke_url=app.revoke_url or _known(REVOKE_URLS, app),
        userinfo_url=app.userinfo_url,
        client_auth=app.client_auth,
        service_account=_service_account(app, environ),
    )


def _known(urls: Mapping[OAuthKind, str], app: OAuthApplication) -> str | None:
    url = urls.get(app.kind)
    return None if url is None else url.format(tenant=app.tenant)


def _service_account(app: OAuthApplication, environ: Mapping[str, str] | None) -> Secret | None:
    """The key, looked at now: a wrong file is told when mailwatch starts, not when the first mailbox is probed."""
    if app.service_account is None:
        return None
    secret = app.service_account.read(environ)
    try:
        ServiceAccountKey.parse(secret)
    except ValueError as error:
        cure = "point to the JSON key that the Google Cloud console made for the service account"
        raise SecretReferenceError(str(app.service_account), str(error), cure) from None
    return secret


def to_campaign_policy(settings: Settings) -> CampaignPolicy:
    """When campaigns pause and how they come back; the default settings give the default policy."""
    return CampaignPolicy(**settings.campaigns.model_dump())


def to_webhooks(settings: Settings, environ: Mapping[str, str] | None = None) -> Mapping[str, Endpoint]:
    """The webhooks with their secrets read, by name, the present secret first.

    Blocks while reading; raises SecretReferenceError, also for a secret that is none of Standard Webhooks'.
    """
    return {
        name: Endpoint(
            name=name,
            url=webhook.url,
            secrets=tuple(
                _webhook_secret(reference, environ)
                for reference in (webhook.secret, webhook.previous_secret)
                if reference is not None
            ),
            types=frozenset(webhook.events),
        )
        for name, webhook in settings.webhooks.items()
    }


def _webhook_secret(reference: SecretReference, environ: Mapping[str, str] | None) -> Secret:
    secret = reference.read(environ)
    try:
        webhook_key(secret)
    except WebhookSecretError as error:
        raise SecretReferenceError(str(reference), str(error), 'make one: echo "whsec_$(openssl rand -base64 32)"') from None
    return secret
