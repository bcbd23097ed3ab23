"""Incidents and maintenance in a real browser: told, followed live, declared and ended, by keyboard, on a phone, in the dark."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from builders import FAILURES
from mailwatch.core.causes import Cause
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Endpoint
from mailwatch.core.maintenance import Every, Window
from mailwatch.core.sending import STALE, UNKNOWN
from mailwatch.core.standing import Decision
from mailwatch.ports import Act
from mailwatch.ports.people import Role
from page_site import BY

pytest_plugins = ("browser",)
pytestmark = pytest.mark.integration

MINUTE = timedelta(minutes=1)
GOOGLE = Scope(ScopeKind.PROVIDER, "google")
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def an_incident(incident_id="inc_1", scope=GOOGLE, cause=Cause.CONNECTION_TIMEOUT, *, minutes=12, lasted=None, **changes):
    now = datetime.now(UTC)
    opened_at = now - minutes * MINUTE
    closed_at = None if lasted is None else opened_at + lasted * MINUTE
    made = Incident(incident_id, scope, cause, opened_at, min(now, closed_at or now), 3, 0.9, closed_at, size=5)
    return replace(made, **changes)


def save(site, *incidents):
    site.do(site.world.store.incidents.save, list(incidents))


def declare(site, window_id, title, *, starts=timedelta(0), seconds=3600.0, **fields):
    now = datetime.now(UTC)
    window = Window(window_id, title, fields.pop("scope", None), now + starts, seconds, created_by="user:ada", **fields)
    site.do(site.world.store.maintenance.add, window, BY)


def windows(site):
    return site.do(site.world.store.maintenance.all, 10)


def at_google(site, name, state=State.CONNECTED):
    failure = FAILURES[Cause.CONNECTION_TIMEOUT] if state is not State.CONNECTED else None
    hosts = {"imap": Endpoint.parse("imaps://imap.gmail.com"), "smtp": Endpoint.parse("smtps://smtp.gmail.com")}
    return site.add(f"{name}@gmail.com", state, failure, provider="google", **hosts)


def wait_for_the_gate(site, *mailbox_ids):
    """The gate follows the store a moment behind; a page that is made before that says nothing of sending."""
    deadline = monotonic() + 180
    while any(site.world.surface.gate.answer(each) in (UNKNOWN, STALE) for each in mailbox_ids):
        assert monotonic() < deadline, "the gate never heard of a mailbox"
        sleep(0.02)


def outage(site, *, well="anna"):
    """Google is down as a whole: three of its mailboxes were seen failing, one was not looked at since."""
    away = [at_google(site, name, State.RECONNECTING) for name in ("ben", "carl", "dora")]
    fine = at_google(site, well)
    site.add_campaign("spring", fine, away[0], name="Spring outreach")
    save(site, an_incident())
    site.world.surface.gate.stop_at({"google": Cause.CONNECTION_TIMEOUT})
    wait_for_the_gate(site, fine, *away)
    return fine, away


def assert_accessible(page, what):
    found = Axe().run(page, options={"runOnly": RULES})
    assert not found.response["violations"], f"{what}: {found.generate_report()}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "looks", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}], ids=["light", "dark", "phone"]
)
def test_the_views_of_incidents_and_maintenance_are_clean_for_axe(browse, site, complaints, looks):
    fine, away = outage(site)
    app = an_incident("inc_2", Scope(ScopeKind.OAUTH_APP, "outreach"), Cause.OAUTH_MISCONFIGURED)
    save(site, app, an_incident("inc_0", EGRESS, Cause.LOCAL_NETWORK_DOWN, minutes=600, lasted=31, reopened=2))
    site.add("eve@example.org", State.BLOCKED, FAILURES[Cause.INVALID_CREDENTIALS])
    declare(site, "mw_1", "Storage upgrade", scope=Scope(ScopeKind.DOMAIN, "example.org"))
    declare(site, "mw_2", "Nightly backup", starts=3 * 60 * MINUTE, every=Every.DAILY, zone="Europe/Berlin")
    declare(site, "mw_3", "Last week's", starts=-7 * 1440 * MINUTE)
    flap(site, fine)
    paths = ["/incidents", "/incidents/inc_1", "/incidents/inc_0", "/incidents/none", "/maintenance", "/mailboxes"]
    with browse(**looks) as context:
        page = context.new_page()
        for path in [*paths, f"/mailboxes/{fine}", f"/mailboxes/{away[0]}"]:
            page.goto(site.url + path)
            page.wait_for_selector("html[data-script]", state="attached")
            for details in page.locator("details").all():
                details.evaluate("each => { each.open = true; }")
            assert_accessible(page, path)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} is wider than the screen"
    complaints.forgive(404)


def test_an_open_incident_tells_its_story_and_leads_to_what_it_took(opened, site):
    fine, away = outage(site)
    site.add("eve@example.org", State.BLOCKED, FAILURES[Cause.INVALID_CREDENTIALS])
    page = opened("/incidents")
    card = page.get_by_role("article", name="Google: Connection timeout")
    expect(card).to_contain_text("4 mailboxes of 5, 3 of them seen failing; 1 campaign")
    expect(card).to_contain_text("every 15 s one of them with a proven secret looks")
    expect(card).to_contain_text("Nothing.")
    status = card.get_by_role("link", name="Google's status page")
    assert status.get_attribute("href") == "https://www.google.com/appsstatus/dashboard/"
    besides = page.locator("#open article").nth(1)
    expect(besides).to_contain_text("1 mailbox at Other: Invalid credentials")
    expect(page.locator("#open article")).to_have_count(2)  # what the incident explains is told once
    card.get_by_role("link", name="Details").click()
    page.wait_for_url("**/incidents/inc_1")
    expect(page.get_by_role("heading", name="Google: Connection timeout")).to_be_visible()
    expect(page.locator("#course svg.chart > title")).to_contain_text("3 mailboxes failed")
    expect(page.locator("#course .timeline li")).to_have_count(2)
    expect(page.locator("#incident").get_by_role("link", name="spring")).to_be_visible()
    expect(page.locator("#mailboxes-seen tbody tr")).to_have_count(3)
    page.get_by_role("link", name="ben@gmail.com").click()
    page.wait_for_url(f"**/mailboxes/{away[0]}")
    expect(page.locator(".story")).to_contain_text("Its mailboxes are not retried one by one")
    page.get_by_role("link", name="Part of an incident").click()
    page.wait_for_url("**/incidents/inc_1")
    assert fine


def test_a_mailbox_that_works_says_that_an_incident_closed_its_sending(opened, site):
    fine, away = outage(site)
    site.add("eve@example.org")
    page = opened("/mailboxes")
    told = re.compile(r"Google has an incident since 1[2-9] min ago: Connection timeout, 4 mailboxes of 5\.")
    expect(page.locator("#notices")).to_contain_text(told)
    row = page.locator(f"#row-{fine}")
    expect(row).to_contain_text("Connected")
    expect(row).to_contain_text("sending is closed while Google is down; the mailbox worked when last looked at.")
    expect(page.locator(f"#row-{away[0]}")).to_contain_text("Connection timeout, with others of Google.")
    expect(page.locator(f"#row-{away[0]}")).to_contain_text("after a canary")
    expect(page.get_by_role("row").filter(has_text="eve@example.org")).not_to_contain_text("Incident")
    row.get_by_role("link", name="anna@gmail.com").click()
    expect(page.get_by_text("Sending closed")).to_be_visible()
    expect(page.locator(".story")).to_contain_text("the mailbox itself worked when last looked at")


def test_an_incident_that_opens_and_closes_is_seen_without_reloading(opened, site):
    fine, other = at_google(site, "anna"), at_google(site, "ben")
    wait_for_the_gate(site, fine, other)
    page = opened("/mailboxes")
    expect(page.locator("#stream-word")).to_have_text("Live")
    site.world.surface.gate.stop_at({"google": Cause.CONNECTION_TIMEOUT})
    save(site, an_incident(minutes=0))
    expect(page.locator("#notices")).to_contain_text("Google has an incident")
    expect(page.locator(f"#row-{fine}")).to_contain_text("sending is closed while Google is down")
    site.world.surface.gate.stop_at({})
    save(site, an_incident(minutes=0, closed_at=datetime.now(UTC)))
    expect(page.locator("#notices .banner")).to_have_count(0)
    expect(page.locator(f"#row-{fine}")).not_to_contain_text("sending is closed")


def test_an_open_incidents_own_page_follows_it(opened, site):
    outage(site)
    page = opened("/incidents/inc_1")
    expect(page.locator("#stream-word")).to_have_text("Live")
    expect(page.locator("#incident")).to_contain_text("not yet")
    site.world.surface.gate.stop_at({})
    save(site, an_incident(closed_at=datetime.now(UTC)))
    expect(page.locator("#incident")).to_contain_text("It is over.")
    expect(page.locator("#course .timeline li").first).to_contain_text("Closed")


def test_a_person_closes_an_incident_by_keyboard_alone(opened, site):
    _, away = outage(site)
    page = opened("/incidents/inc_1")
    page.get_by_role("button", name="Close incident").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("alertdialog", name="Close this incident?")
    expect(dialog).to_contain_text(
        "“Google: Connection timeout” is over. Its mailboxes are tried again; if they go on failing, it is reopened."
    )
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    assert_accessible(page, "the dialog that closes an incident")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The incident is closed: what waits is due now")).to_be_visible()
    expect(page.locator("#incident")).to_contain_text("It is over.")
    expect(page.locator("#course .timeline li").first).to_contain_text("A person said that it is over.")
    expect(page.get_by_role("button", name="Close incident")).to_have_count(0)
    assert site.do(site.world.store.find, away[0]).standing.due_at <= datetime.now(UTC)
    rows = [row for row in site.do(site.world.store.pages.audit, None, 50) if row.action == "incident.close"]
    assert [(row.actor, row.subject, row.state_before, row.state_after) for row in rows] == [
        ("user:ada", "inc_1", "open", "closed")
    ]


def test_one_that_is_over_by_now_is_told_in_the_dialog_and_who_may_only_read_closes_none(browse, opened, site, complaints):
    outage(site)
    page = opened("/incidents/inc_1")
    page.get_by_role("button", name="Close incident").click()
    dialog = page.get_by_role("alertdialog", name="Close this incident?")
    site.do(site.world.store.incidents.close, "inc_1", datetime.now(UTC), BY)
    dialog.get_by_role("button", name="Close incident").click()
    expect(dialog).to_contain_text("It has changed meanwhile.")
    complaints.forgive(412)
    save(site, an_incident("inc_2"))
    site.add_user("rita", Role.READ)
    with browse(name="rita") as context:
        page = context.new_page()
        page.goto(site.url + "/incidents/inc_2")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("button", name="Close incident")).to_have_count(0)


def test_past_incidents_and_long_lists_are_paged(opened, site):
    save(site, *(an_incident(f"inc_{number:02}", minutes=60 + number, lasted=5) for number in range(27)))
    page = opened("/incidents")
    expect(page.locator("#past tbody tr")).to_have_count(25)
    page.locator("#past").get_by_role("link", name="Older").click()
    expect(page.locator("#past tbody tr")).to_have_count(2)
    page.locator("#past").get_by_role("link", name="Newest").click()
    expect(page.locator("#past tbody tr")).to_have_count(25)


def test_all_of_it_is_readable_without_scripts(browse, site, complaints):
    outage(site)
    declare(site, "mw_1", "Storage upgrade")
    with browse(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(site.url + "/incidents")
        page.get_by_role("link", name="Google: Connection timeout", exact=True).click()
        expect(page.locator("#mailboxes-seen tbody tr")).to_have_count(3)
        page.goto(site.url + "/incidents")
        page.get_by_role("link", name="Maintenance 1 running").click()
        expect(page.locator("#windows")).to_contain_text("Storage upgrade")
        expect(page.get_by_role("button", name="Declare")).not_to_be_visible()


def test_hostile_words_of_maintenance_and_scopes_are_inert(opened, site):
    declare(site, "mw_1", HOSTILE, scope=Scope(ScopeKind.OAUTH_APP, HOSTILE))
    save(site, an_incident(f"inc_{HOSTILE}", Scope(ScopeKind.OAUTH_APP, HOSTILE), Cause.OAUTH_MISCONFIGURED))
    for path in ("/incidents", "/maintenance", "/mailboxes"):
        page = opened(path)
        assert page.title() != "owned"
        assert page.locator("main img").count() == 0
    opened("/incidents").get_by_role("link", name="Details").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x")
    assert page.locator("main img").count() == 0
    page = opened("/maintenance")
    page.get_by_role("button", name="End").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("<script>document.title='owned'</script>")
    assert page.title() != "owned"


# --- maintenance ---


def test_maintenance_is_declared_by_keyboard_alone_runs_at_once_and_is_ended(opened, site):
    page = opened("/incidents")
    page.get_by_role("navigation", name="Incidents and maintenance").get_by_role("link", name="Maintenance").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/maintenance")
    page.wait_for_selector("html[data-script]", state="attached")
    page.get_by_label("Title").focus()
    page.keyboard.type("Storage upgrade")
    page.keyboard.press("Enter")
    expect(page.locator("#windows tbody")).to_contain_text("Running")
    (window,) = windows(site)
    assert (window.title, window.scope, window.seconds, window.every) == ("Storage upgrade", None, 3600, Every.ONCE)
    assert window.created_by == "user:ada"
    expect(page.get_by_label("Title")).to_have_value("")
    page.get_by_role("button", name="End Storage upgrade").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("alertdialog", name="End Storage upgrade?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#windows")).to_contain_text("None is declared.")
    expect(page.locator("#over")).to_contain_text("Storage upgrade")
    assert windows(site)[0].ended_at is not None


def test_a_recurring_window_keeps_to_the_wall_clock_of_its_zone(opened, site):
    at_google(site, "anna")
    page = opened("/maintenance")
    form = page.locator("[data-declare-window]")
    expect(form.get_by_label("Its name")).not_to_be_visible()
    expect(form.get_by_label("Until")).not_to_be_visible()
    next_year = datetime.now(UTC).year + 1
    form.get_by_label("Title").fill("Nightly backup")
    form.get_by_label("For", exact=True).select_option("provider")
    form.get_by_label("Its name").fill("google")
    form.get_by_label("Start").fill(f"{next_year}-07-01T02:00")
    form.get_by_label("Lasts").fill("90")
    form.get_by_label("Time zone").fill("America/New_York")
    form.get_by_label("Repeats").select_option("daily")
    form.get_by_label("Until").fill(f"{next_year}-12-31")
    form.get_by_role("button", name="Declare").click()
    expect(page.locator("#windows")).to_contain_text(f"every day at 02:00 (America/New_York), until {next_year}-12-31")
    (window,) = windows(site)
    assert (window.scope, window.every, window.seconds) == (GOOGLE, Every.DAILY, 5400)
    assert window.starts_at == datetime(next_year, 7, 1, 6, 0, tzinfo=UTC)  # summer time in New York
    assert window.until_at == datetime(next_year + 1, 1, 1, 4, 59, 59, tzinfo=UTC)  # and winter
    page.get_by_role("button", name="Cancel Nightly backup").click()
    dialog = page.get_by_role("alertdialog", name="Cancel Nightly backup?")
    expect(dialog).to_contain_text("It recurs: it comes no more at all.")
    dialog.get_by_role("button", name="Cancel it").click()
    expect(page.locator("#over")).to_contain_text("cancelled before it began")


@pytest.mark.parametrize(
    ("label", "text", "words"),
    [
        ("Title", " ", "Give it a title"),
        ("Lasts", "", "Give whole minutes"),
        ("Time zone", "Mars/Olympus", "is no such time zone"),
        ("Start", "2019-01-01T00:00", "It would have ended at 2019"),
        ("Lasts", "99999", "ess than or equal to 604800"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(opened, site, complaints, label, text, words):
    page = opened("/maintenance")
    form = page.locator("[data-declare-window]")
    form.get_by_label("Title").fill("Storage upgrade")
    form.get_by_label(label).fill(text)
    form.get_by_role("button", name="Declare").click()
    field = form.get_by_label(label)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    fault = page.locator(f"#{field.get_attribute('aria-describedby')}")
    expect(fault).to_be_visible()
    expect(fault).to_contain_text(words)
    assert_accessible(page, f"the form with a fault at {label}")
    assert form.get_by_label(label).input_value() == text
    assert windows(site) == []
    form.get_by_label("Title").fill("Storage upgrade")
    form.get_by_label("Lasts").fill("60")
    form.get_by_label("Time zone").fill("UTC")
    form.get_by_label("Start").fill("")
    form.get_by_role("button", name="Declare").click()
    expect(page.locator("#windows tbody")).to_contain_text("Running")
    expect(form.locator("[aria-invalid]")).to_have_count(0)
    complaints.forgive(422)


def test_a_scope_wants_its_name_and_one_without_mailboxes_is_told(opened, site, complaints):
    site.add("eve@example.org")
    page = opened("/maintenance")
    form = page.locator("[data-declare-window]")
    form.get_by_label("Title").fill("Storage upgrade")
    form.get_by_label("For", exact=True).select_option("domain")
    form.get_by_role("button", name="Declare").click()
    expect(form.get_by_text("Name it, or choose all mailboxes.")).to_be_visible()
    form.get_by_label("Its name").fill("exmaple")
    form.get_by_role("button", name="Declare").click()
    expect(form.get_by_text("No mailbox has the domain 'exmaple'")).to_be_visible()
    complaints.forgive(422)
    form.get_by_label("Its name").fill("exmaple.org")
    form.get_by_role("button", name="Declare").click()
    told = form.get_by_text("Storage upgrade is declared, but: No mailbox there now: no mailbox has the domain 'exmaple.org'")
    expect(told).to_contain_text("If that is a slip, end it above.")
    assert [window.scope for window in windows(site)] == [Scope(ScopeKind.DOMAIN, "exmaple.org")]
    form.get_by_label("Title").fill("Storage upgrade")
    form.get_by_label("For", exact=True).select_option("domain")
    form.get_by_label("Its name").fill("Example.ORG")
    form.get_by_role("button", name="Declare").click()
    expect(page.locator("#windows")).to_contain_text("The domain example.org")
    expect(page.get_by_text("Storage upgrade runs now. It covers 1 mailbox.")).to_be_visible()
    expect(told).to_have_count(0)
    assert Scope(ScopeKind.DOMAIN, "example.org") in [window.scope for window in windows(site)]


def test_running_maintenance_is_told_above_the_mailboxes(opened, site):
    eve = site.add("eve@example.org")
    declare(site, "mw_1", "Storage upgrade", scope=Scope(ScopeKind.DOMAIN, "example.org"))
    declare(site, "mw_2", "Not yet", starts=60 * MINUTE)
    page = opened("/mailboxes")
    expect(page.locator("#notices .banner")).to_have_count(1)
    expect(page.locator("#notices")).to_contain_text("Maintenance: Storage upgrade")
    opened(f"/mailboxes/{eve}")
    expect(page.locator(".story")).to_contain_text("disconnections meanwhile are expected and alert nobody")


def test_who_may_only_read_sees_maintenance_and_declares_none(browse, site, complaints):
    site.add_user("rita", Role.READ)
    declare(site, "mw_1", "Storage upgrade")
    with browse(name="rita") as context:
        page = context.new_page()
        page.goto(site.url + "/maintenance")
        expect(page.locator("#windows")).to_contain_text("Storage upgrade")
        expect(page.get_by_role("button", name="End")).to_have_count(0)
        expect(page.locator("form[data-declare-window]")).to_have_count(0)


# --- mailboxes that come and go, holds of many ---


def flap(site, mailbox_id):
    """Three disconnections within the last hour."""
    now = datetime.now(UTC)
    episodes = tuple(now - minutes * MINUTE for minutes in (50, 30, 10))

    def decide(standing):
        return Decision(standing, replace(standing, episodes_at=episodes))

    site.do(site.world.store.change, mailbox_id, decide, Act("mailwatch", "test"))


def test_a_mailbox_that_comes_and_goes_is_told_as_such(opened, site):
    fay = site.add("fay@example.org", State.RECONNECTING, FAILURES[Cause.CONNECTION_DROPPED])
    flap(site, fay)
    page = opened("/mailboxes")
    row = page.locator(f"#row-{fay}")
    expect(row).to_contain_text("Flapping")
    expect(row).to_contain_text("3 disconnections lately, told as one episode. Its campaigns go on once it was calm for 30 min.")
    row.get_by_role("link", name="fay@example.org").click()
    expect(page.locator(".story")).to_contain_text("It comes and goes: 3 disconnections lately")


def test_many_are_put_on_hold_with_an_end(opened, site):
    ids = [site.add(f"user{number}@example.org") for number in range(3)]
    page = opened("/mailboxes")
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("region", name="Selected mailboxes").get_by_role("button", name="Hold").click()
    dialog = page.get_by_role("alertdialog", name="Hold 3 mailboxes?")
    dialog.get_by_label("Reason").select_option("warmup_pause")
    dialog.get_by_label("How long").select_option("6")
    dialog.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("3 mailboxes on hold.")).to_be_visible()
    for mailbox_id in ids:
        standing = site.do(site.world.store.find, mailbox_id).standing
        assert (standing.state, standing.cause) == (State.HELD, Cause.WARMUP_PAUSE)
        assert timedelta(hours=5) < standing.hold_until_at - datetime.now(UTC) <= timedelta(hours=6)
