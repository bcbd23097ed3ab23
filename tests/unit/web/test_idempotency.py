"""Idempotency keys: what is sent twice is done once."""

import asyncio

import pytest

from fakes.web import BY, PASSWORD
from mailwatch.desk.passwords import hashed
from mailwatch.ports import StoreUnavailableError
from mailwatch.ports.people import Remembered, Role


async def audited(rig, action):
    return sum(row.action == action for row in await rig.surface.pages.audit(None, 500))


async def test_a_repeat_gets_the_first_answer_and_does_nothing(rig):
    await rig.fill(1)
    path, key = "/api/v1/mailboxes/mb_0000/disconnect", {"Idempotency-Key": "one"}
    status, headers, first = await rig.ask("POST", path, headers=key)
    assert status == 200
    assert "Idempotent-Replayed" not in headers
    await rig.ask("POST", "/api/v1/mailboxes/mb_0000/reconnect")
    status, headers, again = await rig.ask("POST", path, headers=key)
    assert (status, headers["Idempotent-Replayed"], again) == (200, "true", first)
    assert headers["Content-Type"] == "application/json"
    assert await audited(rig, "mailbox.disconnect") == 1


async def test_a_refusal_by_state_is_remembered_too(rig):
    await rig.fill(1)
    key = {"Idempotency-Key": "one"}
    assert (await rig.ask("POST", "/api/v1/mailboxes/mb_0000/release", headers=key))[0] == 409
    status, headers, problem = await rig.ask("POST", "/api/v1/mailboxes/mb_0000/release", headers=key)
    assert (status, problem["code"], headers["Content-Type"]) == (409, "illegal_move", "application/problem+json")


async def test_another_request_under_the_same_key_is_refused(rig):
    await rig.fill(1)
    key = {"Idempotency-Key": "one"}
    await rig.ask("POST", "/api/v1/mailboxes/mb_0000/hold", {"reason": "warmup_pause"}, headers=key)
    for path, given in (("hold", {"reason": "anomaly_pause"}), ("disconnect", None)):
        status, _, problem = await rig.ask("POST", f"/api/v1/mailboxes/mb_0000/{path}", given, headers=key)
        assert (status, problem["code"]) == (422, "key_reused")


async def test_keys_are_each_callers_own(rig):
    await rig.fill(1)
    key = {"Idempotency-Key": "one"}
    assert (await rig.ask("POST", "/api/v1/mailboxes/mb_0000/probe", headers=key))[0] == 200
    status, headers, _ = await rig.ask("POST", "/api/v1/mailboxes/mb_0000/disconnect", role="act", headers=key)
    assert status == 200
    assert "Idempotent-Replayed" not in headers


async def test_one_under_way_is_409_and_says_when_to_ask_again(rig):
    await rig.fill(1)
    path, key = "/api/v1/mailboxes/mb_0000/probe", {"Idempotency-Key": "one"}
    answers = await asyncio.gather(*(rig.ask("POST", path, headers=key) for _ in range(8)))
    done = [headers for status, headers, _ in answers if status == 200]
    assert {status for status, _, _ in answers} <= {200, 409}
    assert sum("Idempotent-Replayed" not in headers for headers in done) == 1
    assert all(headers["Retry-After"] == "1" for status, headers, _ in answers if status == 409)
    assert await audited(rig, "mailbox.probe") == 1


async def test_what_was_not_done_may_be_tried_again_under_its_key(rig):
    await rig.fill(1)
    key = {"Idempotency-Key": "one"}
    assert (await rig.ask("POST", "/api/v1/tokens", {"name": "x"}, headers=key))[0] == 422
    assert (await rig.ask("POST", "/api/v1/tokens", {"name": "x", "role": "read"}, headers=key))[0] == 201


async def test_a_failure_inside_frees_the_key(rig, monkeypatch):
    await rig.fill(1)
    path, key = "/api/v1/mailboxes/mb_0000/probe", {"Idempotency-Key": "one"}

    async def broken(*_, **__):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(type(rig.surface.desk), "probe", broken)
        assert (await rig.ask("POST", path, headers=key))[0] == 500
    assert (await rig.ask("POST", path, headers=key))[0] == 200


async def test_an_answer_with_a_secret_is_not_kept(rig, tmp_path):
    key, given = {"Idempotency-Key": "one"}, {"name": "sender", "role": "read"}
    status, _, made = await rig.ask("POST", "/api/v1/tokens", given, headers=key)
    assert status == 201
    status, _, problem = await rig.ask("POST", "/api/v1/tokens", given, headers=key)
    assert (status, problem["code"]) == (409, "answer_not_kept")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("mailwatch.db*"))
    assert made["token"].encode() not in kept


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_has_a_sensible_length(rig, key):
    await rig.fill(1)
    assert (await rig.ask("POST", "/api/v1/mailboxes/mb_0000/probe", headers={"Idempotency-Key": key}))[0] == 400


async def test_without_a_caller_no_key_is_kept(rig):
    status, _, _ = await rig.ask("POST", "/api/v1/mailboxes/mb_0000/probe", role=None, headers={"Idempotency-Key": "one"})
    assert status == 401
    kept = hashed("token:admin:admin:one")
    first = await rig.store.people.begin_once(kept, "hash", rig.clock.now())
    assert first is None
    assert isinstance(await rig.store.people.begin_once(kept, "hash", rig.clock.now()), Remembered)


async def test_of_a_key_only_its_hash_is_kept(rig):
    await rig.fill(1)
    status, *_ = await rig.ask("POST", "/api/v1/mailboxes/mb_0000/probe", headers={"Idempotency-Key": "anna@example.org"})
    assert status == 200
    key, people = "token:admin:admin:anna@example.org", rig.store.people
    assert await people.begin_once(key, "hash", rig.clock.now()) is None
    assert isinstance(await people.begin_once(hashed(key), "hash", rig.clock.now()), Remembered)


async def test_an_answer_is_not_shown_to_a_smaller_role_of_the_same_name(rig):
    given, key = {"name": "bob", "role": "act", "password": PASSWORD.reveal()}, {"Idempotency-Key": "one"}
    assert (await rig.ask("POST", "/api/v1/users", given, headers=key))[0] == 201
    await rig.surface.accounts.revoke_token("admin", BY)
    rig.app.state.tokens.forget()
    _, rig.tokens["admin"] = await rig.surface.accounts.create_token("admin", Role.READ, None, BY)
    status, _, problem = await rig.ask("POST", "/api/v1/users", given, headers=key)
    assert (status, problem["code"]) == (403, "role_too_small")


async def test_a_secret_that_was_never_made_is_not_said_to_have_been(rig, monkeypatch):
    given, key = {"name": "sender", "role": "read"}, {"Idempotency-Key": "one"}

    async def away(*_, **__):
        raise StoreUnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(rig.surface.accounts, "create_token", away)
        assert (await rig.ask("POST", "/api/v1/tokens", given, headers=key))[0] == 503
    assert (await rig.ask("POST", "/api/v1/tokens", given, headers=key))[0] == 201
    assert (await rig.ask("POST", "/api/v1/tokens", given, headers=key))[2]["code"] == "answer_not_kept"
    other = {"Idempotency-Key": "two"}
    for _ in range(2):
        assert (await rig.ask("POST", "/api/v1/tokens", given, headers=other))[2]["code"] == "account"
