"""`mailwatch token create|list|revoke`: a token's text is printed once, on standard output alone."""

import json


def test_a_token_is_made_listed_and_revoked(installed):
    said = installed.run("token", "create", "sender", "--role", "act", "--days", "30")
    assert said.exit_code == 0, said.output
    text = said.stdout.strip()
    assert text.startswith("mwt_")
    assert "sender" in said.stderr
    assert text not in said.stderr
    (token,) = installed.json("token", "list")["tokens"]
    assert (token["name"], token["role"], token["revoked_at"]) == ("sender", "act", None)
    assert text not in installed.well("token", "list")

    async def known(store):
        from mailwatch.desk.passwords import hashed

        return await store.people.token(hashed(text), store._clock.now())

    assert installed.with_store(known).name == "sender"
    installed.well("token", "revoke", "sender")
    assert installed.with_store(known) is None
    assert "revoked" in installed.well("token", "list")


def test_a_token_as_json_has_its_text(installed):
    made = json.loads(installed.well("token", "create", "scraper", "--json"))
    assert (made["role"], made["expires_at"], made["token"][:4]) == ("read", None, "mwt_")


def test_what_cannot_be_is_wrong_usage(installed):
    installed.well("token", "create", "sender")
    for words in (("create", "sender"), ("create", "a b"), ("create", "x", "--days", "0"), ("revoke", "none")):
        assert installed.run("token", *words).exit_code == 2


def test_where_there_is_none_the_list_says_so(installed):
    said = installed.run("token", "list")
    assert (said.exit_code, said.stdout, said.stderr.startswith("none; ")) == (0, "", True)
