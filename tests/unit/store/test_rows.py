"""Values survive the database; what a healthy mailbox stores is small."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from contract.fleet import NOON, moved, oauth_mailbox, password_mailbox
from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Endpoint, Protocol
from mailwatch.core.standing import ChannelHealth, Standing
from mailwatch.ports import Claim
from mailwatch.store import rows


def again(row, **more):
    return SimpleNamespace(**row, **more)


FULL = Standing(
    "mb_1",
    State.HELD,
    NOON,
    NOON + timedelta(microseconds=1),
    version=7,
    generation=3,
    cause=Cause.WARMUP_PAUSE,
    channels={
        Protocol.IMAP: ChannelHealth(healthy=True, since_at=NOON),
        Protocol.SMTP: ChannelHealth(healthy=False, since_at=NOON, cause=Cause.RATE_LIMITED),
    },
    failures=1,
    attempts=2,
    person_sightings=3,
    clean_probes=4,
    verifying_since_at=NOON,
    down_since_at=NOON - timedelta(days=400),
    absent_since_at=NOON - timedelta(days=401),
    stuck_phase=Phase.AUTH,
    last_probe_at=NOON,
    last_success_at=NOON,
    proven=True,
    rejected_at=(NOON, NOON + timedelta(seconds=1)),
    lost_at=(NOON,),
    forced=True,
    hold_reason="warmup_pause",
    hold_until_at=NOON,
    episodes_at=(NOON, NOON + timedelta(hours=1)),
    last_outage_seconds=86_400.5,
    returned_at=NOON,
    returned_after_seconds=7200.25,
    impairment="secret_unreadable",
    impaired_since_at=NOON,
)


@pytest.mark.parametrize("standing", [FULL, Standing("mb_1", State.PENDING, NOON, None)], ids=["full", "bare"])
def test_a_standing_survives(standing):
    assert rows.standing_from_row(again(rows.standing_to_row(standing), mailbox_id="mb_1")) == standing


def test_every_field_of_a_standing_has_a_place():
    bare = Standing("mb_1", State.PENDING, NOON, None)
    same = [name for name in Standing.__dataclass_fields__ if name != "mailbox_id" and getattr(FULL, name) == getattr(bare, name)]
    assert same == ["since_at"], "a new field needs a value in FULL, so that the test above sees it survive"


def test_a_bare_standing_stores_no_json():
    assert rows.rest_of(Standing("mb_1", State.PENDING, NOON, None)) == ""


def test_a_healthy_standing_stores_little():
    channels = {protocol: ChannelHealth(healthy=True, since_at=NOON) for protocol in Protocol}
    assert len(rows.rest_of(Standing("mb_1", State.CONNECTED, NOON, NOON, proven=True, channels=channels))) < 110


@pytest.mark.parametrize(
    "new",
    [
        password_mailbox(1),
        oauth_mailbox(2, labels={"team": "nörth"}),
        password_mailbox(3, imap=None),
        password_mailbox(4, smtp=Endpoint.parse("smtp+starttls://[::1]:2587")),
    ],
    ids=["password", "oauth", "smtp only", "literal"],
)
def test_a_mailbox_survives(new):
    assert rows.mailbox_from_row(again(rows.mailbox_to_row(new.mailbox))) == new.mailbox


def test_the_login_host_is_the_first_endpoints():
    assert rows.login_host(password_mailbox(1).mailbox) == "imap.example.org"
    assert rows.login_host(password_mailbox(1, imap=None).mailbox) == "smtp.example.org"


def test_a_transition_survives_with_its_evidence():
    claim = Claim(password_mailbox(1).mailbox, Standing("mb_0001", State.CONNECTED, NOON, NOON), None, "l/0", NOON, 5)
    (step,) = moved(claim).transitions
    assert rows.transition_from_row(again(rows.transition_to_row(step, "operation"))) == step


def test_every_field_of_evidence_survives():
    evidence = Evidence(
        "smtp",
        Phase.AUTH,
        "535 5.7.8 \ud7ff no",
        "google",
        "x.Error",
        104,
        10,
        535,
        "5.7.8",
        "NO",
        "AUTH",
        "{}",
        "invalid_grant",
        "gone",
        400,
        1.5,
        True,
    )
    claim = Claim(password_mailbox(1).mailbox, Standing("mb_0001", State.CONNECTED, NOON, NOON), None, "l/0", NOON)
    (step,) = moved(claim).transitions
    step = replace(step, evidence=evidence)
    assert rows.transition_from_row(again(rows.transition_to_row(step, "x"))).evidence == evidence


def test_the_servers_words_reach_the_database_as_plain_ascii():
    claim = Claim(password_mailbox(1).mailbox, Standing("mb_0001", State.CONNECTED, NOON, NOON), None, "l/0", NOON)
    step = replace(moved(claim).transitions[0], evidence=Evidence("imap", None, "nul \x00 lone \ud800"))
    row = rows.transition_to_row(step, "x")
    assert row["evidence"].isascii()
    assert "\x00" not in row["evidence"]
