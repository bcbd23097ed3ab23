"""Declaring maintenance and ending it: what is taken, and what is refused with its cure."""

from datetime import timedelta

import pytest

from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.maintenance import Every
from mailwatch.desk.windows import SCOPE_KINDS, Wanted, WindowError, Windows, scope_named
from mailwatch.ports import Act
from mailwatch.ports.maintenance import WindowNotFoundError

DECLARES, ENDS = Act("user:ana", "maintenance.add", "192.0.2.7"), Act("user:ana", "maintenance.end", "192.0.2.7")
HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture
def store(rig):
    return rig.store


@pytest.fixture
def clock(rig):
    return rig.clock


@pytest.fixture
def windows(store, clock):
    return Windows(store.maintenance, clock)


async def declared(windows, wanted):
    return (await windows.declare(wanted, DECLARES)).window


async def audited(store):
    """The rows of the audit log about windows, newest first."""
    return [row for row in await store.pages.audit(None, 10) if row.action.startswith("maintenance.")]


async def test_a_window_begins_now_covers_everything_and_is_audited(windows, store, clock):
    window = await declared(windows, Wanted(" kernel upgrade ", HOUR))
    assert (window.title, window.scope, window.starts_at, window.created_by) == ("kernel upgrade", None, clock.now(), "user:ana")
    assert await store.maintenance.windows(clock.now()) == [window]
    (row,) = await audited(store)
    assert (row.actor, row.action, row.origin, row.subject) == ("user:ana", "maintenance.add", "192.0.2.7", window.id)


async def test_it_is_told_how_many_mailboxes_a_window_covers(windows, rig):
    await rig.fill(2, oauth=1)
    for scope, covered in ((None, 3), (Scope(ScopeKind.DOMAIN, "example.org"), 3), (Scope(ScopeKind.PROVIDER, "google"), 1)):
        assert (await windows.declare(Wanted("upgrade", HOUR, scope=scope), DECLARES)).mailboxes == covered


@pytest.mark.parametrize(
    ("scope", "cure"),
    [
        (Scope(ScopeKind.PROVIDER, "go gle"), "no mailbox has the provider 'go gle'; those that mailboxes have: google"),
        (Scope(ScopeKind.PROVIDER, "Other"), "declare it for each endpoint:HOST or domain:NAME"),
        (Scope(ScopeKind.OAUTH_APP, "Outreach"), "no mailbox has the oauth app 'Outreach'; those that mailboxes have: outreach"),
        (Scope(ScopeKind.ENDPOINT, "imap.example.org:993"), "such as imap.example.org, without a port"),
        (Scope(ScopeKind.DOMAIN, "ana@example.org"), "what follows the @"),
        (Scope(ScopeKind.DOMAIN, "exampleorg"), "what follows the @"),
        (Scope(ScopeKind.DOMAIN, "example..org"), "what follows the @"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_one_that_would_silently_cover_nothing_is_refused_with_the_cure(windows, rig, scope, cure):
    await rig.fill(2, oauth=1)
    with pytest.raises(WindowError) as caught:
        await windows.declare(Wanted("upgrade", HOUR, scope=scope), DECLARES)
    assert caught.value.field == "scope"
    assert cure in caught.value.problem
    assert await rig.store.maintenance.all(10) == []


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (Scope(ScopeKind.PROVIDER, "gogle"), "no mailbox has the provider 'gogle'; those that mailboxes have: google"),
        (Scope(ScopeKind.ENDPOINT, "imap.example.net"), "no mailbox has the endpoint 'imap.example.net'"),
        (Scope(ScopeKind.ENDPOINT, "2001:db8::7"), "no mailbox has the endpoint '2001:db8::7'"),
        (Scope(ScopeKind.DOMAIN, "Münster.example"), "no mailbox has the domain 'münster.example'"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_one_for_mailboxes_that_are_yet_to_come_is_declared_with_a_warning(windows, rig, scope, words):
    await rig.fill(2, oauth=1)
    declared = await windows.declare(Wanted("upgrade", HOUR, scope=scope), DECLARES)
    assert declared.mailboxes == 0
    assert declared.warning.startswith(f"no mailbox there now: {words}")
    assert await rig.store.maintenance.windows(rig.clock.now()) == [declared.window]


async def test_one_that_covers_mailboxes_has_no_warning(windows, rig):
    await rig.fill(1)
    for scope in (None, Scope(ScopeKind.DOMAIN, "example.org")):
        assert (await windows.declare(Wanted("upgrade", HOUR, scope=scope), DECLARES)).warning is None


async def test_ending_it_ends_a_recurring_one_for_good(windows, store, clock):
    window = await declared(windows, Wanted("backup", HOUR, every=Every.DAILY, zone="Europe/Berlin"))
    assert window.next_start(clock.now()) is not None
    ended = await windows.end(window.id, ENDS)
    assert ended.ended_at == clock.now()
    assert await store.maintenance.windows(clock.now()) == []
    assert [row.action for row in await audited(store)] == ["maintenance.end", "maintenance.add"]


async def test_ending_one_that_is_not_there_says_so(windows):
    with pytest.raises(WindowNotFoundError):
        await windows.end("mw_none", ENDS)


async def test_a_recurring_one_may_have_begun_before_and_lasts_until_its_last_day(windows, clock):
    began, last = clock.now() - timedelta(days=90, minutes=30), clock.now() + timedelta(days=300)
    window = await declared(windows, Wanted("backup", HOUR, began, every=Every.DAILY, until_at=last))
    assert window.running(clock.now()) is not None


@pytest.mark.parametrize(
    ("changes", "field", "cure"),
    [
        ({"title": "  "}, "title", "a title is needed"),
        ({"title": "x" * 201}, "title", "at most 200"),
        ({"title": "two\nlines"}, "title", "one line"),
        ({"seconds": 59.0}, "seconds", "a minute"),
        ({"seconds": 8 * DAY}, "seconds", "seven days"),
        ({"every": Every.DAILY, "seconds": DAY}, "seconds", "a daily window is shorter"),
        ({"every": Every.WEEKLY, "seconds": 7 * DAY}, "seconds", "a weekly window is shorter"),
        ({"zone": "Mars/Olympus"}, "zone", "Europe/Berlin"),
        ({"zone": "Europe"}, "zone", "Europe/Berlin"),
        ({"zone": "../../etc/passwd"}, "zone", "Europe/Berlin"),
        ({"zone": "\0"}, "zone", "Europe/Berlin"),
        ({"begins_days": -1}, "starts_at", "would have ended at"),
        ({"begins_days": 40_000}, "starts_at", "hundred years"),
        ({"begins_days": -400, "every": Every.DAILY}, "starts_at", "a year ago at the most"),
        ({"ends_days": 10}, "until_at", "daily or weekly"),
        ({"ends_days": -1, "every": Every.DAILY}, "until_at", "after the start"),
        ({"ends_days": 8000, "every": Every.DAILY}, "until_at", "twenty years"),
        ({"begins_days": -9, "ends_days": -5, "every": Every.DAILY}, "starts_at", "would have ended"),
        ({"scope": EGRESS}, "scope", "leave it out for everything"),
    ],
)
async def test_what_cannot_be_declared_names_field_and_cure_and_stores_nothing(windows, store, clock, changes, field, cure):
    fields = {"title": "upgrade", "seconds": HOUR} | changes
    for key, name in (("begins_days", "starts_at"), ("ends_days", "until_at")):
        if key in fields:
            fields[name] = clock.now() + timedelta(days=fields.pop(key))
    with pytest.raises(WindowError, match=cure) as caught:
        await windows.declare(Wanted(**fields), DECLARES)
    assert caught.value.field == field
    assert await store.maintenance.all(10) == []


@pytest.mark.parametrize("kind", SCOPE_KINDS)
def test_a_scope_is_named_as_mailboxes_have_it(kind):
    name = "Example.ORG" if kind is ScopeKind.OAUTH_APP else "example.org"
    assert scope_named(kind, " Example.ORG ") == Scope(kind, name)


@pytest.mark.parametrize(
    ("kind", "name"), [("planet", "mars"), ("egress", "own"), ("domain", " "), ("domain", "a\nb"), ("domain", "x" * 256)]
)
def test_a_scope_without_kind_or_name_is_refused(kind, name):
    with pytest.raises(WindowError, match=":NAME") as caught:
        scope_named(kind, name)
    assert caught.value.field == "scope"
