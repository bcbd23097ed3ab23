"""Tokens and users over the API: made by admins, shown without their secrets."""

from mailwatch.ports.people import Role


async def test_a_token_is_made_shown_once_listed_and_revoked(rig):
    status, headers, made = await rig.ask("POST", "/api/v1/tokens", {"name": "sender", "role": "act", "days": 30})
    assert (status, headers["Cache-Control"]) == (201, "no-store")
    assert made["expires_at"] == "2026-03-31T12:00:00Z"
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert (await rig.ask("GET", "/api/v1/me", role=None, headers=bearer))[2]["name"] == "sender"
    _, _, listed = await rig.ask("GET", "/api/v1/tokens")
    assert made["token"] not in str(listed)
    assert {token["name"] for token in listed["tokens"]} == {"read", "act", "admin", "sender"}
    assert (await rig.ask("DELETE", f"/api/v1/tokens/{made['id']}"))[0] == 204
    assert (await rig.ask("GET", "/api/v1/me", role=None, headers=bearer))[0] == 401
    assert (await rig.ask("DELETE", "/api/v1/tokens/tok_none"))[0] == 404


async def test_only_an_admin_makes_tokens_and_users(rig):
    for role in ("read", "act"):
        assert (await rig.ask("POST", "/api/v1/tokens", {"name": "x", "role": "read"}, role=role))[0] == 403
        assert (await rig.ask("GET", "/api/v1/users", role=role))[0] == 403


async def test_users_are_added_changed_and_removed(rig):
    password = "a long enough password"
    status, headers, shown = await rig.ask("POST", "/api/v1/users", {"name": "ada", "role": "admin", "password": password})
    assert (status, headers["Location"]) == (201, "/api/v1/users/ada")
    assert set(shown) == {"name", "role", "created_at"}
    assert (await rig.ask("POST", "/api/v1/users", {"name": "bob", "role": "read"}))[0] == 201
    status, _, shown = await rig.ask("PATCH", "/api/v1/users/bob", {"role": "act", "password": "another long password"})
    assert (status, shown["role"]) == (200, "act")
    assert (await rig.store.people.user("bob")).role is Role.ACT
    assert [user["name"] for user in (await rig.ask("GET", "/api/v1/users"))[2]["users"]] == ["ada", "bob"]
    assert (await rig.ask("DELETE", "/api/v1/users/bob"))[0] == 204
    status, _, problem = await rig.ask("DELETE", "/api/v1/users/ada")
    assert (status, problem["code"]) == (409, "account")
    assert (await rig.ask("PATCH", "/api/v1/users/eve", {"role": "act"}))[0] == 404
    assert (await rig.ask("DELETE", "/api/v1/users/eve"))[0] == 404


async def test_a_weak_password_is_refused_and_not_repeated(rig):
    status, _, problem = await rig.ask("POST", "/api/v1/users", {"name": "ada", "role": "read", "password": "hunter2"})
    assert status == 409
    assert "hunter2" not in str(problem)
