"""Consents in a real browser, from end to end: the whole daemon, a real identity provider's own pages, a real Dovecot."""

import re

import pytest
from playwright.sync_api import expect

from integration.oauth_place import oauth_place
from integration.operators import Gallery, Program, browser_of, live, menu_of, ready, set_up
from servers.presence import need_dovecot

pytest_plugins = ("browser",)
pytestmark = [pytest.mark.integration, pytest.mark.slow]

ANA, BEN, EVA = "u00001@mail.test", "u00002@mail.test", "u00004@mail.test"
SETTINGS = """
[campaigns]
ramp_after_seconds = 1
ramp_share = 1.0
"""


@pytest.fixture
def place(authority, tmp_path):
    """Two mailboxes that work by consent, one whose consent never did; each has a campaign."""
    need_dovecot()
    with oauth_place(tmp_path / "place", authority, extra=SETTINGS) as running:
        for user, campaign in (("u00001", "autumn"), ("u00002", "winter"), ("u00004", "spring")):
            secret = running.provider.consent(user).reveal() if user != "u00004" else "never-good"
            running.add(user, secret)
            running.node.verb("campaign", "add", campaign, "--mailbox", f"{user}@mail.test")
        running.node.start()
        yield running
        assert running.node.stop() == 0
        told = running.node.log.read_text()
        assert "request.failed" not in told
        assert "Traceback" not in told


@pytest.fixture
def browse(chromium, complaints, place):
    """`browse()` is a browser of somebody's own.  It reaches this machine alone: the provider's page has its looks from elsewhere."""

    def open_browser():
        return browser_of(chromium, complaints, ignore_https_errors=True)

    yield open_browser
    complaints[:] = [each for each in complaints if "net::ERR_FAILED" not in each]


def here_alone(context, place):
    """Let nothing out but to this machine; a page of *context*."""
    context.route(re.compile(r"^https?://(?!localhost[:/]|127\.0\.0\.1[:/])"), lambda route: route.abort())
    return context.new_page()


def sign_in_at_provider(page, place, user, pictures=None):
    """At the provider's own page."""
    page.wait_for_url(f"{place.front.url}/**")
    if pictures:
        pictures.take(page, f"provider-{user}")
    page.locator("[name=username]").fill(user)
    page.locator("[name=password]").fill(f"pw-{user}")
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(lambda url: not url.startswith(place.front.url))


def stored(place, mailbox):
    """What is kept of a mailbox's consent, as it lies there."""
    secrets = place.node.query("SELECT field, sealed, generation FROM secrets WHERE mailbox_id = ? ORDER BY field", mailbox)
    return secrets, place.node.query("SELECT generation, epoch FROM grants WHERE mailbox_id = ?", mailbox)


def test_a_revoked_grant_is_renewed_in_the_browser_and_the_campaign_goes_on(place, browse, complaints, tmp_path):
    pictures, sender, node = Gallery(tmp_path / "pictures"), Program(place.node), place.node
    node.wait(lambda: node.states().get("connected") == 2, "the good ones to be connected")
    node.wait(lambda: node.states().get("blocked") == 1, "the one without a consent to be blocked")
    ana, eva = place.id_of(ANA), place.id_of(EVA)
    assert sender.ask("PATCH", "/api/v1/campaigns/autumn", {"position": "row 4711"})[0] == 200
    node.wait(lambda: sender.reason(ANA, "autumn") == "connected", "the gate to let it send")

    # The owner takes the grant back at the provider: the mailbox is blocked, its campaign paused.
    place.take_back(ana)
    node.wait(lambda: sender.get(f"/api/v1/mailboxes/{ana}")["state"] == "blocked", "the mailbox to be blocked")
    assert sender.get(f"/api/v1/mailboxes/{ana}")["cause"] == "oauth_grant_revoked"
    paused = sender.get("/api/v1/campaigns/autumn")
    assert (paused["state"], paused["pauses"][0]["origin"], paused["pauses"][0]["reason"]) == (
        "paused",
        "automatic",
        "oauth_grant_revoked",
    )
    node.wait(lambda: sender.reason(ANA, "autumn") == "blocked", "the gate to say no")
    before = stored(place, ana)

    with browse() as context:
        page = here_alone(context, place)
        set_up(page, node)
        live(page)
        pictures.take(page, "blocked")
        # Somebody else signs in: refused, and nothing is stored.
        assert menu_of(page, ANA) == ["Reconnect", "Details", "Remove connection"]
        page.get_by_role("menuitem", name="Reconnect").click()
        sign_in_at_provider(page, place, "u00002", pictures)
        expect(page.get_by_role("heading", name="Not reconnected")).to_be_visible()
        expect(page.get_by_role("alert")).to_contain_text("u00002@mail.test")
        expect(page.get_by_role("alert")).to_contain_text("Nothing was stored.")
        pictures.take(page, "refused")
        complaints.forgive(409)
        assert stored(place, ana) == before
        assert sender.get(f"/api/v1/mailboxes/{ana}")["state"] == "blocked"
        # The owner signs in: accepted by the provider, by mailwatch, and by Dovecot.
        context.clear_cookies(domain="localhost")  # the provider's own session
        page.get_by_role("link", name="To the mailbox").click()
        ready(page)
        pictures.take(page, "blocked-details")
        page.get_by_role("button", name="Reconnect").click()
        accepted = place.dovecot.accepted("u00001")
        sign_in_at_provider(page, place, "u00001")
        page.wait_for_url(f"{node.url}/mailboxes/{ana}")
        toast = page.get_by_role("status").get_by_role("paragraph")
        expect(toast).to_have_text(f"The new consent for {ANA} is stored. It is being verified; campaigns resume after that.")
        pictures.take(page, "consent-stored")
        expect(page.locator("#subject")).to_contain_text("Connected")
        expect(page.locator("#mailbox-campaigns")).to_contain_text("autumn: active")
        expect(page.get_by_role("button", name=re.compile("Resume"))).to_have_count(0)
        pictures.take(page, "connected")
        page.reload()
        ready(page)
        expect(page.locator("#acts-done")).to_contain_text("consent.stored")
    node.wait(lambda: place.dovecot.accepted("u00001") >= accepted + 2, "Dovecot's log to have both logins")
    assert [step["to"] for step in node.history(ANA)][-4:] == ["blocked", "reconnecting", "verifying", "connected"]
    told = sender.get("/api/v1/campaigns/autumn")
    assert (told["state"], told["position"], told["pauses"]) == ("active", "row 4711", [])
    node.wait(lambda: sender.reason(ANA, "autumn") in ("connected", "ramping"), "the gate to let it send")
    refresh, access = place.grant(ana)
    assert place.provider.introspect(access)["active"]

    # The owner of another: by a one-time link, without an account, and it shows nothing else.
    link = node.verb("oauth", "link", EVA).strip()
    with browse() as context:
        owner = here_alone(context, place)
        owner.goto(link)
        pictures.take(owner, "owners-link")
        shown = owner.locator("body").inner_text()
        assert EVA in shown
        assert ANA not in owner.content()
        assert BEN not in owner.content()
        assert owner.get_by_role("button").all_inner_texts() == ["Reconnect"]
        assert owner.get_by_role("link").count() == 0
        owner.get_by_role("button", name="Reconnect").click()
        sign_in_at_provider(owner, place, "u00004")
        expect(owner.get_by_role("heading", name="Thank you")).to_be_visible()
        pictures.take(owner, "thank-you")
        for path in ("/mailboxes", f"/mailboxes/{eva}", "/campaigns", "/audit"):
            owner.goto(node.url + path)
            expect(owner.get_by_role("heading", name="Sign in")).to_be_visible()
        assert owner.evaluate("fetch('/api/v1/mailboxes').then(answer => answer.status)") == 401
        owner.goto(link)
        expect(owner.get_by_role("heading", name="This link cannot be used")).to_be_visible()
        complaints.forgive(401, 410)
    node.wait(lambda: sender.get(f"/api/v1/mailboxes/{eva}")["state"] == "connected", "the mailbox of the link to be connected")
    node.wait(lambda: sender.get("/api/v1/campaigns/spring")["state"] == "active", "its campaign to go on")
    # What people had in their hands is nowhere to be read.
    log, database = node.log.read_bytes(), node.database.read_bytes()
    for secret in (refresh, access, link.partition("key=")[2], "never-good"):
        assert secret.encode() not in log
        assert secret.encode() not in database
