"""What the page reads: every filter, every page and every counter as if the whole fleet were looked at."""

import itertools
import random
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from contract.fleet import NOON, SetClock, add, later, moved, oauth_mailbox, password_mailbox
from mailwatch.core import acts
from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Line, Phase
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Protocol
from mailwatch.core.secret import Secret
from mailwatch.ports import Act, MailboxView
from mailwatch.ports.pages import ORDER, Conversation, CredentialDates, PageFilter, Pages, Sample
from mailwatch.store import places
from mailwatch.store.pages import SqlPages
from mailwatch.store.rows import standing_to_row
from mailwatch.store.samples import write_conversations, write_samples
from mailwatch.store.schema import standings
from mailwatch.store.schema_campaigns import campaign_links, campaigns

BY = Act("user:ada", "mailbox.disconnect", "192.0.2.7")
SIZE = 120


@pytest.fixture
def pages(database) -> Pages:
    return SqlPages(database)


@dataclass
class Fleet:
    """What is in the database, as it would be looked through by hand."""

    views: list[MailboxView]
    links: set[tuple[str, str]]

    def named(self, which):
        return [view for view in self.views if self._named(view, which)]

    def _named(self, view, which):
        mailbox, standing = view.mailbox, view.standing
        return (
            (not which.states or standing.state in which.states)
            and (not which.providers or mailbox.provider in which.providers)
            and (not which.causes or standing.cause in which.causes)
            and all(mailbox.labels.get(key) == value for key, value in (which.labels or {}).items())
            and (not which.campaign or (which.campaign, mailbox.id) in self.links)
            and which.text.lower() in mailbox.address.lower()
        )

    def in_order(self, which):
        newest_first = sorted(self.named(which), key=lambda view: (view.standing.since_at, view.mailbox.id), reverse=True)
        return sorted(newest_first, key=lambda view: ORDER.index(view.standing.state))


LABELS = [{}, {"team": "sales"}, {"team": "sales", "region": "eu"}, {'te"am': "sa\\les"}, {"x": '"team":"sales"'}, {"team": "ö"}]
CAUSES = [Cause.INVALID_CREDENTIALS, Cause.CONNECTION_TIMEOUT, Cause.MFA_REQUIRED]


@pytest.fixture
async def fleet(store, database):
    """A fleet with every state, cause, label and link, many of them since the same moment."""
    rng = random.Random(7)
    wanted = [
        password_mailbox(
            number,
            provider=rng.choice(["google", "microsoft", "other"]),
            host=rng.choice(["example.org", "a_b.example", "Big.Example"]),
            labels=rng.choice(LABELS),
        )
        for number in rng.sample(range(SIZE), SIZE)
    ]
    await add(store, *wanted)
    views, links = [], set()
    for new in wanted:
        standing = (await store.find(new.mailbox.id)).standing
        state = rng.choice(ORDER)
        cause = None if state in {State.CONNECTED, State.PENDING} else rng.choice(CAUSES)
        standing = replace(standing, state=state, since_at=later(rng.randrange(6)), cause=cause)
        names = tuple(campaign for campaign in ("autumn", "spring") if rng.random() < 0.3)
        views.append(MailboxView(replace(new.mailbox, campaigns=names), standing))
        links |= {(campaign, new.mailbox.id) for campaign in names}

    async def work(attempt):
        for view in views:
            values = standing_to_row(view.standing)
            await attempt.connection.execute(update(standings).where(standings.c.mailbox_id == view.mailbox.id).values(values))
        fields = {"name": "", "sender": "", "position": "", "state": "active", "version": 1, "created_at": NOON, "updated_at": NOON}
        await attempt.connection.execute(insert(campaigns), [{"id": name, **fields} for name in ("spring", "autumn")])
        await attempt.connection.execute(
            insert(campaign_links), [{"campaign_id": name, "mailbox_id": of} for name, of in sorted(links)]
        )

    await database.write(work)
    return Fleet(views, links)


FILTERS = [
    PageFilter(),
    PageFilter(states=frozenset({State.BLOCKED})),
    PageFilter(states=frozenset({State.CONNECTED, State.HELD, State.SUSPECT})),
    PageFilter(providers=frozenset({"google"})),
    PageFilter(providers=frozenset({"google", "other"}), states=frozenset({State.RECONNECTING})),
    PageFilter(causes=frozenset({"mfa_required"})),
    PageFilter(causes=frozenset({"mfa_required", "invalid_credentials"}), providers=frozenset({"microsoft"})),
    PageFilter(text="USER1"),
    PageFilter(text="%"),
    PageFilter(text="a_b"),
    PageFilter(text="@big.example", states=frozenset({State.CONNECTED})),
    PageFilter(labels={"team": "sales"}),
    PageFilter(labels={"region": "eu", "team": "sales"}),
    PageFilter(labels={'te"am': "sa\\les"}),
    PageFilter(labels={"am": "sa\\les"}),
    PageFilter(labels={"team": "ö"}),
    PageFilter(labels={"team": "sale"}),
    PageFilter(campaign="spring"),
    PageFilter(campaign="winter"),
    PageFilter(campaign="autumn", text="example.org", providers=frozenset({"google"}), labels={"team": "sales"}),
    PageFilter(text="example", causes=frozenset({"connection_timeout"}), states=frozenset({State.HELD, State.INACTIVE})),
    PageFilter(states=frozenset({State.CONNECTED}), causes=frozenset({"mfa_required"})),
    PageFilter(text="user\0"),
    PageFilter(campaign="spring\ud800"),
    PageFilter(providers=frozenset({"google\0"})),
    PageFilter(labels={"team\0": "\ud800"}),
]


async def walked(pages, which, limit):
    """The ids of all pages, one after another."""
    found, cursor = [], None
    while True:
        page = await pages.page(which, cursor, limit)
        assert len(page.rows) <= limit
        found += page.rows
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert len(page.rows) == limit


@pytest.mark.parametrize("few", [0, places.FEW])
async def test_pages_show_what_the_filter_names_in_order_each_once(pages, fleet, monkeypatch, few):
    # the same answer, whether the few that a filter names are sorted or the many are walked
    monkeypatch.setattr(places, "FEW", few)
    assert [len(view.mailbox.campaigns) for view in fleet.views] != [0] * SIZE
    for which, limit in zip(FILTERS, itertools.cycle([7, 40, 1000])):
        expected = fleet.in_order(which)
        shown = await walked(pages, which, limit)
        assert [view.mailbox.id for view in shown] == [view.mailbox.id for view in expected], which
        assert shown == expected


async def test_counts_counters_and_ids_agree_with_the_pages(pages, fleet):
    for which in FILTERS:
        named = sorted(view.mailbox.id for view in fleet.named(which))
        assert await pages.count(which) == len(named), which
        assert await pages.ids(which, None, SIZE) == named
        middle = named[len(named) // 2] if named else "mb_"
        assert await pages.ids(which, middle, 5) == [of for of in named if of > middle][:5]
        by_state = [view.standing.state for view in fleet.named(replace(which, states=frozenset()))]
        assert await pages.counters(which) == {state: by_state.count(state) for state in ORDER}


async def test_a_page_is_not_disturbed_by_what_changed_before_it(pages, fleet, store):
    which = PageFilter()
    first = await pages.page(which, None, 30)
    expected = [view.mailbox.id for view in fleet.in_order(which)][30:]
    shown = {view.mailbox.id for view in first.rows}
    # the cursor's own mailbox is removed, and another of the first page moves far behind
    await store.remove(first.rows[-1].mailbox.id, BY)
    await store.change(first.rows[0].mailbox.id, lambda standing: acts.reconnect(standing, later(600), "ada"), BY)
    rest, cursor = [], first.next_cursor
    while cursor:
        page = await pages.page(which, cursor, 30)
        rest += [view.mailbox.id for view in page.rows if view.mailbox.id not in shown]
        cursor = page.next_cursor
    assert rest == expected


@pytest.mark.parametrize(
    "cursor", ["", "x", "bm90IGpzb24", "WzEsMl0", "WzksMSwiYSJd", "WzEsMWUzMDAsImEiXQ", "ü", "W1tbW1tbW1tb" * 999]
)
async def test_what_is_no_cursor_is_refused(pages, cursor):
    with pytest.raises(ValueError, match="no cursor"):
        await pages.page(PageFilter(), cursor, 10)


async def test_an_empty_fleet_has_an_empty_page(pages):
    page = await pages.page(PageFilter(), None, 10)
    assert (list(page.rows), page.next_cursor) == ([], None)
    assert set((await pages.counters(PageFilter())).values()) == {0}
    assert await pages.facets() == {"provider": {}, "cause": {}}
    assert list(await pages.troubles()) == []


async def test_facets_and_troubles_are_counted(pages, fleet):
    facets = await pages.facets()
    providers = [view.mailbox.provider for view in fleet.views]
    causes = [view.standing.cause for view in fleet.views if view.standing.cause]
    assert facets["provider"] == {name: providers.count(name) for name in set(providers)}
    assert facets["cause"] == {name: causes.count(name) for name in set(causes)}
    assert list(facets["provider"].values()) == sorted(facets["provider"].values(), reverse=True)
    troubles = await pages.troubles()
    away = [view for view in fleet.views if view.standing.state in set(ORDER) - {State.CONNECTED, State.PENDING, State.SUSPECT}]
    assert sum(trouble.mailboxes for trouble in troubles) == len(away)
    assert [trouble.mailboxes for trouble in troubles] == sorted((each.mailboxes for each in troubles), reverse=True)
    one = troubles[0]
    same = [
        view.standing.since_at
        for view in away
        if (view.mailbox.provider, view.standing.state, view.standing.cause) == (one.provider, one.state, one.cause)
    ]
    assert (one.mailboxes, one.since_at) == (len(same), min(same))


async def test_campaigns_are_told_by_mailbox(pages, fleet):
    ids = [view.mailbox.id for view in fleet.views[:50]]
    found = await pages.campaigns_of(ids)
    assert found == {of: tuple(name for name in ("autumn", "spring") if (name, of) in fleet.links) for of in ids}
    assert await pages.campaigns_of([]) == {}


# --- one mailbox ---


async def away_and_back(store, *minutes):
    """Disconnect and reconnect at these minutes after noon, in turn."""
    for place, minute in enumerate(minutes):
        step = acts.reconnect if place % 2 else acts.disconnect
        await store.change("mb_0001", lambda standing, step=step, minute=minute: step(standing, later(minute), "user:ada"), BY)


async def test_a_heartbeat_shows_the_worst_of_each_hour(store, pages):
    await add(store, password_mailbox(1), password_mailbox(2, created_at=later(30)), password_mailbox(3))
    await away_and_back(store, 90, 150)
    beats = await pages.heartbeats(["mb_0001", "mb_0002", "mb_0003", "mb_9999"], later(240))
    assert set(beats) == {"mb_0001", "mb_0002", "mb_0003"}
    none = (None,) * 20
    assert beats["mb_0001"] == (*none, State.PENDING, State.PENDING, State.RECONNECTING, State.RECONNECTING)
    assert beats["mb_0003"] == (*none, *[State.PENDING] * 4)
    assert beats["mb_0002"] == (*none, *[State.PENDING] * 4)


async def test_a_heartbeat_knows_the_state_the_day_began_with(store, pages):
    await add(store, password_mailbox(1))
    await away_and_back(store, 60, 90, 120)
    day = await pages.heartbeats(["mb_0001"], later(60 * 48))
    assert day["mb_0001"] == (State.INACTIVE,) * 24
    edge = await pages.heartbeats(["mb_0001"], later(60 * 25 + 30))
    assert edge["mb_0001"] == (State.RECONNECTING, *[State.INACTIVE] * 23)
    assert await pages.heartbeats([], NOON) == {}


async def test_a_timeline_goes_back_page_by_page(store, pages):
    await add(store, password_mailbox(1), password_mailbox(2))
    await away_and_back(store, *range(10, 70, 10))
    await store.change("mb_0002", lambda standing: acts.disconnect(standing, later(99), "user:ada"), BY)
    newest = await pages.timeline("mb_0001", None, 4)
    rest = await pages.timeline("mb_0001", newest[-1][0], 4)
    assert [step.version for _, step in (*newest, *rest)] == [6, 5, 4, 3, 2, 1]
    assert [step.at for _, step in newest] == [later(60), later(50), later(40), later(30)]
    assert list(await pages.timeline("mb_0001", rest[-1][0], 4)) == []


async def test_a_timeline_brings_the_servers_words(store, pages):
    await add(store, password_mailbox(1))
    (claim,) = await store.claim_due(NOON, 1, 60)
    await store.record(claim, moved(claim))
    ((_, step),) = await pages.timeline("mb_0001", None, 4)
    assert step == moved(claim).transitions[0]


def sample(at, seconds=0.0123):
    return Sample(at, {Protocol.IMAP: {Phase.CONNECT: seconds, Phase.AUTH: 1.5}, Protocol.SMTP: {Phase.TLS: seconds}})


async def test_samples_of_the_last_day_are_kept_for_those_that_are_there(store, pages, database):
    await add(store, password_mailbox(1), password_mailbox(2))
    assert list(await pages.samples("mb_0001")) == []
    for hour in range(30):
        given = {of: sample(later(60 * hour), hour / 100) for of in ("mb_0001", "mb_9999")}
        await database.write(lambda attempt, given=given: write_samples(attempt, given))
    kept = await pages.samples("mb_0001")
    assert kept == [sample(later(60 * hour), hour / 100) for hour in range(6, 30)]
    late = later(60 * 24 * 9)
    await database.write(lambda attempt: write_samples(attempt, {"mb_0001": sample(late), "mb_0002": Sample(late, {})}))
    assert list(await pages.samples("mb_0001")) == [sample(late)]
    assert list(await pages.samples("mb_0002")) == [Sample(late, {})]


async def test_the_last_failed_conversation_is_kept(store, pages, database):
    await add(store, password_mailbox(1))
    assert await pages.conversation("mb_0001") is None
    for minute in (1, 2):
        said = Conversation(
            later(minute), {Protocol.IMAP: (Line(sent=True, text="a1 LOGIN …"), Line(sent=False, text=f"NO {minute}"))}
        )
        await database.write(lambda attempt, said=said: write_conversations(attempt, {"mb_0001": said, "mb_9999": said}))
    assert await pages.conversation("mb_0001") == said
    await store.remove("mb_0001", BY)
    assert await pages.conversation("mb_0001") is None


async def test_the_age_of_a_credential_and_the_end_of_a_token_are_told(store, pages, clock: SetClock):
    await add(store, password_mailbox(1), oauth_mailbox(2))
    assert await pages.credential("mb_0001") == CredentialDates(NOON)
    lease = await store.grants.begin_refresh("mb_0002", epoch=1, lease_seconds=30)
    clock.pass_seconds(60)
    await store.grants.finish_refresh("mb_0002", lease, access_token=Secret("t"), expires_at=later(60), refresh_token=None)
    assert await pages.credential("mb_0002") == CredentialDates(NOON, later(60))
    assert await pages.credential("mb_9999") == CredentialDates()


async def test_the_audit_is_read_newest_first_and_by_mailbox(store, pages, clock):
    await add(store, password_mailbox(1), password_mailbox(2))
    await away_and_back(store, 1, 2)
    everything = await pages.audit(None, 10)
    assert [row.id for row in everything] == sorted((row.id for row in everything), reverse=True)
    assert [(row.action, row.state_before, row.state_after) for row in everything[:2]] == [
        ("mailbox.disconnect", "inactive", "reconnecting"),
        ("mailbox.disconnect", "pending", "inactive"),
    ]
    assert (everything[0].actor, everything[0].origin, everything[0].at - NOON) == ("user:ada", "192.0.2.7", timedelta(0))
    of_one = await pages.audit(None, 10, mailbox_id="mb_0001")
    assert len(of_one) == 3
    assert await pages.audit(of_one[0].id, 1, mailbox_id="mb_0001") == of_one[1:2]
