"""`mailwatch mailbox disconnect|reconnect|hold|release|remove`: what people do to mailboxes, from the shell."""

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
    said = installed.run("mailbox", "disconnect", "nobody@example.org", "user0@example.org", "user1@example.org")
    assert said.exit_code == 2
    assert "nobody@example.org: no mailbox" in said.stderr
    assert [installed.state(f"user{number}@example.org") for number in (0, 1)] == ["inactive", "inactive"]
    again = installed.run("mailbox", "disconnect", "user0@example.org")
    assert again.exit_code == 2
    assert "disconnect is not possible while the mailbox is inactive" in again.stderr


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
