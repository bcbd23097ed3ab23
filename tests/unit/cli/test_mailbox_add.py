"""`mailwatch mailbox add|import|export|set-secret`: in whole or not at all, and no secret where others can see it."""

import json

import pytest

from contract.fleet import SetClock, later, moved, refused
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger


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
    assert sorted(installed.addresses()) == ["a@gmail.com", "b@gmail.com"]


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
    assert installed.addresses() == ["user0@example.org"]


def test_a_dry_run_adds_nothing(installed, tmp_path):
    (tmp_path / "all.csv").write_text("address,secret\na@gmail.com,x\n")
    said = installed.run("mailbox", "import", tmp_path / "all.csv", "--dry-run")
    assert (said.exit_code, said.stderr) == (0, "1 mailbox could be added\n")
    assert installed.addresses() == []


def test_an_import_reads_standard_input_when_told_the_form(installed):
    assert installed.run("mailbox", "import", "-", given="address,secret\na@gmail.com,x\n").exit_code == 2
    installed.well("mailbox", "import", "-", "--format", "csv", given="address,secret\na@gmail.com,x\n")
    assert installed.addresses() == ["a@gmail.com"]


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


def test_no_secret_is_asked_for_a_mailbox_that_is_not_there(installed):
    said = installed.run("mailbox", "set-secret", "nobody@example.org")  # there is no terminal to ask at
    assert said.exit_code == 2
    assert "nobody@example.org" in said.stderr
    assert "no terminal" not in said.stderr


def test_a_new_secret_starts_a_new_generation(installed):
    installed.fill(1)
    said = installed.run("mailbox", "set-secret", "user0@example.org", "--secret-stdin", given="new one\n")
    assert said.exit_code == 0
    assert "new one" not in said.output

    async def credential(store):
        (claim,) = await store.claim_due(store._clock.now(), 1, 1)
        return claim.credential.generation, claim.credential.password().reveal()

    assert installed.with_store(credential) == (2, "new one")


def test_the_password_that_was_refused_is_not_stored_as_a_new_one(installed):
    async def work(store):
        for _ in range(2):
            (claim,) = await store.claim_due(later(), 1, 60)
            await store.record(claim, refused(claim))
        (claim,) = await store.claim_due(later(), 1, 60)
        await store.record(claim, moved(claim, State.BLOCKED, Trigger.PERSON_NEEDED, cause=Cause.INVALID_CREDENTIALS))

    installed.fill(1)
    installed.with_store(work, SetClock(later()))
    said = installed.run("mailbox", "set-secret", "user0@example.org", "--secret-stdin", given="password-0\n")
    assert said.exit_code == 0
    assert "stored already and was refused" in said.output
    assert "mailwatch mailbox reconnect user0@example.org" in said.output


def test_an_oauth_mailbox_is_added_without_a_secret_and_says_how_to_sign_in(installed):
    said = installed.run("mailbox", "add", "anna@gmail.com", "--oauth-app", "outreach")
    assert said.exit_code == 0
    assert "mailwatch oauth login anna@gmail.com" in said.stderr
    assert installed.addresses() == ["anna@gmail.com"]
    with_token = installed.run("mailbox", "add", "bert@gmail.com", "--oauth-app", "outreach", "--secret-stdin", given="refresh\n")
    assert (with_token.exit_code, with_token.stderr) == (0, "")


def test_a_mailbox_of_an_application_that_signs_in_by_itself_needs_nobody(installed):
    more = '[oauth.m365]\nkind = "microsoft"\nclient_id = "x"\ntenant = "contoso.example"\ngrant = "client_credentials"\n'
    installed.config.write_text(f'{installed.config.read_text()}{more}client_secret = {{ env = "NEVER_READ" }}\n')
    said = installed.run("mailbox", "add", "anna@outlook.com", "--oauth-app", "m365")
    assert (said.exit_code, said.stderr) == (0, "")
