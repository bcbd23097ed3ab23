"""`mailwatch user …`: people are added with a password or a link; the first one by the set-up link."""

PASSWORD = "a long enough password"


def test_the_set_up_link_leads_to_the_page(installed):
    url = installed.well("user", "setup-link").strip()
    assert url.startswith("http://127.0.0.1:9725/setup?key=")
    installed.config.write_text(installed.config.read_text() + '[web]\nexternal_url = "https://watch.example.org"\n')
    assert installed.well("user", "setup-link").startswith("https://watch.example.org/setup?key=")


def test_a_user_is_added_with_a_password_from_standard_input(installed):
    said = installed.run("user", "add", "ada", "--role", "admin", "--password-stdin", given=f"{PASSWORD}\n")
    assert said.exit_code == 0, said.output
    assert PASSWORD not in said.output
    assert [(user["name"], user["role"]) for user in installed.json("user", "list")["users"]] == [("ada", "admin")]
    assert "ada  admin" in installed.well("user", "list")
    assert installed.run("user", "setup-link").exit_code == 2, "there is a user already"

    async def signs_in(store):
        from mailwatch.core.secret import Secret
        from mailwatch.desk.accounts import Accounts

        return (await Accounts(store.people, store._clock).sign_in("ada", Secret(PASSWORD)))[1].user

    assert installed.with_store(signs_in) == "ada"


def test_a_user_is_added_with_a_link_and_gets_a_password_later(installed):
    url = installed.well("user", "add", "bob", "--link").strip()
    assert "/sign-in?key=" in url
    assert "/sign-in?key=" in installed.well("user", "sign-in-link", "bob")
    installed.well("user", "set-password", "bob", "--password-stdin", given=f"{PASSWORD}\n")
    installed.well("user", "add", "ada", "--role", "admin", "--link")
    installed.well("user", "remove", "bob")
    assert [user["name"] for user in installed.json("user", "list")["users"]] == ["ada"]


def test_what_cannot_be_is_wrong_usage(installed):
    installed.well("user", "add", "ada", "--role", "admin", "--link")
    for words in (
        ("add", "ada", "--link"),
        ("remove", "ada"),
        ("remove", "eve"),
        ("sign-in-link", "eve"),
        ("add", "a b", "--link"),
    ):
        assert installed.run("user", *words).exit_code == 2
    said = installed.run("user", "add", "bob", "--password-stdin", given="short\n")
    assert (said.exit_code, "12 to 256 characters" in said.stderr) == (2, True)


def test_where_there_is_none_the_list_says_so(installed):
    said = installed.run("user", "list")
    assert (said.exit_code, said.stdout, said.stderr.startswith("none; ")) == (0, "", True)
