"""Spans in which a campaign was paused, out of its ledger."""

from dataclasses import replace

from builders import NOW, later
from mailwatch.core.campaigns import CampaignPolicy, Pause, PauseOn, PauseOrigin
from mailwatch.core.paused_spans import PausedSpan, paused_spans

POLICY = CampaignPolicy()


def pause(number, since, lifted=None, mailbox="mb_1", **changes):
    reason = changes.pop("reason", "connection_refused")
    made = Pause(number, "c1", mailbox, PauseOrigin.AUTOMATIC, reason, "mailwatch", later(since), in_force=True)
    return replace(made, lifted_at=None if lifted is None else later(lifted), **changes)


def spans(*pauses, mailboxes=("mb_1", "mb_2"), policy=POLICY, since=NOW, until=None):
    return list(paused_spans(pauses, mailboxes, policy, since, until or later(100)))


def test_pauses_that_overlap_or_touch_are_one_span():
    found = spans(pause(1, 10, 30), pause(2, 20, 40, "mb_2", reason="dns_failure"), pause(3, 40, 50), pause(4, 60, 70))
    assert found == [
        PausedSpan(later(10), later(50), ("connection_refused", "dns_failure"), ("mb_1", "mb_2")),
        PausedSpan(later(60), later(70), ("connection_refused",), ("mb_1",)),
    ]


def test_what_goes_on_has_no_end_and_what_began_before_is_cut():
    assert spans(pause(1, -50, 10), pause(2, 90)) == [
        PausedSpan(NOW, later(10), ("connection_refused",), ("mb_1",)),
        PausedSpan(later(90), None, ("connection_refused",), ("mb_1",)),
    ]
    assert spans(pause(1, 90, 200))[0].until_at is None


def test_what_was_only_noted_or_lies_outside_paused_nothing():
    assert spans(pause(1, 10, 20, in_force=False), pause(2, 10, 10), pause(3, -20, 0), pause(4, 100, 120)) == []


def test_with_all_a_campaign_is_paused_only_while_no_mailbox_is_left():
    policy = CampaignPolicy(pause_on=PauseOn.ALL)
    found = spans(pause(1, 10, 40), pause(2, 20, 30, "mb_2"), policy=policy)
    assert [(span.since_at, span.until_at) for span in found] == [(later(20), later(30))]


def test_a_persons_pause_counts_whatever_the_mailboxes():
    found = spans(pause(1, 10, 20, None, reason="holidays"), policy=CampaignPolicy(pause_on=PauseOn.ALL))
    assert found == [PausedSpan(later(10), later(20), ("holidays",), ())]
