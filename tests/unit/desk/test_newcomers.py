"""Newcomers: all or none, every fault at once, first looks spread."""

import pytest

from fakes.web import BY
from mailwatch.config import Settings
from mailwatch.desk.newcomers import RosterError, rules_of
from mailwatch.ports import MailboxExistsError


def row(address="ann@gmail.com", **changes):
    return {"address": address, "secret": "hunter2", **changes}


async def test_rows_become_mailboxes_that_are_looked_at_one_after_the_other(rig):
    newcomers = rig.surface.newcomers
    ids = await newcomers.add(newcomers.judged([row(f"user{number}@gmail.com") for number in range(20)]), BY)
    due = [(await rig.store.find(mailbox_id)).standing.due_at for mailbox_id in ids]
    assert len(set(due)) == 20
    assert (max(due) - rig.clock.now()).total_seconds() < 2
    assert {(await rig.store.find(mailbox_id)).mailbox.provider for mailbox_id in ids} == {"google"}


def test_every_fault_is_told_with_its_row_and_no_secret(rig):
    rows = [row(), row("nobody"), row("ANN@gmail.com"), row("x@unknown.example"), row("y@gmail.com", secret="")]
    with pytest.raises(RosterError) as caught:
        rig.surface.newcomers.judged(rows)
    assert [(fault.line, fault.column) for fault in caught.value.faults] == [
        (1, "address"),
        (2, "address"),
        (3, "imap"),
        (4, "secret"),
    ]
    assert "hunter2" not in str(caught.value)
    assert "3 more faults" in str(caught.value)


async def test_an_address_that_is_there_is_refused(rig):
    newcomers = rig.surface.newcomers
    await newcomers.add(newcomers.judged([row()]), BY)
    with pytest.raises(MailboxExistsError):
        await newcomers.add(newcomers.judged([row("Ann@Gmail.com")]), BY)


def test_a_provider_of_the_configuration_claims_its_hosts_and_domains(rig):
    settings = Settings.model_validate({"providers": {"own": {"hosts": ["*.mail.example.org"], "domains": ["example.net"]}}})
    provider_of = rules_of(settings, rig.clock.now()).provider_of
    assert provider_of("a.example", "x.mail.example.org") == "own"
    assert provider_of("example.net", "imap.gmail.com") == "own"
    assert provider_of("a.example", "mail.example.org") == "other"
    assert not rules_of(settings, rig.clock.now()).allow_cleartext
    assert rules_of(settings, rig.clock.now(), allow_cleartext=True).allow_cleartext
