"""What the help text for users promises, walked line by line in a real browser against the whole daemon and real mail servers."""

import time

import pytest
from playwright.sync_api import expect

from integration.node import Node
from integration.operators import Gallery, Program, browser_of, live, menu_of, ready, set_up, setup_url

pytest_plugins = ("browser",)
pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.waiting]

ANA, BEN, EVA = "u00001@mail.test", "u00002@mail.test", "u00004@mail.test"
CAMPAIGNS = ("autumn", "winter")
SETTINGS = """
[campaigns]
ramp_after_seconds = 1
ramp_share = 1.0
"""


@pytest.fixture
def node(start_dovecot, start_postfix, tmp_path):
    """A daemon that watches three mailboxes: two good ones, one with a wrong password; two campaigns send through the first."""
    dovecot = start_dovecot(with_relay=False)
    postfix = start_postfix(dovecot)
    urls = (f"imaps://localhost:{dovecot.imaps_port}", f"smtps://localhost:{postfix.submissions_port}")
    # what is to be seen on the way back lasts so long that a busy browser sees it
    with Node(tmp_path / "node", dovecot.ca_file, interval=2, timeout=30, verify_seconds=15, extra=SETTINGS) as running:
        running.dovecot = dovecot
        running.add_users(
            ["u00001", "u00002", "u00004"], *urls, password=lambda user: f"{'no' if user == 'u00004' else 'pw'}-{user}"
        )
        running.verb("campaign", "add", "autumn", "--mailbox", ANA)
        running.verb("campaign", "add", "winter", "--mailbox", ANA, "--mailbox", BEN)
        running.start()
        yield running
        assert running.stop() == 0
        told = running.log.read_text()
        assert "request.failed" not in told
        assert "Traceback" not in told


@pytest.fixture
def page(chromium, complaints, node):
    """A tab in which the first account was just made, by the one-time link of the log."""
    with browser_of(chromium, complaints) as context:
        yield context.new_page()


def row_of(page, node, address):
    ((number,),) = node.query("SELECT id FROM mailboxes WHERE address = ?", address)
    return page.locator(f"#row-{number}")


def test_the_help_text_holds_line_by_line(page, node, complaints, tmp_path):
    pictures, sender = Gallery(tmp_path / "pictures"), Program(node)
    node.wait(lambda: node.states().get("connected") == 2, "the good ones to be connected")
    assert sender.ask("PATCH", "/api/v1/campaigns/autumn", {"position": "row 4711"})[0] == 200
    assert sender.ask("PATCH", "/api/v1/campaigns/winter", {"position": "row 17"})[0] == 200
    ((ana,),) = node.query("SELECT id FROM mailboxes WHERE address = ?", ANA)

    # The first account: by the one-time URL of the log, and by nothing else.
    page.goto(node.url)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    pictures.take(page, "nobody-yet")
    page.goto(setup_url(node))
    pictures.take(page, "set-up")
    set_up(page, node)
    pictures.take(page, "first-look")
    page.goto(setup_url(node))
    expect(page.get_by_role("heading", name="This link has ended")).to_be_visible()
    complaints.forgive(410)

    # If you need to take a mailbox offline temporarily … you can disconnect it.
    page.goto(f"{node.url}/incidents")
    ready(page)
    # Go to Mailboxes in the left sidebar.
    sidebar = page.get_by_role("navigation", name="Main")
    sidebar.get_by_role("link", name="Mailboxes").click()
    page.wait_for_url("**/mailboxes")
    ready(page)
    assert sidebar.bounding_box()["x"] == 0
    # Find the mailbox you want to disconnect.
    page.get_by_role("searchbox", name="Search addresses").fill("u00001")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=u00001*")
    live(ready(page))
    row = row_of(page, node, ANA)
    expect(row).to_contain_text("Connected")
    expect(page.locator("tr[data-mailbox]")).to_have_count(1)
    # Click the actions menu (⋮) on the right side of the mailbox row.
    dots = row.get_by_role("button", name=f"Actions for {ANA}")
    assert dots.bounding_box()["x"] > row.bounding_box()["x"] + row.bounding_box()["width"] * 0.9
    # Click Disconnect mailbox.
    assert menu_of(page, ANA) == ["Disconnect mailbox", "Details", "Remove connection"]
    pictures.take(page, "menu")
    page.get_by_role("menuitem", name="Disconnect mailbox").click()
    # A confirmation dialog will appear.
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_be_visible()
    pictures.take(page, "dialog")
    # Click Disconnect to confirm.
    dialog.get_by_role("button", name="Disconnect", exact=True).click()
    # You'll see a confirmation toast: "[email] has been disconnected. You can reconnect it anytime."
    toast = page.get_by_role("status").get_by_role("paragraph").last
    expect(toast).to_have_text(f"{ANA} has been disconnected. You can reconnect it anytime.")
    pictures.take(page, "toast")
    # Any campaigns that were sending through this address stop sending immediately.
    node.wait(lambda: sender.reason(ANA) == "inactive", "the gate to say no")
    assert [sender.reason(ANA, campaign) for campaign in CAMPAIGNS] == ["inactive"] * 2
    # The mailbox will be set to inactive.
    expect(row).to_contain_text("Inactive")
    assert sender.get(f"/api/v1/mailboxes/{ANA}")["state"] == "inactive"
    # Active campaigns using this mailbox will be paused.
    for campaign in CAMPAIGNS:
        told = sender.get(f"/api/v1/campaigns/{campaign}")
        assert told["state"] == "paused"
        assert [(pause["mailbox"], pause["origin"], pause["reason"], pause["actor"]) for pause in told["pauses"]] == [
            (ana, "operator", "operator_disconnect", "user:ada")
        ]
        # Your mailbox record and campaign associations are preserved.
        assert ana in told["mailboxes"]
        page.goto(f"{node.url}/campaigns/{campaign}")
        expect(page.locator("#subject-campaign")).to_contain_text("Paused")
        expect(page.locator("#campaign-mailboxes")).to_contain_text(ANA)
    pictures.take(page, "paused-campaign")
    # Nothing is deleted — the mailbox history and its links to campaigns remain intact.
    page.goto(f"{node.url}/mailboxes/{ana}")
    ready(page)
    expect(page.locator("#timeline")).to_contain_text("A person disconnected it. By user:ada.")
    expect(page.locator("#mailbox-campaigns").get_by_role("link")).to_have_text(["autumn", "winter"])
    expect(page.locator("#acts-done")).to_contain_text("mailbox.disconnect by user:ada from 127.0.0.1 (connected → inactive)")
    pictures.take(page, "inactive-details")
    assert [step["to"] for step in node.history(ANA)] == ["connected", "inactive"]
    # ... and nobody logs in to it any more.
    before = node.dovecot.accepted("u00001")
    time.sleep(5)
    assert node.dovecot.accepted("u00001") == before
    # If a mailbox is already inactive … you won't see this option — instead, use the Reconnect option to reactivate it.
    page.goto(f"{node.url}/mailboxes")
    live(ready(page))
    row = row_of(page, node, ANA)
    assert menu_of(page, ANA) == ["Reconnect", "Details", "Remove connection"]
    pictures.take(page, "menu-of-an-inactive-one")
    # You can reconnect later. When you're ready to resume, reconnect the mailbox …
    page.get_by_role("menuitem", name="Reconnect").click()
    expect(toast).to_contain_text(f"{ANA} is reconnecting.")
    pictures.take(page, "reconnecting")
    expect(row).to_contain_text("Verifying")
    node.wait(lambda: sender.reason(ANA) == "verifying", "the gate to know")
    expect(row).to_contain_text("Connected")  # by itself: nobody has reloaded the page
    assert [step["to"] for step in node.history(ANA)][-3:] == ["reconnecting", "verifying", "connected"]
    # … and your campaigns can be restarted: a person is asked.
    assert [sender.get(f"/api/v1/campaigns/{campaign}")["state"] for campaign in CAMPAIGNS] == ["paused"] * 2
    page.get_by_role("link", name=ANA).click()
    ready(page)
    resume = page.get_by_role("button", name="Resume 2 campaigns")
    expect(resume).to_be_visible()
    pictures.take(page, "resume-offered")
    resume.click()
    expect(toast).to_have_text("2 campaigns resumed from where they stopped.")
    expect(resume).to_have_count(0)
    pictures.take(page, "resumed")
    for campaign, position in zip(CAMPAIGNS, ("row 4711", "row 17"), strict=True):
        told = sender.get(f"/api/v1/campaigns/{campaign}")
        assert (told["state"], told["position"], told["pauses"]) == ("active", position, [])
    node.wait(lambda: sender.reason(ANA, "autumn") in ("connected", "ramping"), "the gate to let it send")

    # Remove connection — permanently deletes the mailbox and all associated data. Cannot be undone.
    page.goto(f"{node.url}/mailboxes")
    live(ready(page))
    menu_of(page, ANA)
    page.get_by_role("menuitem", name="Remove connection").click()
    dialog = page.get_by_role("alertdialog", name=f"Remove the connection of {ANA}?")
    dialog.get_by_label("Type the address to confirm").fill(ANA)
    pictures.take(page, "remove")
    dialog.get_by_role("button", name="Remove connection").click()
    expect(toast).to_have_text(f"The connection of {ANA} has been removed.")
    pictures.take(page, "removed")
    page.reload()
    ready(page)
    expect(page.locator("tr[data-mailbox]")).to_have_count(2)
    assert ANA not in page.content()
    page.goto(f"{node.url}/mailboxes/{ana}")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    pictures.take(page, "gone")
    complaints.forgive(404)
    assert sender.ask("GET", f"/api/v1/mailboxes/{ana}")[0] == 404
    node.wait(lambda: sender.reason(ANA) == "unknown_mailbox", "the gate to forget it")
    assert sender.get("/api/v1/campaigns/autumn")["mailboxes"] == []
    for path in node.root.glob("mailwatch.db*"):
        assert b"u00001" not in path.read_bytes(), path

    # … deactivated automatically (for example, due to an authentication error): no Disconnect, but Reconnect.
    node.wait(lambda: node.states().get("blocked") == 1, "the one with the wrong password to be blocked")
    page.goto(f"{node.url}/mailboxes")
    live(ready(page))
    expect(page.locator("tr[data-mailbox]").first).to_contain_text(EVA)
    assert menu_of(page, EVA) == ["Reconnect", "Details", "Remove connection"]
    pictures.take(page, "menu-of-a-blocked-one")
    page.get_by_role("menuitem", name="Reconnect").click()
    dialog = page.get_by_role("dialog", name=f"Reconnect {EVA}")
    dialog.get_by_label("New password").fill("pw-u00004")
    pictures.take(page, "new-password")
    dialog.get_by_role("button", name="Reconnect").click()
    expect(row_of(page, node, EVA)).to_contain_text("Connected")
