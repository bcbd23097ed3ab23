"""The flow that the help text promises, word by word, in a real browser: disconnect, what it does, and reconnect."""

import pytest
from playwright.sync_api import expect

from builders import FAILURES
from mailwatch.core.campaigns import CampaignState
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.ports.people import Role

pytest_plugins = ("browser",)
pytestmark = pytest.mark.integration


def menu_of(page, address):
    """Open the actions menu (⋮) on the right side of the mailbox's row; the names of its entries."""
    page.get_by_role("button", name=f"Actions for {address}").click()
    page.get_by_role("menuitem").first.wait_for()
    return page.get_by_role("menuitem").all_inner_texts()


def test_the_flow_of_the_help_text_word_by_word(opened, site):
    anna = site.add("anna@example.org")
    site.add_campaign("spring-outreach", anna, name="Spring outreach")
    page = opened("/findings")
    # Go to Mailboxes in the left sidebar.
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Mailboxes").click()
    page.wait_for_selector("html[data-script]", state="attached")
    # Find the mailbox you want to disconnect.
    page.get_by_role("searchbox", name="Search addresses").fill("anna")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-script]", state="attached")
    # Click the actions menu (⋮) on the right side of the mailbox row. Click Disconnect mailbox.
    assert menu_of(page, "anna@example.org") == ["Disconnect mailbox", "Details", "Remove connection"]
    page.get_by_role("menuitem", name="Disconnect mailbox").click()
    # A confirmation dialog will appear. Click Disconnect to confirm.
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Disconnect", exact=True).click()
    # The mailbox will be set to inactive. You'll see a confirmation toast.
    toast = page.get_by_role("status").filter(has_text="disconnected")
    expect(toast.get_by_role("paragraph")).to_have_text("anna@example.org has been disconnected. You can reconnect it anytime.")
    expect(page.locator("#row-" + anna).get_by_text("Inactive")).to_be_visible()
    assert site.state(anna) is State.INACTIVE
    # Active campaigns using this mailbox will be paused; the links to campaigns remain intact.
    assert site.campaign("spring-outreach").campaign.state is CampaignState.PAUSED
    assert site.campaign("spring-outreach").campaign.mailboxes == (anna,)
    # The Disconnect option is only visible for active mailboxes: instead, use the Reconnect option.
    assert menu_of(page, "anna@example.org") == ["Reconnect", "Details", "Remove connection"]
    page.get_by_role("menuitem", name="Reconnect").click()
    expect(page.locator("#row-" + anna).get_by_text("Reconnecting", exact=True)).to_be_visible()
    # ... and your campaigns can be restarted: after verification a person is offered to resume them.
    site.move(anna, Trigger.PROBE_SUCCEEDED, Trigger.VERIFIED)
    assert site.campaign("spring-outreach").campaign.state is CampaignState.PAUSED
    page.get_by_role("link", name="anna@example.org").click()
    page.wait_for_selector("html[data-script]", state="attached")
    page.get_by_role("button", name="Resume 1 campaign").click()
    expect(page.get_by_role("button", name="Resume 1 campaign")).to_have_count(0)
    assert site.campaign("spring-outreach").campaign.state is CampaignState.ACTIVE
    # The record and the whole history are kept, each act by whom and from where.
    expect(page.locator("#timeline")).to_contain_text("A person disconnected it. By user:ada.")
    expect(page.locator("#acts-done")).to_contain_text("mailbox.disconnect by user:ada from 127.0.0.1 (connected → inactive)")


@pytest.mark.parametrize(
    ("state", "first"),
    [
        (State.PENDING, "Disconnect mailbox"),
        (State.CONNECTED, "Disconnect mailbox"),
        (State.SUSPECT, "Disconnect mailbox"),
        (State.RECONNECTING, "Reconnect"),
        (State.VERIFYING, "Reconnect"),
        (State.BLOCKED, "Reconnect"),
        (State.HELD, "Release"),
        (State.INACTIVE, "Reconnect"),
    ],
)
def test_the_menu_offers_what_fits_the_state(opened, site, state, first):
    site.add("anna@example.org", state, FAILURES[Cause.CONNECTION_TIMEOUT])
    assert menu_of(opened("/mailboxes"), "anna@example.org") == [first, "Details", "Remove connection"]


def test_cancel_changes_nothing_and_escape_cancels(opened, site):
    anna = site.add("anna@example.org")
    page = opened("/mailboxes")
    for leave in (lambda: page.get_by_role("button", name="Cancel").click(), lambda: page.keyboard.press("Escape")):
        menu_of(page, "anna@example.org")
        page.get_by_role("menuitem", name="Disconnect mailbox").click()
        expect(page.get_by_role("alertdialog")).to_be_visible()
        leave()
        expect(page.get_by_role("alertdialog")).to_have_count(0)
        expect(page.get_by_role("button", name="Actions for anna@example.org")).to_be_focused()
    assert site.state(anna) is State.CONNECTED


def test_the_toast_offers_to_undo(opened, site):
    anna = site.add("anna@example.org")
    page = opened("/mailboxes")
    menu_of(page, "anna@example.org")
    page.get_by_role("menuitem", name="Disconnect mailbox").click()
    page.get_by_role("button", name="Disconnect", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("anna@example.org is reconnecting. What mailwatch paused resumes once it is verified.")).to_be_visible()
    assert site.state(anna) is State.RECONNECTING


def test_remove_lists_what_is_lost_and_wants_the_address_typed(opened, site):
    anna = site.add("anna@example.org")
    page = opened("/mailboxes")
    menu_of(page, "anna@example.org")
    page.get_by_role("menuitem", name="Remove connection").click()
    dialog = page.get_by_role("alertdialog", name="Remove the connection of anna@example.org?")
    expect(dialog).to_contain_text("permanently deletes, and cannot be undone")
    expect(dialog.get_by_role("listitem")).to_have_count(3)
    dialog.get_by_label("Type the address to confirm").fill("ben@example.org")
    dialog.get_by_role("button", name="Remove connection").click()
    expect(dialog).to_contain_text("Nothing was removed")
    assert site.state(anna) is State.CONNECTED
    dialog.get_by_label("Type the address to confirm").fill("Anna@Example.org")
    dialog.get_by_role("button", name="Remove connection").click()
    expect(page.get_by_text("The connection of anna@example.org has been removed.")).to_be_visible()
    expect(page.locator("#row-" + anna)).to_contain_text("Removed")
    page.reload()
    expect(page.get_by_role("heading", name="No mailboxes yet")).to_be_visible()


def test_by_keyboard_alone(opened, site):
    anna = site.add("anna@example.org")
    page = opened("/mailboxes")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(40):
        if page.get_by_role("button", name="Actions for anna@example.org").evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Disconnect mailbox")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Details")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Remove connection")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Disconnect mailbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Actions for anna@example.org")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("anna@example.org has been disconnected. You can reconnect it anytime.")).to_be_visible()
    expect(page.get_by_role("button", name="Actions for anna@example.org")).to_be_focused()
    assert site.state(anna) is State.INACTIVE


def test_a_row_that_is_out_of_date_is_not_acted_on_blindly(opened, site, complaints):
    anna = site.add("anna@example.org")
    page = opened("/mailboxes")
    page.evaluate("document.querySelectorAll('tr[data-mailbox]').forEach(row => { row.dataset.version = '\"99\"'; })")
    menu_of(page, "anna@example.org")
    page.get_by_role("menuitem", name="Disconnect mailbox").click()
    page.get_by_role("button", name="Disconnect", exact=True).click()
    expect(page.get_by_role("alertdialog")).to_contain_text("It has changed meanwhile")
    assert site.state(anna) is State.CONNECTED
    complaints.forgive(412)


def test_who_may_only_read_is_offered_no_act(browse, site, complaints):
    site.add("anna@example.org")
    site.add_user("rita", Role.READ)
    with browse(name="rita") as context:
        page = context.new_page()
        page.goto(site.url + "/mailboxes")
        page.wait_for_selector("html[data-script]", state="attached")
        assert menu_of(page, "anna@example.org") == ["Details"]
        expect(page.get_by_role("checkbox")).to_have_count(0)
