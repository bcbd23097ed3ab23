"""Consents over the API: a browser is sent to the provider, a program gets a link for the mailbox's owner."""

from urllib.parse import parse_qs, urlsplit

import pytest

from contract.fleet import moved
from fakes.consents import ScriptedProvider
from fakes.web import BY, PASSWORD, served
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.oauth import OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.desk.consents import Consents
from mailwatch.ports.people import Role

APP = OAuthApp(
    "outreach", OAuthKind.CUSTOM, "id", Secret("c"), "https://login.example.org/token", ("mail",), authorize_url="https://x"
)
PATH = "/api/v1/mailboxes/mb_0001/reconnect"


@pytest.fixture
async def rig(tmp_path, no_task_left_behind):
    def consents(store, clock):
        return Consents(
            {"outreach": APP},
            ScriptedProvider(),
            store.consents,
            store,
            clock,
            lambda: "https://watch.example.org/oauth/callback",
            people=store.people,
            grants=store.grants,
        )

    async with served(tmp_path / "mailwatch.db", consents=consents) as rig:
        await rig.fill(1, oauth=1)
        yield rig


async def revoke_the_grant(rig):
    for claim in await rig.store.claim_due(rig.clock.now(), 9, 60):
        if claim.mailbox.id == "mb_0001":
            blocked = moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, rig.clock.now(), cause=Cause.OAUTH_GRANT_REVOKED)
            await rig.store.record(claim, blocked)


async def test_a_program_gets_a_link_for_the_owner_of_a_dead_consent(rig):
    await revoke_the_grant(rig)
    status, headers, begun = await rig.ask("POST", PATH, role="act")
    assert (status, begun["session"], headers["Cache-Control"]) == (201, None, "no-store")
    url = urlsplit(begun["authorize_url"])
    assert url.path == "/reconnect"
    mailbox = await rig.surface.consents.mailbox_of_link(parse_qs(url.query)["key"][0])
    assert mailbox.id == "mb_0001"


async def test_a_browser_is_sent_to_the_provider_and_its_session_is_watched(rig):
    await revoke_the_grant(rig)
    await rig.surface.accounts.add_user("ada", PASSWORD, Role.ACT, BY)
    cookie, _ = await rig.surface.accounts.sign_in("ada", PASSWORD)
    headers = {"Cookie": f"mailwatch={cookie}", "Sec-Fetch-Site": "same-origin"}
    status, _, begun = await rig.ask("POST", PATH, role=None, headers=headers)
    assert status == 201
    assert begun["authorize_url"].startswith("https://login.example.org/authorize?state=")
    status, _, session = await rig.ask("GET", f"/api/v1/oauth/sessions/{begun['session']}", role="read")
    assert (status, session["state"], session["mailbox"], session["actor"]) == (200, "waiting", "mb_0001", "user:ada")
    assert (await rig.ask("POST", f"/api/v1/oauth/sessions/{begun['session']}/poll", role="act"))[2]["state"] == "waiting"


async def test_a_consent_that_works_is_tried_and_one_is_begun_only_when_asked_for(rig):
    status, _, shown = await rig.ask("POST", PATH)
    assert (status, shown["state"]) == (200, "pending")
    assert (await rig.ask("POST", PATH, {"consent": True}))[0] == 201
    await revoke_the_grant(rig)
    assert (await rig.ask("POST", PATH, {"consent": False}))[0] == 200


async def test_a_begin_insists_on_the_version_too(rig):
    await revoke_the_grant(rig)
    assert (await rig.ask("POST", PATH, headers={"If-Match": '"9"'}))[2]["code"] == "stale"


async def test_a_mailbox_with_a_password_has_no_consent_to_give(rig):
    status, _, problem = await rig.ask("POST", "/api/v1/mailboxes/mb_0000/reconnect", {"consent": True})
    assert (status, problem["code"]) == (409, "consent")


async def test_a_link_is_made_once_and_not_kept_under_its_key(rig):
    key = {"Idempotency-Key": "one"}
    status, _, made = await rig.ask("POST", "/api/v1/mailboxes/mb_0001/reconnect-link", headers=key)
    assert status == 201
    assert "/reconnect?key=" in made["url"]
    assert (await rig.ask("POST", "/api/v1/mailboxes/mb_0001/reconnect-link", headers=key))[2]["code"] == "answer_not_kept"


async def test_there_is_no_other_consent(rig):
    assert (await rig.ask("GET", "/api/v1/oauth/sessions/oas_x"))[0] == 404
    assert (await rig.ask("POST", "/api/v1/oauth/sessions/oas_x/poll"))[0] == 404
