"""What `mailwatch check` shows of a report."""

import io
from datetime import UTC, datetime

from rich.console import Console

from fakes.probing import mailbox
from mailwatch.cli.check_view import Checked, as_document, draw
from mailwatch.core.evidence import ChannelReport, Evidence, Line, Outcome, Phase, Report
from mailwatch.core.mailbox import Protocol
from mailwatch.probe.roundtrip import Arrival, RoundTripReport

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOX = mailbox("imaps://imap.example.org", "smtps://smtp.example.org")
WELL = ChannelReport(
    Protocol.IMAP, Outcome.HEALTHY, Phase.QUIT, timings_seconds={Phase.AUTH: 0.5}, conversation=(Line(True, "LOGIN ***"),)
)
OUTAGE = Evidence("smtp", Phase.GREETING, "421 4.3.2 [bold]closing[/bold]", code=421, enhanced="4.3.2")
FAILED = ChannelReport(Protocol.SMTP, Outcome.FAILED, Phase.GREETING, OUTAGE, {Phase.CONNECT: 0.1, Phase.GREETING: 0.2})


def checked(*channels: ChannelReport, trip: RoundTripReport | None = None) -> Checked:
    return Checked(BOX, Report(NOW, NOW, 1, channels), trip)


def drawn(what: Checked) -> str:
    out = io.StringIO()
    draw(what, Console(file=out, width=200, no_color=True, highlight=False, soft_wrap=True))
    return out.getvalue()


def test_a_failure_is_shown_where_it_happened_in_the_servers_unchanged_words() -> None:
    text = drawn(checked(WELL, FAILED))
    assert "✓ auth         500.0 ms" in text
    assert "✗ greeting     200.0 ms" in text
    assert "server says: 421 4.3.2 [bold]closing[/bold]" in text
    assert "> LOGIN ***" in text


def test_what_is_not_the_mailboxs_fault_says_so() -> None:
    impaired = ChannelReport(Protocol.SMTP, Outcome.IMPAIRED, Phase.CONNECT, impairment="network_unreachable")
    found = as_document(checked(WELL, impaired))["channels"]["smtp"]
    assert (found["healthy"], found["cause"]) == (False, None)
    assert "not to blame" in found["sentence"]
    strange = ChannelReport(Protocol.SMTP, Outcome.IMPAIRED, Phase.CONNECT, impairment="something_new")
    assert "something_new" in drawn(checked(strange))


def test_a_round_trip_is_part_of_the_verdict() -> None:
    well = checked(WELL, trip=RoundTripReport(Arrival.INBOX, 1.5))
    assert as_document(well)["round_trip"] == {"arrival": "inbox", "seconds": 1.5}
    assert well.healthy
    spam = checked(WELL, trip=RoundTripReport(Arrival.SPAM, 1.5))
    assert not spam.healthy
    assert "ROUND TRIP  spam" in drawn(spam)
    refused = checked(WELL, trip=RoundTripReport(Arrival.FAILED, 0.1, OUTAGE))
    assert as_document(refused)["round_trip"]["cause"] == "server_unavailable"
    assert "server says: 421" in drawn(refused)
