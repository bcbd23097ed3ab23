"""`mailwatch mailbox …`: what people do to mailboxes, from the shell."""

import json

import pytest

from contract.fleet import SetClock, later, moved
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger


def addresses(installed):
    return [mailbox["address"] for mailbox in installed.json("mailbox", "list")["mailboxes"]]


def state(installed, address):
    return installed.json("mailbox", "show", address)["state"]


def test_a_mailbox_is_added_with_its_secret_from_standard_input(installed):
    said = installed.well(
        "mailbox", "add", "ann@gmail.com", "--secret-stdin", "--label", "a=b", "--campaign", "spring", given="pässword\n"
    )
    assert said.startswith("mb_")
    shown = installed.json("mailbox", "show", "ANN@gmail.com")
    assert (shown["provider"], shown["imap"], shown["state"]) == ("google", "imaps://imap.gmail.com:993", "pending")
    assert (shown["labels"], shown["campaigns"]) == ({"a": "b"}, ["spring"])

    async def password(store):
        (claim,) = await store.claim_due(store._clock.now(), 1, 1)
        return claim.credential.password().reveal()

    assert installed.with_store(password) == "pässword"


def test_a_secret_comes_from_a_file_too_and_never_from_an_argument(installed, tmp_path):
    (tmp_path / "secret").write_text("from a file\n")
    installed.well("mailbox", "add", "ann@gmail.com", "--secret-file", tmp_path / "secret")
    said = installed.run("mailbox", "add", "bob@gmail.com")
    assert said.exit_code == 2
    assert "--secret-stdin or --secret-file" in said.stderr


@pytest.mark.parametrize("given", ["", "\n", "two\nlines\n", "nul\0\n"])
def test_a_secret_is_one_line(installed, given):
    said = installed.run("mailbox", "add", "ann@gmail.com", "--secret-stdin", given=given)
    assert said.exit_code == 2
    assert "a secret is one line" in said.stderr
    assert "lines" not in said.stderr.replace("one line,", "")


def test_what_is_wrong_with_a_new_mailbox_is_told(installed):
    said = installed.run("mailbox", "add", "nobody", "--imap", "imap://x.example", "--secret-stdin", given="x\n")
    assert said.exit_code == 2
    assert "'nobody' is no e-mail address" in said.stderr
    assert "would send the secret in clear" in said.stderr


def test_an_import_adds_all_rows(installed, tmp_path):
    (tmp_path / "b.txt").write_text("secret of b\n")
    (tmp_path / "all.csv").write_text("\ufeffaddress,secret,secret_file\r\na@gmail.com,x,\r\nb@gmail.com,,b.txt\r\n")
    said = installed.run("mailbox", "import", tmp_path / "all.csv")
    assert (said.exit_code, said.stderr) == (0, "2 mailboxes were added\n")
    assert sorted(addresses(installed)) == ["a@gmail.com", "b@gmail.com"]


def test_an_import_with_one_fault_adds_nothing_and_tells_all(installed, tmp_path):
    installed.fill(1)
    rows = [
        {"address": "a@gmail.com", "secret": "hunter2"},
        {"address": "user0@example.org", "imap": "imaps://i.example.org", "secret": "hunter2"},
        {"address": "c@gmail.com", "secret_file": "nowhere"},
        {"address": "d@gmail.com"},
    ]
    (tmp_path / "all.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    said = installed.run("mailbox", "import", tmp_path / "all.jsonl")
    assert said.exit_code == 2
    lines = said.stderr.splitlines()
    assert lines[0] == "line 2, address: user0@example.org is there already; leave the row out"
    assert lines[1].startswith("line 3, secret_file: ")
    assert lines[2].startswith("line 4, secret: no secret")
    assert lines[3] == "mailwatch: 3 faults; nothing was added"
    assert "hunter2" not in said.output
    assert addresses(installed) == ["user0@example.org"]


def test_a_dry_run_adds_nothing(installed, tmp_path):
    (tmp_path / "all.csv").write_text("address,secret\na@gmail.com,x\n")
    said = installed.run("mailbox", "import", tmp_path / "all.csv", "--dry-run")
    assert (said.exit_code, said.stderr) == (0, "1 mailboxes could be added\n")
    assert addresses(installed) == []


def test_an_import_reads_standard_input_when_told_the_form(installed):
    assert installed.run("mailbox", "import", "-", given="address,secret\na@gmail.com,x\n").exit_code == 2
    installed.well("mailbox", "import", "-", "--format", "csv", given="address,secret\na@gmail.com,x\n")
    assert addresses(installed) == ["a@gmail.com"]


def test_first_looks_after_an_import_are_spread(installed, tmp_path):
    rows = "".join(f"user{number}@gmail.com,x\n" for number in range(50))
    (tmp_path / "all.csv").write_text(f"address,secret\n{rows}")
    installed.well("mailbox", "import", tmp_path / "all.csv")
    due = sorted({mailbox["due_at"] for mailbox in installed.json("mailbox", "list")["mailboxes"]})
    assert len(due) == 50


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_holds_no_secret_and_can_be_read_again(installed, tmp_path, form):
    installed.fill(2)
    text = installed.well("mailbox", "export", "--format", form)
    assert "password-" not in text
    assert "user1@example.org" in text
    (tmp_path / f"again.{form}").write_text(text)
    said = installed.run("mailbox", "import", tmp_path / f"again.{form}", "--dry-run")
    assert said.stderr.count("no secret") == 2
    assert said.stderr.count("line ") == 2


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


def test_disconnect_reconnect_hold_and_release(installed):
    installed.fill(2)
    address = "user0@example.org"
    installed.well("mailbox", "disconnect", address)
    assert state(installed, address) == State.INACTIVE
    installed.well("mailbox", "reconnect", address)
    assert state(installed, address) == State.RECONNECTING
    installed.well("mailbox", "hold", address, "--reason", "warmup_pause", "--for-seconds", "60")
    shown = installed.json("mailbox", "show", address)
    assert (shown["state"], shown["hold_reason"], shown["due_at"]) == ("held", "warmup_pause", shown["hold_until_at"])
    installed.well("mailbox", "release", address)
    assert state(installed, address) == State.RECONNECTING


def test_one_that_cannot_be_done_stops_none_of_the_others(installed):
    installed.fill(2)
    said = installed.run("mailbox", "disconnect", "nobody@example.org", "user0@example.org", "user1@example.org")
    assert said.exit_code == 2
    assert "nobody@example.org: no mailbox" in said.stderr
    assert [state(installed, f"user{number}@example.org") for number in (0, 1)] == ["inactive", "inactive"]
    again = installed.run("mailbox", "disconnect", "user0@example.org")
    assert again.exit_code == 2
    assert "disconnect is not possible while the mailbox is inactive" in again.stderr


def test_a_hold_that_ended_before_it_began_is_refused(installed):
    installed.fill(1)
    said = installed.run("mailbox", "hold", "mb_0000", "--reason", "warmup_pause", "--until", "2020-01-01")
    assert said.exit_code == 2
    assert "has passed" in said.stderr
    assert installed.run("mailbox", "hold", "mb_0000", "--reason", "tired").exit_code == 2


def test_a_new_secret_starts_a_new_generation(installed):
    installed.fill(1)
    said = installed.run("mailbox", "set-secret", "user0@example.org", "--secret-stdin", given="new one\n")
    assert said.exit_code == 0
    assert "new one" not in said.output

    async def credential(store):
        (claim,) = await store.claim_due(store._clock.now(), 1, 1)
        return claim.credential.generation, claim.credential.password().reveal()

    assert installed.with_store(credential) == (2, "new one")


def test_removal_needs_the_address_typed(installed):
    installed.fill(1)
    assert installed.run("mailbox", "remove", "mb_0000").exit_code == 2
    assert installed.run("mailbox", "remove", "mb_0000", "--yes", "mb_0000").exit_code == 2
    assert addresses(installed) == ["user0@example.org"]
    installed.well("mailbox", "remove", "mb_0000", "--yes", "User0@example.org")
    assert addresses(installed) == []


def test_a_history_tells_when_what_and_why_in_the_servers_words(installed):
    async def work(store):
        (claim,) = await store.claim_due(later(), 1, 60)
        await store.record(claim, moved(claim))

    installed.fill(1)
    installed.with_store(work, SetClock(later()))
    installed.well("mailbox", "disconnect", "mb_0000")
    story = installed.well("mailbox", "history", "user0@example.org")
    assert "2026-11-22 12:00:00 UTC  pending → suspect" in story
    assert "a probe failed" in story
    assert "cause: invalid_credentials at IMAP auth" in story
    assert "the server said: “NO [AUTHENTICATIONFAILED] Invalid credentials”" in story
    assert "The server refuses the user name or the password." in story
    assert "suspect → inactive" in story
    assert "a person disconnected it, by cli:" in story
    told = installed.json("mailbox", "history", "mb_0000")["history"]
    assert [step["version"] for step in told] == [1, 2]
    assert told[0]["evidence"]["response_code"] == "AUTHENTICATIONFAILED"
    shown = installed.well("mailbox", "show", "mb_0000")
    assert "inactive: disconnected by an operator" in shown


def test_a_blocked_mailbox_is_shown_with_what_to_do(installed):
    async def work(store):
        (claim,) = await store.claim_due(later(), 1, 60)
        blocked = moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, cause=Cause.INVALID_CREDENTIALS)
        await store.record(claim, blocked)

    installed.fill(1)
    installed.with_store(work, SetClock(later()))
    shown = installed.well("mailbox", "show", "mb_0000")
    assert "blocked: needs a person" in shown
    assert "what to do 1. " in shown


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
