"""Consents in a real browser: an operator's Reconnect, the owner's one-time link, a wrong account; the provider is a page of ours."""

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import expect

from builders import FAILURES
from fakes.consents import MemorySessions, ScriptedProvider
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.oauth import OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.desk.consents import Consents
from mailwatch.desk.passwords import Passwords
from mailwatch.ports.consents import Tokens
from page_site import BY, Site

pytest_plugins = ("browser",)
pytestmark = pytest.mark.integration

SCOPE = "https://mail.google.com/"


class ProviderNextDoor(ScriptedProvider):
    """Consents at once: its authorize page is our own callback, with a code."""

    site_url = ""

    def authorize_url(self, app, *, state, challenge, redirect_uri, address, choose=False):
        super().authorize_url(app, state=state, challenge=challenge, redirect_uri=redirect_uri, address=address, choose=choose)
        return f"{self.site_url}/oauth/callback?state={state}&code=c0de"


def tokens(address):
    return Tokens(Secret("access-c4n4ry"), 3600.0, Secret("refresh-c4n4ry"), frozenset({SCOPE}), address)


@pytest.fixture
def provider():
    return ProviderNextDoor()


@pytest.fixture
def site(tmp_path, provider):
    """A site with an OAuth application and a mailbox whose consent was revoked."""
    app = OAuthApp("outreach", OAuthKind.GOOGLE, "client-id", Secret("client-s3cret"), "https://oauth2.example.org/token", (SCOPE,))

    def consents(surface):
        return Consents(
            {"outreach": app},
            provider,
            MemorySessions(),
            surface.store,
            surface.clock,
            lambda: f"{provider.site_url}/oauth/callback",
            people=surface.people,
            grants=surface.store.grants,
        )

    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
    with Site(tmp_path, passwords=cheap, consents=consents) as running:
        provider.site_url = running.url
        running.add_user()
        yield running


@pytest.fixture
def ida(site):
    return site.add(
        "ida@workspace.example",
        State.BLOCKED,
        FAILURES[Cause.OAUTH_GRANT_REVOKED],
        auth=AuthKind.OAUTH,
        oauth_app="outreach",
        provider="google",
    )


def test_reconnect_leads_over_the_provider_and_back_to_a_mailbox_that_is_being_verified(opened, site, provider, ida):
    provider.answers = [tokens("ida@workspace.example")]
    page = opened("/mailboxes")
    page.get_by_role("button", name="Actions for ida@workspace.example").click()
    page.get_by_role("menuitem", name="Reconnect").click()
    page.wait_for_url(f"**/mailboxes/{ida}")
    expect(page.get_by_text("The new consent for ida@workspace.example is stored.")).to_be_visible()
    assert site.state(ida) is State.RECONNECTING
    assert "c4n4ry" not in page.content()


def test_the_owners_link_shows_one_mailbox_and_one_button_and_works_once(opened, browse, site, provider, complaints, ida):
    site.add("anna@example.org")
    page = opened(f"/mailboxes/{ida}")
    page.get_by_role("button", name="Make a link for the owner").click()
    url = page.get_by_role("dialog").get_by_role("code").inner_text()
    provider.answers = [tokens("ida@workspace.example")]
    with browse(name=None, java_script_enabled=False) as context:
        owner = context.new_page()
        for _ in range(2):  # a mail scanner that looks uses nothing up
            owner.goto(url)
        assert "ida@workspace.example" in owner.content()
        assert "anna@example.org" not in owner.content()
        assert owner.get_by_role("button").all_inner_texts() == ["Reconnect"]
        assert owner.get_by_role("link").count() == 0
        owner.get_by_role("button", name="Reconnect").click()
        expect(owner.get_by_role("heading", name="Thank you")).to_be_visible()
        assert site.state(ida) is State.RECONNECTING
        owner.goto(url)
        expect(owner.get_by_role("heading", name="This link cannot be used")).to_be_visible()
        owner.goto(site.url + "/mailboxes")
        expect(owner.get_by_role("heading", name="Sign in")).to_be_visible()
    complaints.forgive(410)


def test_who_signs_in_as_somebody_else_is_told_and_may_try_again(browse, site, provider, complaints, ida):
    provider.answers = [tokens("private@workspace.example"), tokens("ida@workspace.example")]
    key = site.do(site.world.surface.consents.reconnect_link, ida, BY)
    with browse(name=None) as context:
        owner = context.new_page()
        owner.goto(f"{site.url}/reconnect?key={key}")
        owner.get_by_role("button", name="Reconnect").click()
        expect(owner.get_by_role("heading", name="Not reconnected")).to_be_visible()
        expect(owner.get_by_role("alert")).to_contain_text("Nothing was stored.")
        assert site.state(ida) is State.BLOCKED
        owner.get_by_role("button", name="Try again").click()
        expect(owner.get_by_role("heading", name="Thank you")).to_be_visible()
    complaints.forgive(409)


def test_another_browser_cannot_end_what_this_one_began(browse, site, provider, complaints, ida):
    provider.answers = [tokens("ida@workspace.example")]
    site.do(site.world.surface.consents.begin, ida, BY, browser="a browser elsewhere")
    with browse(name=None) as context:
        stranger = context.new_page()
        stranger.goto(f"{site.url}/oauth/callback?state={provider.asked[0]['state']}&code=c0de")
        expect(stranger.get_by_role("heading", name="Not reconnected")).to_be_visible()
    assert site.state(ida) is State.BLOCKED
    assert not provider.exchanged
    complaints.forgive(409)
