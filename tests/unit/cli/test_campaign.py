"""`mailwatch campaign …` on a database of its own: what people do to campaigns, and what they are shown."""

import json

from mailwatch.ports import Act


def test_a_campaign_is_added_linked_and_shown(installed):
    installed.fill(3)
    installed.well("campaign", "add", "autumn", "--name", "Autumn", "--sender", "crm/7", "--mailbox", "user0@example.org")
    installed.well("campaign", "link", "autumn", "user1@example.org")
    document = installed.json("campaign", "show", "autumn")
    assert (document["name"], document["sender"], document["state"]) == ("Autumn", "crm/7", "active")
    assert len(document["mailboxes"]) == 2
    assert "Autumn (autumn)" in installed.well("campaign", "show", "autumn")
    installed.well("campaign", "unlink", "autumn", "user0@example.org", "user1@example.org")
    assert installed.json("campaign", "show", "autumn")["mailboxes"] == []


def test_a_person_pauses_and_resumes(installed):
    installed.well("campaign", "add", "autumn")
    told = installed.run("campaign", "pause", "autumn", "--reason", "wrong price")
    assert "autumn: paused" in told.output
    pause = installed.json("campaign", "show", "autumn")["pauses"][0]
    assert (pause["origin"], pause["reason"], pause["mailbox"], pause["in_force"]) == ("person", "wrong price", None, True)
    assert pause["actor"].startswith("cli:")
    assert "autumn: active" in installed.run("campaign", "resume", "autumn").output


def test_a_disconnected_mailbox_pauses_its_campaigns_and_is_named(installed):
    installed.fill(2)
    installed.well("campaign", "add", "autumn", "--mailbox", "user0@example.org")
    installed.well("mailbox", "disconnect", "user0@example.org")
    shown = installed.well("campaign", "show", "autumn")
    assert "an operator's disconnect" in shown
    assert [row["id"] for row in installed.json("campaign", "list", "--state", "paused")["campaigns"]] == ["autumn"]
    told = installed.run("campaign", "resume", "autumn")
    assert "autumn: paused; waits for mb_" in told.output


def test_a_campaign_linked_to_a_mailbox_that_is_away_is_paused_at_once(installed):
    installed.fill(1)
    installed.well("mailbox", "disconnect", "user0@example.org")
    installed.well("campaign", "add", "autumn")
    assert "autumn: paused" in installed.run("campaign", "link", "autumn", "user0@example.org").output


def test_the_policy_of_the_configuration_holds_for_what_people_do(installed):
    installed.config.write_text(installed.config.read_text() + '[campaigns]\nmode = "observe"\n')
    installed.fill(1)
    installed.well("campaign", "add", "autumn", "--mailbox", "user0@example.org")
    installed.well("mailbox", "disconnect", "user0@example.org")
    assert installed.json("campaign", "show", "autumn")["state"] == "active"
    held = installed.json("campaign", "brake")["held_back"]
    assert [(pause["campaign"], pause["in_force"]) for pause in held] == [("autumn", False)]
    assert "not in force" in installed.well("campaign", "brake")
    assert "--release --expected 1" in installed.run("campaign", "brake").output
    assert (
        "pauses of 1 campaigns are held back now, not 2"
        in installed.run("campaign", "brake", "--release", "--expected", "2").output
    )
    assert "--expected goes with --release" in installed.run("campaign", "brake", "--expected", "1").output
    assert installed.json("campaign", "show", "autumn")["state"] == "active"
    assert "1 campaign paused" in installed.run("campaign", "brake", "--release", "--expected", "1").output
    assert installed.json("campaign", "show", "autumn")["state"] == "paused"
    assert "nothing is held back" in installed.well("campaign", "brake")


def test_lists_are_filtered_and_paged(installed):
    installed.fill(1)
    for name in ("autumn", "spring", "winter"):
        installed.well("campaign", "add", name)
    installed.well("campaign", "link", "spring", "user0@example.org")
    first = installed.json("campaign", "list", "--limit", "2")
    assert ([row["id"] for row in first["campaigns"]], first["next"]) == (["autumn", "spring"], "spring")
    assert [row["id"] for row in installed.json("campaign", "list", "--after", "spring")["campaigns"]] == ["winter"]
    assert [row["id"] for row in installed.json("campaign", "list", "--mailbox", "user0@example.org")["campaigns"]] == ["spring"]
    assert [row["id"] for row in installed.json("campaign", "list", "--text", "INT")["campaigns"]] == ["winter"]
    assert "ID" in installed.well("campaign", "list").splitlines()[0]


def test_spans_are_exported_as_json_lines(installed):
    installed.well("campaign", "add", "autumn")
    for reason in ("one", "two"):
        installed.well("campaign", "pause", "autumn", "--reason", reason)
        installed.well("campaign", "resume", "autumn")
    installed.well("campaign", "pause", "autumn", "--reason", "three")
    spans = [json.loads(line) for line in installed.well("campaign", "spans", "autumn").splitlines()]
    assert [(span["reasons"], span["until_at"] is None) for span in spans] == [
        (["one"], False),
        (["two"], False),
        (["three"], True),
    ]
    entries = [json.loads(line) for line in installed.well("campaign", "spans", "autumn", "--entries").splitlines()]
    assert [entry["reason"] for entry in entries] == ["one", "two", "three"]
    assert installed.well("campaign", "spans", "autumn", "--until", "2001-01-01") == ""


def test_what_cannot_be_done_ends_as_wrong_usage_with_the_cure(installed):
    installed.well("campaign", "add", "autumn")
    for arguments, words in (
        (("add", "autumn"), "already"),
        (("show", "nothing"), "campaign list"),
        (("link", "autumn", "nobody@example.org"), "nobody@example.org"),
        (("pause", "autumn", "--reason", " "), "say why"),
        (("spans", "autumn", "--since", "2026-02-01", "--until", "2026-01-01"), "not after"),
    ):
        result = installed.run("campaign", *arguments)
        assert (result.exit_code, words in result.output) == (2, True), result.output


def test_one_that_is_finished_is_neither_paused_nor_resumed(installed):
    installed.well("campaign", "add", "autumn")
    installed.with_store(lambda store: store.campaigns.amend("autumn", Act("api", "test"), finished=True))
    for verb, options in (("pause", ("--reason", "wrong price")), ("resume", ())):
        said = installed.run("campaign", verb, "autumn", *options)
        assert said.exit_code == 2
        assert f"the campaign 'autumn' is finished; there is nothing to {verb}" in said.stderr


def test_an_id_that_the_api_could_not_name_is_refused_with_its_cure(installed):
    said = installed.run("campaign", "add", "spring/2026")
    assert said.exit_code == 2
    assert "'spring/2026' cannot be the id of a campaign; write it without /" in said.stderr
    said = installed.run("mailbox", "add", "a@gmail.com", "--campaign", "a/b", "--secret-stdin", given="x")
    assert said.exit_code == 2
    assert "campaigns: 'a/b' cannot be the id of a campaign; write it without /" in said.stderr
    assert installed.addresses() == []
