"""Accounts, tokens, links and remembered answers: what two do at once happens once, and every act leaves its audit row."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from contract.fleet import NOON, add, later, password_mailbox
from fakes.lost_answer import LostAnswer
from mailwatch.ports import Act
from mailwatch.ports.people import AccountError, LinkKind, OneTimeLink, People, Remembered, Role, Session, Token, User
from mailwatch.store.pages import SqlPages
from mailwatch.store.people import SqlPeople
from mailwatch.store.remembered import ABANDONED, REMEMBERED, forget_answers

BY = Act("user:ada", "user.add", "192.0.2.7")
ADA = User("ada", Role.ADMIN, NOON, "$argon2id$ada")
BOB = User("bob", Role.ACT, NOON, "$argon2id$bob")
KEY = Token("tok_1", "sender", Role.READ, NOON, "user:ada")


@pytest.fixture
def people(database, clock) -> People:
    return SqlPeople(database, clock)


@pytest.fixture
def other(store_url, database, clock) -> People:
    return SqlPeople(database, clock)


async def told(database):
    return [
        (row.actor, row.action, row.origin, row.subject, row.state_before, row.state_after, row.detail)
        for row in await SqlPages(database).audit(None, 100)
    ]


# --- users ---


async def test_users_are_kept_and_listed_by_name(people):
    assert await people.user_count() == 0
    await people.add_user(BOB, BY)
    await people.add_user(ADA, BY)
    assert await people.user_count() == 2
    assert await people.users() == [ADA, BOB]
    assert await people.user("bob") == BOB
    assert await people.user("Bob") is None


async def test_a_name_is_given_once_even_to_two_at_once(people, database):
    results = await asyncio.gather(*(people.add_user(ADA, BY) for _ in range(6)), return_exceptions=True)
    assert [type(result) for result in results].count(AccountError) == 5
    assert await people.users() == [ADA]
    assert len(await told(database)) == 1


async def test_a_change_of_user_ends_the_sessions_and_is_told(people, database):
    await people.add_user(ADA, BY)
    await people.add_user(BOB, BY)
    await people.add_session("cookie", Session("bob", Role.ACT, NOON, later(60)))
    await people.set_user("bob", replace(BY, action="user.set"), password_hash="new", role=Role.READ)
    assert await people.user("bob") == replace(BOB, role=Role.READ, password_hash="new")
    assert await people.session("cookie", NOON) is None
    newest, *_ = await told(database)
    assert newest == ("user:ada", "user.set", "192.0.2.7", "bob", "act", "read", "a new password")


async def test_what_is_not_given_stays(people):
    await people.add_user(ADA, BY)
    await people.set_user("ada", BY, password_hash="new")
    assert await people.user("ada") == replace(ADA, password_hash="new")
    await people.set_user("ada", BY, role=Role.ADMIN)
    assert await people.user("ada") == replace(ADA, password_hash="new")


async def test_nobody_cannot_be_changed_or_removed(people, database):
    await people.add_user(ADA, BY)
    for act in (people.set_user("eve", BY, role=Role.READ), people.remove_user("eve", BY)):
        with pytest.raises(AccountError, match="no user eve"):
            await act
    assert len(await told(database)) == 1


async def test_the_last_admin_stays(people, database):
    await people.add_user(ADA, BY)
    await people.add_user(BOB, BY)
    for act in (people.remove_user("ada", BY), people.set_user("ada", BY, role=Role.ACT)):
        with pytest.raises(AccountError, match="last admin"):
            await act
    assert len(await told(database)) == 2
    await people.set_user("bob", BY, role=Role.ADMIN)
    await people.remove_user("ada", replace(BY, action="user.remove"))
    assert [user.name for user in await people.users()] == ["bob"]
    assert (await told(database))[0] == ("user:ada", "user.remove", "192.0.2.7", "ada", "admin", None, None)


@pytest.mark.parametrize("round_number", range(5))
async def test_of_two_who_take_away_the_last_two_admins_one_is_refused(people, round_number):
    await people.add_user(ADA, BY)
    await people.add_user(replace(BOB, role=Role.ADMIN), BY)
    acts = [people.remove_user("ada", BY), people.set_user("bob", BY, role=Role.READ)]
    results = await asyncio.gather(*(acts if round_number % 2 else acts[::-1]), return_exceptions=True)
    assert [type(result) for result in results].count(AccountError) == 1
    assert [user.role for user in await people.users()].count(Role.ADMIN) == 1


@pytest.mark.parametrize("how", ["a new password", "removed"])
async def test_an_account_that_is_taken_back_leaves_no_link_into_it(people, how):
    await people.add_user(ADA, BY)
    await people.add_user(BOB, BY)
    for name in ("ada", "bob"):
        await people.add_link(f"link of {name}", OneTimeLink(LinkKind.SIGN_IN, name, later(600)), BY)
    await (people.remove_user("bob", BY) if how == "removed" else people.set_user("bob", BY, password_hash="new"))
    assert await people.use_link("link of bob", NOON) is None
    assert await people.use_link("link of ada", NOON) is not None


# --- sessions ---


async def test_a_session_lasts_to_its_end_with_the_role_of_the_moment(people, database):
    await people.add_user(ADA, BY)
    await people.add_session("cookie", Session("ada", Role.READ, NOON, later(60)))
    assert await people.session("cookie", later(59)) == Session("ada", Role.ADMIN, NOON, later(60))
    assert await people.session("cookie", later(60)) is None
    assert await people.session("another", NOON) is None
    await people.end_session("cookie")
    assert await people.session("cookie", NOON) is None


async def test_a_removed_user_is_signed_out_and_cannot_sign_in(people):
    await people.add_user(ADA, BY)
    await people.add_user(BOB, BY)
    await people.add_session("cookie", Session("bob", Role.ACT, NOON, later(60)))
    await people.remove_user("bob", BY)
    assert await people.session("cookie", NOON) is None
    with pytest.raises(AccountError):
        await people.add_session("late", Session("bob", Role.ACT, NOON, later(60)))


# --- tokens ---


async def test_a_token_is_found_by_its_hash_until_its_end(people):
    await people.add_token(replace(KEY, expires_at=later(10)), "hash", BY)
    assert (await people.token("hash", later(9))).id == "tok_1"
    assert await people.token("hash", later(10)) is None
    assert await people.token("tok_1", NOON) is None


async def test_the_use_of_a_token_is_noted_to_the_minute(people):
    await people.add_token(KEY, "hash", BY)
    assert (await people.token("hash", NOON)).last_used_at == NOON
    assert (await people.token("hash", NOON + timedelta(seconds=59))).last_used_at == NOON
    assert (await people.token("hash", later(1))).last_used_at == later(1)
    assert [token.last_used_at for token in await people.tokens()] == [later(1)]


async def test_a_revoked_token_is_dead_and_stays_listed(people, database, clock):
    await people.add_token(KEY, "hash", BY)
    await people.add_token(replace(KEY, id="tok_2", created_at=later()), "hash-2", BY)
    clock.pass_seconds(60)
    await people.revoke_token("tok_1", replace(BY, action="token.revoke"))
    await people.revoke_token("tok_1", BY)
    assert await people.token("hash", later()) is None
    assert [(token.id, token.revoked_at) for token in await people.tokens()] == [("tok_2", None), ("tok_1", later(1))]
    assert await told(database) == [
        ("user:ada", "token.revoke", "192.0.2.7", "tok_1", "read", None, "sender"),
        ("user:ada", "user.add", "192.0.2.7", "tok_2", None, "read", "sender"),
        ("user:ada", "user.add", "192.0.2.7", "tok_1", None, "read", "sender"),
    ]
    with pytest.raises(AccountError, match="no token tok_9"):
        await people.revoke_token("tok_9", BY)


# --- links ---


def link(kind=LinkKind.SIGN_IN, subject="ada", minutes=10):
    return OneTimeLink(kind, subject, later(minutes))


async def test_of_many_who_use_a_link_at_once_one_gets_it(people, other):
    await people.add_link("hash", link(), BY)
    assert await people.link("hash", NOON) == link()
    used = await asyncio.gather(*(each.use_link("hash", NOON) for each in (people, other) for _ in range(8)))
    assert [each for each in used if each is not None] == [link()]
    assert await people.link("hash", NOON) is None


async def test_a_link_that_ended_or_never_was_gives_nothing(people):
    await people.add_link("hash", link(), None)
    for look in (people.link, people.use_link):
        assert await look("hash", later(10)) is None
        assert await look("other", NOON) is None
    assert await people.use_link("hash", later(9)) == link()


async def test_a_new_set_up_link_ends_the_older_ones_alone(people):
    await people.add_link("first", link(LinkKind.SETUP, ""), None)
    await people.add_link("sign-in", link(), None)
    await people.add_link("second", link(LinkKind.SETUP, ""), None)
    assert await people.use_link("first", NOON) is None
    assert await people.use_link("second", NOON) == link(LinkKind.SETUP, "")
    assert await people.use_link("sign-in", NOON) == link()


async def test_of_set_up_links_made_at_once_one_is_left(people):
    await asyncio.gather(*(people.add_link(f"hash-{n}", link(LinkKind.SETUP, ""), None) for n in range(8)))
    left = [await people.link(f"hash-{n}", NOON) for n in range(8)]
    assert len([each for each in left if each is not None]) == 1


async def test_a_link_for_a_mailboxs_owner_is_told_with_the_mailbox(people, store, database):
    await add(store, password_mailbox(1))
    await people.add_link("hash", link(LinkKind.RECONNECT, "mb_0001"), replace(BY, action="consent.link"))
    (row, *_) = await SqlPages(database).audit(None, 10, mailbox_id="mb_0001")
    assert (row.action, row.mailbox_id, row.subject) == ("consent.link", "mb_0001", "mb_0001")


# --- idempotency keys ---

ANSWER = Remembered("request", 201, b'{"id": "mb_1"}', "application/json")


async def test_of_many_requests_under_one_key_one_goes_ahead(people, other):
    begun = await asyncio.gather(*(each.begin_once("ada:k", "request", NOON) for each in (people, other) for _ in range(8)))
    assert begun.count(None) == 1
    assert {each for each in begun if each is not None} == {Remembered("request", None, b"", "")}


async def test_an_answer_is_remembered_for_a_day(people):
    assert await people.begin_once("ada:k", "request", NOON) is None
    await people.finish_once("ada:k", ANSWER)
    assert await people.begin_once("ada:k", "another", NOON + REMEMBERED - timedelta(seconds=1)) == ANSWER
    again = NOON + REMEMBERED
    assert await people.begin_once("ada:k", "another", again) is None
    assert await people.begin_once("ada:k", "another", again) == Remembered("another", None, b"", "")


async def test_of_many_who_come_after_the_end_one_goes_ahead(people, other):
    await people.begin_once("ada:k", "request", NOON)
    await people.finish_once("ada:k", ANSWER)
    begun = await asyncio.gather(*(each.begin_once("ada:k", "x", NOON + REMEMBERED) for each in (people, other) for _ in range(8)))
    assert begun.count(None) == 1


async def test_a_key_given_up_or_left_by_a_dead_process_is_free_again(people):
    await people.begin_once("ada:k", "request", NOON)
    await people.abandon_once("ada:k")
    assert await people.begin_once("ada:k", "request", NOON) is None
    assert await people.begin_once("ada:k", "request", NOON + ABANDONED - timedelta(seconds=1)) is not None
    assert await people.begin_once("ada:k", "request", NOON + ABANDONED) is None


async def test_giving_up_leaves_an_answer_alone(people):
    await people.begin_once("ada:k", "request", NOON)
    await people.finish_once("ada:k", ANSWER)
    await people.abandon_once("ada:k")
    assert await people.begin_once("ada:k", "request", NOON) == ANSWER


async def test_an_answer_that_spoke_of_a_removed_mailbox_is_forgotten_and_its_request_not_done_again(people, database):
    for key, body in (("by id", b'{"id":"mb_1"}'), ("by address", b'["User1@example.org"]'), ("of another", b'{"id":"mb_22"}')):
        await people.begin_once(key, "request", NOON)
        await people.finish_once(key, replace(ANSWER, body=body))
    await database.write(lambda attempt: forget_answers(attempt, "mb_1", "User1@example.org"))
    answers = [await people.begin_once(key, "request", NOON) for key in ("by id", "by address", "of another")]
    assert [(answer.status, b"mb_1" in answer.body or b"example" in answer.body) for answer in answers] == [
        (410, False),
        (410, False),
        (201, False),
    ]


# --- housekeeping ---


async def test_tidying_deletes_what_ended_and_nothing_else(people):
    await people.add_user(ADA, BY)
    for minutes in (1, 60):
        await people.add_session(f"cookie-{minutes}", Session("ada", Role.ADMIN, NOON, later(minutes)))
        await people.add_link(f"link-{minutes}", link(minutes=minutes), None)
    await people.add_link("used", link(minutes=60), None)
    await people.use_link("used", NOON)
    await people.begin_once("old", "request", later(5) - REMEMBERED)
    await people.begin_once("new", "request", NOON)
    assert await people.tidy(later(5)) == 4
    assert await people.tidy(later(5)) == 0
    assert await people.session("cookie-60", NOON) is not None
    assert await people.link("link-60", NOON) is not None
    assert await people.begin_once("new", "request", NOON) is not None


# --- a commit without an answer ---


async def test_what_was_committed_without_an_answer_is_done_and_told_once(database, clock):
    people = SqlPeople(LostAnswer(database), clock)
    await people.add_user(ADA, BY)
    await people.add_user(BOB, BY)
    await people.set_user("bob", BY, role=Role.READ)
    await people.remove_user("bob", BY)
    await people.add_session("cookie", Session("ada", Role.ADMIN, NOON, later(60)))
    await people.add_token(KEY, "hash", BY)
    await people.revoke_token("tok_1", BY)
    await people.add_link("link", link(LinkKind.SETUP, ""), BY)
    assert await people.use_link("link", NOON) == link(LinkKind.SETUP, "")
    assert await people.begin_once("ada:k", "request", NOON) is None
    assert await people.users() == [ADA]
    assert await people.session("cookie", NOON) is not None
    assert len(await told(database)) == 7


async def test_another_use_of_a_link_in_doubt_gives_nothing(people, database, clock):
    await people.add_link("link", link(), None)
    await people.use_link("link", NOON)
    assert await SqlPeople(LostAnswer(database), clock).use_link("link", later(1)) is None


async def test_another_request_in_doubt_is_not_the_first(people, database, clock):
    await people.begin_once("ada:k", "request", NOON)
    again = await SqlPeople(LostAnswer(database), clock).begin_once("ada:k", "request", later(1))
    assert again == Remembered("request", None, b"", "")
