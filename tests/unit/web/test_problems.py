"""Every refusal is a problem of RFC 9457, whoever refuses."""

import re

import pytest

from builders import NOW
from fakes.web import BY
from mailwatch.core.lifecycle import IllegalMoveError, State, Trigger
from mailwatch.core.roster import RosterFault
from mailwatch.desk.acts import HoldError
from mailwatch.desk.newcomers import RosterError
from mailwatch.ports import KeyRetiredError, MailboxExistsError, MailwatchError, StoreUnavailableError
from mailwatch.ports.campaigns import CampaignNotFoundError, StaleError
from mailwatch.ports.incidents import IncidentNotFoundError, IncidentOverError
from mailwatch.ports.people import AccountError, Role
from mailwatch.web.problems import CODES, Problem, from_error


def is_problem(headers, problem, path):
    assert headers["Content-Type"] == "application/problem+json"
    assert set(problem) >= {"type", "title", "status", "detail", "code", "instance"}
    assert problem["type"] == f"/problems/{problem['code']}"
    assert (problem["status"], problem["title"]) == CODES[problem["code"]]
    assert problem["instance"] == path


@pytest.mark.parametrize(
    ("method", "path", "given", "status", "code"),
    [
        ("GET", "/api/v1/nothing", None, 404, "not_found"),
        ("GET", "/api/v1/mailboxes/mb_none", None, 404, "not_found"),
        ("GET", "/api/v1/campaigns/none", None, 404, "not_found"),
        ("PUT", "/api/v1/mailboxes", None, 405, "method_not_allowed"),
        ("POST", "/api/v1/mailboxes/mb_0000/release", None, 409, "illegal_move"),
        ("POST", "/api/v1/tokens", {"name": "x"}, 422, "invalid"),
        ("GET", "/api/v1/mailboxes?limit=501", None, 422, "invalid"),
        ("GET", "/api/v1/mailboxes?cursor=x", None, 400, "bad_cursor"),
    ],
)
async def test_refusals_of_every_kind_have_one_form(rig, method, path, given, status, code):
    await rig.fill(1)
    found, headers, problem = await rig.ask(method, path, given)
    assert (found, problem["code"]) == (status, code)
    is_problem(headers, problem, path.partition("?")[0])


async def test_an_illegal_move_names_the_state_and_what_was_asked(rig):
    await rig.fill(1)
    problem = (await rig.ask("POST", "/api/v1/mailboxes/mb_0000/release"))[2]
    assert (problem["state"], problem["trigger"]) == ("pending", "release")


async def test_a_405_lists_what_the_resource_knows(rig):
    assert (await rig.ask("PUT", "/api/v1/mailboxes"))[1]["Allow"] == "GET, POST"
    assert (await rig.ask("POST", "/api/v1/mailboxes/mb_1"))[1]["Allow"] == "DELETE, GET"


async def test_a_fault_in_a_body_names_its_place_and_never_what_was_given(rig):
    given = {"name": "x y", "role": "king", "password": ["hunter2"], "extra": "hunter2"}
    status, _, problem = await rig.ask("POST", "/api/v1/users", given)
    assert status == 422
    assert {(error["in"], error["field"]) for error in problem["errors"]} >= {
        ("body", "name"),
        ("body", "role"),
        ("body", "password"),
        ("body", "extra"),
    }
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a": NaN', b"[" * 100_000])
async def test_what_is_no_json_is_told(rig, body):
    headers = {**rig.bearer(), "Content-Type": "application/json"}
    async with rig.client.post("/api/v1/tokens", data=body, headers=headers) as answer:
        assert answer.status in (400, 422)
        assert (await answer.json(content_type=None))["code"] in ("malformed", "invalid")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (IllegalMoveError(State.HELD, Trigger.RECONNECT), "illegal_move"),
        (MailboxExistsError("x"), "exists"),
        (CampaignNotFoundError("x"), "not_found"),
        (StaleError("x"), "stale"),
        (IncidentNotFoundError("x"), "not_found"),
        (IncidentOverError("inc_1", NOW), "over"),
        (HoldError("x"), "unfit"),
        (AccountError("x"), "account"),
        (StoreUnavailableError("x"), "unavailable"),
        (KeyRetiredError("x"), "unavailable"),
        (RosterError([RosterFault(3, "imap", "bad", "better")]), "unfit"),
        (Problem("gone"), "gone"),
    ],
)
def test_the_programs_own_faults_have_their_codes(error, code):
    assert from_error(error).code == code


def test_a_bug_has_none():
    assert from_error(ValueError()) is None
    assert from_error(MailwatchError()) is None


async def test_what_is_wrong_with_new_mailboxes_is_told_by_row(rig):
    given = {"mailboxes": [{"address": "a@gmail.com", "secret": "s"}, {"address": "nobody", "secret": "s"}]}
    status, _, problem = await rig.ask("POST", "/api/v1/mailboxes:import", given)
    assert (status, problem["errors"][0]["field"]) == (422, "1.address")


def test_every_code_is_told_in_the_documentation(repository):
    told = set(re.findall(r"^\| `(\w+)` \| \d+ \|", (repository / "docs/api.md").read_text(), re.MULTILINE))
    assert told == set(CODES)


async def test_an_account_that_cannot_be_is_409(rig):
    await rig.surface.accounts.add_user("ada", None, Role.READ, BY)
    assert (await rig.ask("POST", "/api/v1/users", {"name": "ada", "role": "read"}))[0] == 409
