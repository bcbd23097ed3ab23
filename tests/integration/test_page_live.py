"""Live updates, several tabs, and many mailboxes at once, in a real browser."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from builders import FAILURES
from mailwatch.core.campaigns import CampaignState
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import IllegalMoveError, State, Trigger
from mailwatch.ports import Act

pytest_plugins = ("browser",)
pytestmark = pytest.mark.integration


def live(page):
    expect(page.locator("#stream")).to_have_attribute("data-stream", "open")
    return page


def test_a_row_and_the_counters_follow_what_happens_without_moving(opened, site):
    anna, ben = site.add("anna@example.org"), site.add("ben@example.org")
    page = live(opened("/mailboxes"))
    before = page.locator("tr[data-mailbox]").evaluate_all("rows => rows.map(row => row.id)")
    site.move(anna, Trigger.PROBE_FAILED, Trigger.PERSON_NEEDED, failure=FAILURES[Cause.INVALID_CREDENTIALS])
    expect(page.locator("#row-" + anna)).to_contain_text("Needs action")
    expect(page.locator("#row-" + anna)).to_contain_text("The server refuses the user name or the password.")
    expect(page.locator("#counter-blocked .number")).to_have_text("1")
    assert page.locator("tr[data-mailbox]").evaluate_all("rows => rows.map(row => row.id)") == before
    assert before == [f"row-{ben}", f"row-{anna}"]


def test_an_open_menu_is_not_pulled_away_by_an_update(opened, site):
    anna = site.add("anna@example.org")
    page = live(opened("/mailboxes"))
    page.get_by_role("button", name="Actions for anna@example.org").click()
    site.move(anna, Trigger.PROBE_FAILED, failure=FAILURES[Cause.CONNECTION_TIMEOUT])
    expect(page.locator("#counter-suspect .number")).to_have_text("1")
    expect(page.get_by_role("menuitem", name="Details")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#row-" + anna)).to_contain_text("Checking")
    expect(page.get_by_role("button", name="Actions for anna@example.org")).to_be_focused()


def test_the_page_of_one_mailbox_follows_too_and_keeps_what_is_typed(opened, site):
    anna = site.add("anna@example.org")
    page = live(opened(f"/mailboxes/{anna}"))
    page.get_by_label("New password").first.fill("half-typ")
    site.move(anna, Trigger.PROBE_FAILED, Trigger.FAILURE_CONFIRMED, failure=FAILURES[Cause.CONNECTION_TIMEOUT])
    expect(page.locator("#subject")).to_contain_text("Reconnecting")
    expect(page.locator("#timeline")).to_contain_text("TimeoutError")
    expect(page.get_by_label("New password").first).to_have_value("half-typ")
    expect(page.get_by_label("New password").first).to_be_focused()


def test_what_happens_before_the_stream_has_opened_is_caught_up_with(opened, context, site):
    anna = site.add("anna@example.org")

    def late(route):
        site.move(anna, Trigger.PROBE_FAILED, failure=FAILURES[Cause.CONNECTION_TIMEOUT])
        route.continue_()

    context.route("**/api/v1/events*", late, times=1)
    expect(live(opened("/mailboxes")).locator("#row-" + anna)).to_contain_text("Checking")


def test_two_tabs_share_one_stream_and_both_follow(context, site):
    anna = site.add("anna@example.org")
    asked = []
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.on("request", lambda request: asked.append(request.url) if "/api/v1/events" in request.url else None)
        tab.goto(site.url + "/mailboxes")
        live(tab)
    assert len(asked) == 1
    site.move(anna, Trigger.PROBE_FAILED, failure=FAILURES[Cause.CONNECTION_TIMEOUT])
    for tab in tabs:
        expect(tab.locator("#row-" + anna)).to_contain_text("Checking")


def test_when_the_listening_tab_closes_another_takes_over(context, site):
    anna = site.add("anna@example.org")
    first, second = context.new_page(), context.new_page()
    for tab in (first, second):
        tab.goto(site.url + "/mailboxes")
        live(tab)
    with second.expect_response("**/api/v1/events*"):  # from here on it hears; what it shows of the stream was the first one's
        first.close()
    live(second)
    site.move(anna, Trigger.PROBE_FAILED, failure=FAILURES[Cause.CONNECTION_TIMEOUT])
    expect(second.locator("#row-" + anna)).to_contain_text("Checking")


def test_what_one_tab_does_the_other_shows(context, site):
    anna = site.add("anna@example.org")
    acting, watching = context.new_page(), context.new_page()
    for tab in (acting, watching):
        tab.goto(site.url + "/mailboxes")
        live(tab)
    acting.get_by_role("button", name="Actions for anna@example.org").click()
    acting.get_by_role("menuitem", name="Disconnect mailbox").click()
    acting.get_by_role("button", name="Disconnect", exact=True).click()
    expect(watching.locator("#row-" + anna)).to_contain_text("Inactive")
    watching.get_by_role("button", name="Actions for anna@example.org").click()
    watching.get_by_role("menuitem").first.wait_for()
    assert watching.get_by_role("menuitem").all_inner_texts() == ["Reconnect", "Details", "Remove connection"]


def test_a_lost_stream_is_told_and_comes_back(opened, context, site, complaints):
    site.add("anna@example.org")
    page = live(opened("/mailboxes"))
    context.route("**/api/v1/events*", lambda route: route.abort())
    site.do(_cut, site)
    expect(page.locator("#stream")).to_have_attribute("data-stream", "lost")
    expect(page.locator("#stream")).to_contain_text("Not live since")
    context.unroute("**/api/v1/events*")
    expect(page.locator("#stream")).to_have_attribute("data-stream", "open")
    complaints[:] = [each for each in complaints if "ERR_" not in each]


async def _cut(site):
    """End the streams that are open, as a restart would."""
    feed = site.app.state.feed
    for reader in list(feed._readers):
        reader.end()


def test_our_own_network_being_down_is_told_on_every_page(opened, site):
    site.world.status["self_connectivity"] = "down"
    for path in ("/mailboxes", "/campaigns"):
        expect(opened(path).get_by_role("alert").filter(has_text="Our own network is down.")).to_be_visible()


def test_a_selection_is_disconnected_at_once_with_progress_and_undone(opened, site):
    ids = [site.add(f"user{number}@example.org") for number in range(5)]
    page = opened("/mailboxes")
    page.get_by_role("checkbox", name="Select user0@example.org").check()
    page.get_by_role("checkbox", name="Select user2@example.org").click(modifiers=["Shift"])
    bar = page.get_by_role("region", name="Selected mailboxes")
    expect(bar).to_contain_text("3 mailboxes selected")
    bar.get_by_role("button", name="Disconnect").click()
    dialog = page.get_by_role("alertdialog", name="Disconnect 3 mailboxes?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("3 mailboxes disconnected.")).to_be_visible()
    assert [site.state(one) for one in ids] == [State.INACTIVE] * 3 + [State.CONNECTED] * 2  # the newest come first
    expect(page.locator("#row-" + ids[0])).to_contain_text("Inactive")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("3 mailboxes reconnecting.")).to_be_visible()
    assert site.state(ids[0]) is State.RECONNECTING


def test_what_went_wrong_with_one_of_many_is_told_by_its_address(opened, site):
    site.add("anna@example.org")
    fred = site.add("fred@example.org", State.HELD)
    page = opened("/mailboxes")
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("button", name="Probe now").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Probe").click()
    dialog = page.get_by_role("dialog", name="Probe 2 mailboxes")
    expect(dialog).to_contain_text("1 done, 1 failed, 0 to go.")
    expect(dialog.get_by_role("listitem")).to_contain_text("fred@example.org: ")
    assert site.state(fred) is State.HELD
    dialog.get_by_role("link", name="All results").click()
    expect(page.get_by_role("heading", name="Probe 2 mailboxes")).to_be_visible()
    page.get_by_role("link", name="Failed only").click()
    expect(page.locator("#job-items tbody tr")).to_have_count(1)


def test_many_are_stopped_from_the_dialog_and_from_the_page_of_the_action(opened, site):
    ids = [site.add(f"user{number}@example.org") for number in range(3)]
    running = site.world.surface.bulk._running
    site.do(running.acquire)  # nobody works it off
    page = opened("/mailboxes")
    for place in ("dialog", "page"):
        page.get_by_role("checkbox", name="Select all on this page").check()
        page.get_by_role("button", name="Disconnect").last.click()
        page.get_by_role("alertdialog").get_by_role("button", name="Disconnect").click()
        dialog = page.get_by_role("dialog", name="Disconnect 3 mailboxes")
        expect(dialog).to_contain_text("0 done, 0 failed, 3 to go.")
        if place == "page":
            dialog.get_by_role("link", name="All results").click()
            expect(page.get_by_text("0 done, 0 failed, 3 to go.")).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("Stopped. 3 mailboxes left as they were.")).to_be_visible()
        expect(page.get_by_text("0 done, 0 failed, 3 left as they were.")).to_be_visible()
        expect(page.get_by_role("button", name="Stop")).to_have_count(0)
        if place == "dialog":
            dialog.get_by_role("button", name="Close").click()
    running.release()
    assert [site.state(one) for one in ids] == [State.CONNECTED] * 3


def test_a_resume_on_what_has_changed_meanwhile_is_refused_and_told(opened, site, complaints):
    one = site.add("anna@example.org")
    site.add_campaign("spring", one)
    campaigns, by = site.world.store.campaigns, Act("user:eve", "campaign.pause")
    site.do(campaigns.pause, "spring", "wording", by)
    page = opened("/campaigns/spring")
    stale = page.locator("#subject-campaign")
    expect(stale).to_have_attribute("data-version", f'"{site.campaign("spring").campaign.version}"')
    stale.evaluate("""here => { here.dataset.version = '"1"'; }""")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("It has changed meanwhile.")).to_be_visible()
    assert site.campaign("spring").campaign.state is CampaignState.PAUSED
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("goes on from where it stopped")).to_be_visible()
    complaints.forgive(412)


def test_all_that_match_the_filter_are_meant_beyond_the_page(opened, site):
    for number in range(103):
        site.add(f"user{number:03}@example.org", State.PENDING)
    other = site.add("other@example.com")
    page = opened("/mailboxes?state=pending")
    expect(page.get_by_role("row")).to_have_count(101)
    expect(page.get_by_text("100 mailboxes on this page, 103 match.")).to_be_visible()
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("link", name="First page").click()
    page.wait_for_selector("html[data-script]", state="attached")
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("button", name="Select all 103 that match").click()
    page.get_by_role("region", name="Selected mailboxes").get_by_role("button", name="Disconnect").click()
    page.get_by_role("alertdialog", name="Disconnect 103 mailboxes?").get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("103 mailboxes disconnected.")).to_be_visible()
    assert site.do(site.world.store.counts) == {("other", State.INACTIVE): 103, ("other", State.CONNECTED): 1}
    assert site.state(other) is State.CONNECTED


def test_the_brake_is_told_and_released_by_a_person(opened, site):
    ids = [site.add(f"user{number}@example.org") for number in range(14)]
    for number, one in enumerate(ids):
        site.add_campaign(f"campaign-{number}", one)
    for one in ids:
        site.move(one, Trigger.PROBE_FAILED, Trigger.FAILURE_CONFIRMED, failure=FAILURES[Cause.CONNECTION_TIMEOUT])
    held_back = {pause.campaign_id for pause in site.do(site.world.store.campaigns.held_back)}
    assert held_back
    page = opened("/campaigns")
    expect(page.get_by_role("alert").filter(has_text="about to be paused at once")).to_contain_text(f"{len(held_back)} campaign")
    page.get_by_role("button", name="Pause them now").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Pause them").click()
    expect(page.get_by_role("button", name="Pause them now")).to_have_count(0)
    assert {site.campaign(f"campaign-{number}").campaign.state for number in range(14)} == {CampaignState.PAUSED}


START_ACTING = """({ id, times }) => {
  window.told = (async () => {
    const told = [];
    for (let time = 0; time < times; time += 1) {
      const name = Math.random() < 0.5 ? "disconnect" : "reconnect";
      const headers = { "idempotency-key": crypto.randomUUID() };
      told.push((await fetch(`/api/v1/mailboxes/${id}/${name}`, { method: "POST", headers })).status);
    }
    return told;
  })();
}"""


def test_two_tabs_and_a_command_line_acting_on_one_mailbox_leave_one_consistent_story(context, site, complaints):
    anna = site.add("anna@example.org")
    site.add_campaign("spring", anna)
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(site.url + "/incidents")
    # begun in both tabs before either is waited for
    for tab in tabs:
        tab.evaluate(START_ACTING, {"id": anna, "times": 40})
    by_hand = site.do(_act_by_hand, site, anna, 20)
    answers = [tab.evaluate("() => window.told") for tab in tabs]
    statuses = [status for told in answers for status in told]
    assert len(statuses) == 80
    assert set(statuses) <= {200, 409}
    steps = [step for _, step in site.do(site.world.store.history, anna, limit=500)]
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))
    assert all(after.from_state is before.to_state for before, after in pairwise(steps))
    assert steps[-1].to_state is site.state(anna)
    rows = site.do(site.world.surface.pages.audit, None, 500, mailbox_id=anna)
    acted = [row for row in rows if row.action in ("mailbox.disconnect", "mailbox.reconnect")]
    assert len(acted) == statuses.count(200) + by_hand
    assert {row.actor for row in acted} == {"user:ada", "cli:root"}
    pauses = site.campaign("spring").pauses
    assert len(pauses) == 1  # however often: one open entry for one mailbox
    complaints.forgive(409)


async def _act_by_hand(site, mailbox_id, times):
    """What a command line does meanwhile; how often it could."""
    done = 0
    for number in range(times):
        name = "disconnect" if number % 2 else "reconnect"
        try:
            await getattr(site.world.surface.desk, name)(mailbox_id, Act("cli:root", f"mailbox.{name}"))
        except IllegalMoveError:
            continue
        done += 1
    return done
