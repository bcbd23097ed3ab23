"""Incidents, findings and the audit log."""

from datetime import timedelta

from builders import NOW
from mailwatch.core.cause_texts import remedy_for
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.ports import Act
from mailwatch.ports.pages import Trouble
from mailwatch.web.pages.fleet import groups_of

BY = Act("cli:test", "mailbox.disconnect")


def test_troubles_are_grouped_by_provider_and_cause_what_needs_action_first():
    hour = timedelta(hours=1)
    groups = groups_of(
        [
            Trouble("google", State.RECONNECTING, "connection_timeout", 400, NOW - hour),
            Trouble("google", State.VERIFYING, "connection_timeout", 12, NOW - 3 * hour),
            Trouble("other", State.BLOCKED, "invalid_credentials", 2, NOW),
        ]
    )
    assert [(group.provider, group.cause, group.mailboxes, group.worst) for group in groups] == [
        ("other", "invalid_credentials", 2, State.BLOCKED),
        ("google", "connection_timeout", 412, State.RECONNECTING),
    ]
    blocked, timeouts = groups
    assert blocked.steps == remedy_for(Cause.INVALID_CREDENTIALS)
    assert timeouts.steps == ()
    assert timeouts.since_at == NOW - 3 * hour
    assert timeouts.link == "/mailboxes?provider=google&cause=connection_timeout&state=reconnecting&state=verifying"


def test_a_cause_that_nobody_knows_breaks_nothing():
    (group,) = groups_of([Trouble("other", State.RECONNECTING, "", 1, NOW)])
    assert (group.sentence, group.owner, group.link) == ("", None, "/mailboxes?provider=other&state=reconnecting")


async def test_a_fleet_without_trouble_says_so(rig):
    assert "Nothing is away" in (await rig.ask("GET", "/incidents"))[2]
    assert "No disconnection was recorded" in (await rig.ask("GET", "/findings"))[2]


async def test_the_audit_log_tells_acts_of_one_mailbox_or_all(rig):
    await rig.fill(2)
    await rig.surface.desk.disconnect("mb_0001", BY)
    _, _, text = await rig.ask("GET", "/audit")
    assert "mailbox.disconnect" in text
    assert "pending → inactive" in text
    assert "mailbox.disconnect" not in (await rig.ask("GET", "/audit?mailbox=mb_0000"))[2]
    assert (await rig.ask("GET", "/audit?before=1"))[0] == 200
    assert (await rig.ask("GET", "/audit?before=no-number"))[0] == 200


async def test_the_audit_log_is_for_administrators_as_over_the_api(rig):
    assert (await rig.ask("GET", "/audit", role="read"))[0] == 403
