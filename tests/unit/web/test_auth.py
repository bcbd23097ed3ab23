"""Who may what: tokens, sessions, roles, each route's own need."""

import pytest

from fakes.web import BY, PASSWORD
from mailwatch.ports.people import Role
from mailwatch.web.api import ROUTERS
from mailwatch.web.api.openapi import api_routes, need_of
from mailwatch.web.auth import TOKEN_SECONDS, Caller

#: What each role adds to the one before it.
ACTING = {
    "disconnect_mailbox", "reconnect_mailbox", "make_reconnect_link", "hold_mailbox", "release_mailbox", "probe_mailbox",
    "set_secret", "act_on_mailboxes", "add_campaign", "amend_campaign", "link_campaign", "unlink_campaign", "pause_campaign",
    "resume_campaign", "release_brake", "cancel_job", "poll_consent", "declare_maintenance", "end_maintenance",
    "close_incident",
}  # fmt: skip
ADMINISTERING = {
    "add_mailbox", "import_mailboxes", "remove_mailbox", "list_audit", "replay_delivery", "enable_webhook", "list_tokens",
    "create_token", "revoke_token", "list_users", "add_user", "change_user", "remove_user",
}  # fmt: skip


def test_each_route_asks_for_the_role_it_should():
    roles = {route.operation_id: need_of(route.dependant).role for route in api_routes(ROUTERS)}
    expected = dict.fromkeys(roles, Role.READ) | dict.fromkeys(ACTING, Role.ACT) | dict.fromkeys(ADMINISTERING, Role.ADMIN)
    assert roles == expected


def test_only_the_status_is_open_to_this_machine():
    assert {route.operation_id for route in api_routes(ROUTERS) if need_of(route.dependant).or_local} == {"get_status"}


def test_nothing_that_changes_anything_is_a_get():
    assert all(route.methods == {"GET"} or need_of(route.dependant).role is not Role.READ for route in api_routes(ROUTERS))


def test_a_role_includes_those_before_it():
    caller = Caller("x", Role.ACT, "token")
    assert (caller.may(Role.READ), caller.may(Role.ACT), caller.may(Role.ADMIN)) == (True, True, False)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer mwt_wrong", "bearer " + "x" * 300, "Basic YTpi", "mwt_x", "Bearer mwt_\u00e4"],
)
async def test_what_is_no_good_token_is_401_with_a_challenge(rig, authorization):
    status, headers, problem = await rig.ask("GET", "/api/v1/me", role=None, headers={"Authorization": authorization})
    assert (status, problem["code"]) == (401, "not_signed_in")
    assert headers["WWW-Authenticate"] == 'Bearer realm="mailwatch"'


async def test_nobody_is_401(rig):
    assert (await rig.ask("GET", "/api/v1/mailboxes", role=None))[0] == 401


async def test_a_role_too_small_is_403_that_names_both(rig):
    status, _, problem = await rig.ask("POST", "/api/v1/mailboxes/mb_1/disconnect", role="read")
    assert (status, problem["code"]) == (403, "role_too_small")
    assert "read" in problem["detail"]
    assert "act" in problem["detail"]


async def test_me_is_who_asks(rig):
    assert (await rig.ask("GET", "/api/v1/me", role="act"))[2] == {"name": "act", "kind": "token", "role": "act"}


async def test_a_session_is_known_by_its_cookie_and_has_the_users_present_role(rig):
    await rig.surface.accounts.add_user("ada", PASSWORD, Role.READ, BY)
    await rig.surface.accounts.add_user("bob", PASSWORD, Role.ADMIN, BY)
    cookie, _ = await rig.surface.accounts.sign_in("ada", PASSWORD)
    headers = {"Cookie": f"mailwatch={cookie}"}
    assert (await rig.ask("GET", "/api/v1/me", role=None, headers=headers))[2]["role"] == "read"
    assert (await rig.ask("GET", "/api/v1/me", role=None, headers={"Cookie": "mailwatch=x"}))[0] == 401
    assert (await rig.ask("GET", "/api/v1/me", role=None, headers={"Cookie": f"mailwatch={'x' * 300}"}))[0] == 401


async def test_a_bad_token_is_not_saved_by_a_good_cookie(rig):
    await rig.surface.accounts.add_user("ada", PASSWORD, Role.ADMIN, BY)
    cookie, _ = await rig.surface.accounts.sign_in("ada", PASSWORD)
    headers = {"Cookie": f"mailwatch={cookie}", "Authorization": "Bearer mwt_x"}
    assert (await rig.ask("GET", "/api/v1/me", role=None, headers=headers))[0] == 401


async def test_a_revoked_token_ends_at_once_here_and_within_seconds_elsewhere(rig):
    assert (await rig.ask("GET", "/api/v1/me", role="read"))[0] == 200
    await rig.surface.accounts.revoke_token("read", BY)  # as the command line does
    rig.clock.advance(TOKEN_SECONDS)
    assert (await rig.ask("GET", "/api/v1/me", role="read"))[0] == 401
    assert (await rig.ask("GET", "/api/v1/me", role="act"))[0] == 200
    (token,) = [each for each in (await rig.ask("GET", "/api/v1/tokens"))[2]["tokens"] if each["name"] == "act"]
    assert (await rig.ask("DELETE", f"/api/v1/tokens/{token['id']}"))[0] == 204
    assert (await rig.ask("GET", "/api/v1/me", role="act"))[0] == 401


async def test_a_token_ends_at_its_moment_though_it_was_believed_a_moment_ago(rig):
    _, text = await rig.surface.accounts.create_token("short", Role.READ, 1, BY)
    headers = {"Authorization": f"Bearer {text}"}
    rig.clock.advance(86_399)
    assert (await rig.ask("GET", "/api/v1/me", role=None, headers=headers))[0] == 200
    rig.clock.advance(1)
    assert (await rig.ask("GET", "/api/v1/me", role=None, headers=headers))[0] == 401
