"""A probe that came to nothing by our own fault forgets no login."""

from builders import IMAP, NOW, SMTP, a_mailbox, a_report, a_standing, failed, later, withheld
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.core.plan import plan
from mailwatch.core.policy import Policy
from mailwatch.core.standing import Refusal
from mailwatch.core.unfinished import unfinished


def outcome(standing, report=None, mailbox=None):
    mailbox = mailbox or a_mailbox()
    return unfinished(mailbox, standing, plan(mailbox, standing, Policy(), NOW), report, NOW, later(900))


def test_a_probe_that_was_to_log_in_and_gave_no_report_counts_as_one_lost_login():
    decision = outcome(a_standing(forced=True, rejected_at=(later(-5), later(-4))))
    assert decision.after.lost_at == (NOW,)
    assert decision.refusals == (Refusal("imap.example.org", NOW),)
    assert not decision.after.forced
    assert decision.urgent


def test_the_state_stays_as_it_was():
    decision = outcome(a_standing(version=4))
    assert (decision.after.state, decision.after.version, decision.transitions) == (State.CONNECTED, 4, ())
    assert decision.after.due_at == later(900)


def test_a_look_without_login_counts_for_nothing():
    assert outcome(a_standing(State.BLOCKED)) is None
    assert unfinished(a_mailbox(), a_standing(), None, None, NOW, later(900)) is None


def test_with_a_report_its_refusals_count_and_nothing_else_does():
    decision = outcome(a_standing(), a_report(failed(Cause.INVALID_CREDENTIALS, SMTP), withheld(IMAP)))
    assert (decision.after.rejected_at, decision.after.proven) == ((NOW,), False)
    assert decision.after.lost_at == ()
    assert decision.refusals == (Refusal("smtp.example.org", NOW),)


def test_a_report_without_refusals_counts_for_nothing():
    assert outcome(a_standing(), a_report()) is None
    assert outcome(a_standing(), a_report(failed(Cause.CONNECTION_TIMEOUT))) is None


def test_a_crash_loop_comes_to_its_end_by_the_budget():
    standing = a_standing()
    for _ in range(2):
        standing = outcome(standing).after
    assert outcome(standing) is None
