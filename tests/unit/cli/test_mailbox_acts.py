"""`mailwatch mailbox disconnect|reconnect|hold|release|remove`: what people do to mailboxes, from the shell."""

from fakes.web import refused
from mailwatch.cli.opening import WallClock
from mailwatch.core.lifecycle import State


def test_disconnect_reconnect_hold_and_release(installed):
    installed.fill(2)
    address = "user0@example.org"
    installed.well("mailbox", "disconnect", address)
    assert installed.state(address) == State.INACTIVE
    installed.well("mailbox", "reconnect", address)
    assert installed.state(address) == State.RECONNECTING
    installed.well("mailbox", "hold", address, "--reason", "warmup_pause", "--for-seconds", "60")
    shown = installed.json("mailbox", "show", address)
    assert (shown["state"], shown["hold_reason"], shown["due_at"]) == ("held", "warmup_pause", shown["hold_until_at"])
    installed.well("mailbox", "release", address)
    assert installed.state(address) == State.RECONNECTING


def test_one_that_cannot_be_done_stops_none_of_the_others(installed):
    installed.fill(2)
    installed.well("mailbox", "disconnect", "user0@example.org")
    again = installed.run("mailbox", "disconnect", "user0@example.org", "user1@example.org")
    assert again.exit_code == 2
    assert "user0@example.org: disconnect is not possible while the mailbox is inactive" in again.stderr
    assert installed.state("user1@example.org") == "inactive"


def test_with_one_that_is_not_there_nothing_is_done_and_all_such_are_told(installed):
    installed.fill(2)
    said = installed.run(
        "mailbox", "disconnect", "user0@example.org", "nobody@example.org", "user1@example.org", "typo@example.org"
    )
    assert said.exit_code == 2
    assert "nobody@example.org" in said.stderr
    assert "typo@example.org" in said.stderr
    assert [installed.state(f"user{number}@example.org") for number in (0, 1)] == ["pending", "pending"]


def test_a_probe_that_moves_nothing_says_that_it_is_due_and_one_that_is_not_possible_what_to_do_first(installed):
    installed.fill(1)
    asked = installed.run("mailbox", "probe", "mb_0000")
    assert (asked.exit_code, asked.stderr) == (0, "user0@example.org: is due now, and pending until it was looked at\n")
    installed.well("mailbox", "disconnect", "mb_0000")
    refused = installed.run("mailbox", "probe", "mb_0000")
    assert refused.exit_code == 2
    assert "probe is not possible while the mailbox is inactive; reconnect it first" in refused.stderr


def test_a_hold_that_ended_before_it_began_is_refused(installed):
    installed.fill(1)
    said = installed.run("mailbox", "hold", "mb_0000", "--reason", "warmup_pause", "--until", "2020-01-01")
    assert said.exit_code == 2
    assert "would have ended already" in said.stderr
    assert installed.run("mailbox", "hold", "mb_0000", "--reason", "tired").exit_code == 2


def test_removal_needs_the_address_typed(installed):
    installed.fill(1)
    assert installed.run("mailbox", "remove", "mb_0000").exit_code == 2
    assert installed.run("mailbox", "remove", "mb_0000", "--yes", "mb_0000").exit_code == 2
    assert installed.addresses() == ["user0@example.org"]
    installed.well("mailbox", "remove", "mb_0000", "--yes", "User0@example.org")
    assert installed.addresses() == []


def test_a_probe_is_asked_for_and_the_audit_log_names_who_did_what(installed):
    installed.fill(1)
    installed.well("mailbox", "probe", "mb_0000")
    installed.well("mailbox", "disconnect", "mb_0000")

    async def audit(store):
        return [(row.actor.partition(":")[0], row.action, row.origin) for row in await store.pages.audit(None, 2)]

    assert installed.with_store(audit) == [("cli", "mailbox.disconnect", "cli"), ("cli", "mailbox.probe", "cli")]


def test_an_act_whose_look_waits_for_its_host_says_until_when_and_so_does_show(installed):
    installed.fill(1)
    installed.with_store(lambda store: refused(store, WallClock().now(), 3))
    for act in (["reconnect"], ["probe"], ["set-secret", "--secret-stdin"]):
        said = installed.run("mailbox", act[0], "mb_0000", *act[1:], given="another\n")
        assert "; but imap.example.org refused 3 logins within 10 min" in said.output
    assert "  waits      imap.example.org refused 3 logins" in installed.well("mailbox", "show", "mb_0000")
    shown = installed.json("mailbox", "show", "mb_0000")
    assert shown["waits_for"].startswith("imap.example.org refused 3 logins")
    assert shown["waits_until_at"] > shown["due_at"]


def test_an_act_whose_look_waits_for_nobody_says_nothing_of_it(installed):
    installed.fill(1)
    assert "; but" not in installed.run("mailbox", "reconnect", "mb_0000").output
    assert (installed.json("mailbox", "show", "mb_0000")["waits_until_at"]) is None
