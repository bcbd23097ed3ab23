"""Coming in and going out, as a browser without scripts does it."""

import pytest

from mailwatch.core.secret import Secret
from mailwatch.ports import Act
from mailwatch.ports.people import Role

BY = Act("cli:test", "user.add")
PASSWORD = "a long enough password"


async def post(rig, path, headers=None, **fields):
    async with rig.client.post(
        path, data=fields, headers={"Sec-Fetch-Site": "same-origin"} | (headers or {}), allow_redirects=False
    ) as answer:
        return answer.status, answer.headers, await answer.text()


async def user(rig):
    await rig.surface.accounts.add_user("ada", Secret(PASSWORD), Role.ADMIN, BY)


async def test_without_users_nobody_signs_in_and_the_way_is_told(rig):
    _, _, text = await rig.ask("GET", "/sign-in", role=None)
    assert "mailwatch user setup-link" in text
    assert "<form" not in text


async def test_the_setup_link_makes_one_administrator_once(rig):
    key = await rig.surface.accounts.setup_link()
    assert (await rig.ask("GET", f"/setup?key={key}", role=None))[0] == 200
    status, _, text = await post(rig, "/setup", key=key, name="ada", password=PASSWORD, again="another password")
    assert (status, "The two passwords differ." in text) == (422, True)
    assert PASSWORD not in text
    status, headers, _ = await post(rig, "/setup", key=key, name="ada", password=PASSWORD, again=PASSWORD)
    assert (status, headers["Location"]) == (303, "/")
    assert (await rig.ask("GET", "/settings", role=None))[0] == 200
    assert (await post(rig, "/setup", key=key, name="eve", password=PASSWORD, again=PASSWORD))[0] == 422
    assert (await rig.ask("GET", f"/setup?key={key}", role=None))[0] == 410


async def test_a_wrong_password_says_nothing_of_whether_the_name_exists(rig):
    await user(rig)
    answers = [await post(rig, "/sign-in", name=name, password="wrong") for name in ("ada", "nobody")]
    assert [status for status, _, _ in answers] == [403, 403]
    assert answers[0][2].replace("ada", "nobody") == answers[1][2]


async def test_signing_in_leads_to_where_one_wanted_to_go_and_nowhere_else(rig):
    await user(rig)
    for wanted, given in (("/audit?mailbox=mb_1", "/audit?mailbox=mb_1"), ("//evil.example", "/"), ("https://evil.example", "/")):
        status, headers, _ = await post(rig, "/sign-in", name="ada", password=PASSWORD, next=wanted)
        assert (status, headers["Location"]) == (303, given)


async def test_many_attempts_must_wait(rig):
    await user(rig)
    for _ in range(12):
        status, headers, text = await post(rig, "/sign-in", name="ada", password="wrong")
        if status == 429:
            break
    assert status == 429
    assert int(headers["Retry-After"]) >= 1
    assert "Too many attempts" in text


async def test_signing_out_ends_the_session_itself(rig):
    await user(rig)
    await post(rig, "/sign-in", name="ada", password=PASSWORD)
    cookie = {one.key: one.value for one in rig.client.cookie_jar}
    status, headers, _ = await post(rig, "/sign-out")
    assert (status, headers["Location"]) == (303, "/sign-in?bye=1")
    rig.client.cookie_jar.update_cookies(cookie)
    assert (await rig.ask("GET", "/mailboxes", role=None))[0] == 303


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/setup"])
async def test_another_site_cannot_post_a_form(rig, path):
    status, _, _ = await post(rig, path, {"Sec-Fetch-Site": "cross-site"}, name="ada", password=PASSWORD)
    assert status == 403


async def test_a_huge_form_of_many_fields_is_refused_not_worked_through(rig):
    await user(rig)
    status, _, _ = await post(rig, "/sign-in", **{f"field{number}": "x" for number in range(100)})
    assert status == 400
