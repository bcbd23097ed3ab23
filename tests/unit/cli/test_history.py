"""`mailwatch history export`."""

import json

from contract.fleet import SetClock, later, moved


def lived(installed):
    async def work(store):
        for claim in await store.claim_due(later(), 10, 600):
            number = int(claim.mailbox.id[-4:])
            await store.record(claim, moved(claim, at=later(number)))

    installed.fill(3)
    installed.with_store(work, SetClock(later()))


def exported(installed, *arguments):
    return [json.loads(line) for line in installed.well("history", "export", *arguments).splitlines()]


def test_each_transition_is_one_line_of_the_documented_form(installed):
    lived(installed)
    assert exported(installed)[0] == {
        "at": "2026-11-22T12:00:00Z",
        "mailbox": "mb_0000",
        "provider": "other",
        "domain": "example.org",
        "auth": "password",
        "oauth_app": None,
        "endpoint": "imap.example.org",
        "kind": "transition",
        "from": "pending",
        "to": "suspect",
        "trigger": "probe_failed",
        "cause": "invalid_credentials",
        "credential_age_seconds": 300,
    }


def test_since_and_until_cut_a_piece_out(installed):
    lived(installed)
    piece = exported(installed, "--since", later(1).isoformat(), "--until", later(2).isoformat())
    assert [line["mailbox"] for line in piece] == ["mb_0001"]
    assert exported(installed, "--until", "2026-11-22") == []


def test_neither_address_nor_user_name_is_exported(installed):
    lived(installed)
    assert "user0" not in installed.well("history", "export")


def test_a_moment_that_is_none_is_told(installed):
    said = installed.run("history", "export", "--since", "yesterday")
    assert said.exit_code == 2
    assert "--since 'yesterday'" in said.stderr
