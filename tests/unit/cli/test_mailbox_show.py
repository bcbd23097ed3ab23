"""`mailwatch mailbox list|show|history`: what there is, in pages."""


def test_lists_are_narrowed_and_paged(installed):
    installed.fill(5)
    installed.well("mailbox", "disconnect", "user3@example.org")
    assert [one["id"] for one in installed.json("mailbox", "list", "--state", "inactive")["mailboxes"]] == ["mb_0003"]
    first = installed.json("mailbox", "list", "--limit", "3")
    assert first["next"] == "mb_0002"
    assert [one["id"] for one in installed.json("mailbox", "list", "--after", first["next"])["mailboxes"]] == ["mb_0003", "mb_0004"]
    table = installed.well("mailbox", "list", "--text", "USER3")
    assert "user3@example.org" in table
    assert "user2@example.org" not in table


def test_a_short_history_says_that_there_is_more(installed):
    installed.fill(1)
    for verb in ("disconnect", "reconnect", "disconnect"):
        installed.well("mailbox", verb, "mb_0000")
    assert "… 2 earlier changes" in installed.well("mailbox", "history", "mb_0000", "--limit", "1")


def test_a_mailbox_that_is_not_there_is_told(installed):
    for verb in ("show", "history"):
        said = installed.run("mailbox", verb, "nobody@example.org")
        assert said.exit_code == 2
        assert "mailwatch mailbox list" in said.stderr


def test_reading_verbs_need_no_key_ring(installed):
    installed.fill(1)
    installed.ring.unlink()
    for verb in (("list",), ("show", "mb_0000"), ("history", "mb_0000"), ("export",), ("disconnect", "mb_0000")):
        installed.well("mailbox", *verb)
    said = installed.run("mailbox", "add", "a@gmail.com", "--secret-stdin", given="x\n")
    assert said.exit_code == 78
    assert "no such file" in said.stderr


def test_lists_are_narrowed_by_cause_label_and_campaign_as_the_page_is(installed, tmp_path):
    roster = tmp_path / "all.csv"
    roster.write_text(
        "address,secret,campaigns,labels\na@gmail.com,x,spring,team=north;owner=ann\nb@gmail.com,x,spring,team=south\n"
        "c@gmail.com,x,,team=north\n"
    )
    assert "3 mailboxes were added" in installed.run("mailbox", "import", roster).stderr
    installed.well("mailbox", "disconnect", "c@gmail.com")

    def listed(*options):
        return {mailbox["address"][0] for mailbox in installed.json("mailbox", "list", *options)["mailboxes"]}

    assert listed("--label", "team=north") == {"a", "c"}
    assert listed("--label", "team=north", "--label", "owner=ann") == {"a"}
    assert listed("--campaign", "spring") == {"a", "b"}
    assert listed("--cause", "operator_disconnect") == {"c"}
    assert listed("--campaign", "spring", "--label", "team=south", "--text", "B@") == {"b"}
    first = installed.json("mailbox", "list", "--campaign", "spring", "--limit", "1")
    assert len(first["mailboxes"]) == 1
    second = installed.json("mailbox", "list", "--campaign", "spring", "--after", first["next"])
    assert {each["address"][0] for each in (*first["mailboxes"], *second["mailboxes"])} == {"a", "b"}
    said = installed.run("mailbox", "list", "--label", "north")
    assert (said.exit_code, "KEY=VALUE is needed" in said.stderr) == (2, True)


def test_one_mailbox_that_is_added_is_one(installed, tmp_path):
    (tmp_path / "one.csv").write_text("address,secret\na@gmail.com,x\n")
    assert installed.run("mailbox", "import", tmp_path / "one.csv").stderr == "1 mailbox was added\n"
