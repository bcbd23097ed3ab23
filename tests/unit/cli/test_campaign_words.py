"""Campaigns in words: what a person reads, and that nothing a sender wrote commands a terminal."""

from dataclasses import replace

from builders import NOW, later
from mailwatch.cli.campaign_words import campaign_json, campaign_lines, outcome, span_json, table
from mailwatch.core.campaigns import Campaign, CampaignState, Pause, PauseOrigin
from mailwatch.core.paused_spans import PausedSpan
from mailwatch.ports.campaigns import CampaignView

CAMPAIGN = Campaign("c1", "Autumn", CampaignState.PAUSED, NOW, NOW, sender="crm/7", position="row 91", mailboxes=("mb_1", "mb_2"))
PAUSE = Pause(1, "c1", "mb_1", PauseOrigin.AUTOMATIC, "invalid_credentials", "mailwatch", NOW, in_force=True)


def shown(*pauses, campaign=CAMPAIGN):
    return "\n".join(campaign_lines(CampaignView(campaign, pauses), later(7260), {"mb_1": "ann@example.org"}))


def test_an_open_pause_says_who_why_since_when_and_who_lifts_it():
    text = shown(PAUSE)
    assert "mailbox ann@example.org (mb_1): invalid_credentials" in text
    assert "mailboxes  ann@example.org (mb_1), mb_2" in text
    assert "by mailwatch, since 2026-03-01 12:00:00 UTC (2 h 1 min)" in text
    assert "until the mailbox is verified" in text


def test_a_pause_that_is_ready_names_the_command():
    assert "`mailwatch campaign resume c1`" in shown(replace(PAUSE, origin=PauseOrigin.OPERATOR, ready_at=later(60)))


def test_a_pause_that_is_only_noted_says_so():
    assert "not in force: noted only; by mailwatch" in shown(replace(PAUSE, in_force=False))


def test_a_pause_that_the_brake_holds_back_says_so():
    assert "not in force: held back by the brake; by mailwatch" in shown(replace(PAUSE, in_force=False, braked=True))


def test_a_persons_pause_is_about_the_campaign_itself():
    text = shown(replace(PAUSE, mailbox_id=None, origin=PauseOrigin.PERSON, reason="holidays"))
    assert "the campaign itself: holidays" in text
    assert "only a person resumes it" in text


def test_the_table_names_the_oldest_pause_in_force():
    later_pause = replace(PAUSE, id=2, since_at=later(60), reason="dns_failure")
    views = [
        CampaignView(CAMPAIGN, (later_pause, PAUSE)),
        CampaignView(replace(CAMPAIGN, id="c2", state=CampaignState.ACTIVE), (replace(PAUSE, in_force=False),)),
    ]
    head, paused, active = table(views)
    assert head.split() == ["ID", "NAME", "STATE", "PAUSED", "BY", "REASON", "SINCE"]
    assert paused.split()[:5] == ["c1", "Autumn", "paused", "automatic", "invalid_credentials"]
    assert active.split() == ["c2", "Autumn", "active", "-", "-", "-"]


def test_the_table_names_the_person_whose_hold_paused_it():
    _, held = table([CampaignView(CAMPAIGN, (replace(PAUSE, actor="user:ann", reason="warmup_pause"),))])
    assert held.split()[3:5] == ["user:ann", "warmup_pause"]


def test_what_a_sender_wrote_commands_no_terminal():
    evil = replace(CAMPAIGN, name="\x1b[2Jgone", sender="\x07", position="\x9b31m")
    text = shown(replace(PAUSE, reason="\x1b]0;x\x07"), campaign=evil) + "\n".join(table([CampaignView(evil, (PAUSE,))]))
    assert not {character for character in text if character < " " or "\x7f" <= character < "\xa0"} - {"\n"}


def test_json_has_every_field_of_the_ledger():
    document = campaign_json(CampaignView(CAMPAIGN, (PAUSE,)))
    assert document["mailboxes"] == ["mb_1", "mb_2"]
    assert document["pauses"][0] == {
        "id": 1,
        "campaign": "c1",
        "mailbox": "mb_1",
        "origin": "automatic",
        "reason": "invalid_credentials",
        "actor": "mailwatch",
        "since_at": "2026-03-01T12:00:00Z",
        "in_force": True,
        "braked": False,
        "ready_at": None,
        "lifted_at": None,
        "lifted_by": None,
    }


def test_a_span_that_is_not_over_has_no_length_yet():
    assert span_json("c1", PausedSpan(NOW, later(90), ("dns_failure",), ("mb_1",)))["seconds"] == 90
    assert span_json("c1", PausedSpan(NOW, None, (), ()))["seconds"] is None


def test_the_outcome_names_what_it_waits_for():
    assert outcome(CAMPAIGN, (PAUSE,)) == "c1: paused; waits for mb_1"
    assert outcome(replace(CAMPAIGN, state=CampaignState.ACTIVE), ()) == "c1: active"
