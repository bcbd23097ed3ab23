"""What `mailwatch check` shows: phases with their times, the verdict in words, the conversation without secrets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailwatch.core.cause_texts import remedy_for, verdict_of
from mailwatch.core.causes import profile_of
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import ChannelReport, Outcome, Report
from mailwatch.core.mailbox import Mailbox

if TYPE_CHECKING:
    from rich.console import Console

    from mailwatch.probe.roundtrip import RoundTripReport

_NOT_JUDGED = {
    "other_channel": "Reached; no login was sent, since the other channel's login was refused already.",
    "secret_unsendable": "The user name or secret holds characters that this protocol cannot carry.",
    "no_token_source": "An OAuth token is needed to log in here.",
    "network_unreachable": "This machine has no route to the server: the mailbox is not to blame.",
    "local_policy": "This machine's own firewall or routes forbid the connection: the mailbox is not to blame.",
    "out_of_descriptors": "This machine has no file descriptors left: the mailbox is not to blame.",
    "no_resolver_configuration": "This machine has no name server configured (/etc/resolv.conf): the mailbox is not to blame.",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check brought: the probe's report, and the round trip's where it was asked for and possible."""

    mailbox: Mailbox
    report: Report
    round_trip: "RoundTripReport | None" = None

    @property
    def healthy(self) -> bool:
        """Whether every channel worked, and the message arrived in the inbox."""
        channels = all(channel.outcome is Outcome.HEALTHY for channel in self.report.channels)
        return channels and (self.round_trip is None or self.round_trip.arrival == "inbox")


def as_document(checked: Checked) -> dict[str, Any]:
    """The check as a JSON document."""
    document: dict[str, Any] = {
        "address": checked.mailbox.address,
        "healthy": checked.healthy,
        "channels": {str(channel.protocol): _channel(channel) for channel in checked.report.channels},
    }
    if checked.round_trip is not None:
        trip = checked.round_trip
        document["round_trip"] = {"arrival": str(trip.arrival), "seconds": round(trip.seconds, 3)}
        if trip.evidence is not None:
            document["round_trip"]["cause"] = str(diagnose(trip.evidence).cause)
            document["round_trip"]["response"] = trip.evidence.response
    return document


def _channel(channel: ChannelReport) -> dict[str, Any]:
    return {
        "healthy": channel.outcome is Outcome.HEALTHY,
        "outcome": str(channel.outcome),
        "phase": None if channel.phase is None else str(channel.phase),
        **_verdict(channel),
        "impairment": channel.impairment,
        "withheld_reason": channel.withheld_reason,
        "certificate_expires_at": None if channel.certificate is None else channel.certificate.not_after_at.isoformat(),
        "timings_seconds": {str(phase): round(seconds, 4) for phase, seconds in channel.timings_seconds.items()},
        "conversation": [f"{'C' if line.sent else 'S'}: {line.text}" for line in channel.conversation],
    }


def _verdict(channel: ChannelReport) -> dict[str, Any]:
    """Cause and all that follows from it; null for a channel that is well or was not judged."""
    names = ("cause", "disposition", "category", "owner", "sentence", "confidence", "evidence")
    if channel.evidence is None:
        empty: dict[str, Any] = dict.fromkeys(names)
        if channel.outcome is not Outcome.HEALTHY:
            empty["sentence"] = _not_judged(channel)
        return empty
    diagnosis = diagnose(channel.evidence)
    profile = profile_of(diagnosis.cause)
    evidence = {name: getattr(channel.evidence, name) for name in ("exception", "code", "enhanced", "response")}
    values = (diagnosis.cause, profile.disposition, profile.category, profile.owner, verdict_of(diagnosis.cause))
    return dict(zip(names, (*map(str, values), str(diagnosis.confidence), evidence), strict=True))


def _not_judged(channel: ChannelReport) -> str:
    reason = channel.impairment or channel.withheld_reason or "unknown"
    return _NOT_JUDGED.get(reason, f"mailwatch itself could not look: {reason}.")


def draw(checked: Checked, out: "Console") -> None:
    """The check for a person."""
    for channel in checked.report.channels:
        endpoint = next(one for one in checked.mailbox.endpoints if one.protocol is channel.protocol)
        mark = {Outcome.HEALTHY: "✓ works", Outcome.FAILED: "✗ fails"}.get(channel.outcome, "? not judged")
        _print(out, f"{str(channel.protocol).upper()}  {endpoint.url}  {mark}", style="bold")
        _draw_phases(channel, out)
        _draw_verdict(channel, checked.mailbox.provider, out)
        if channel.certificate is not None:
            _print(out, f"  certificate until {channel.certificate.not_after_at:%Y-%m-%d}, from {channel.certificate.issuer}")
        for line in channel.conversation:
            _print(out, f"    {'>' if line.sent else '<'} {line.text}", style="dim")
        _print(out, "")
    if checked.round_trip is not None:
        _print(out, f"ROUND TRIP  {checked.round_trip.arrival} after {checked.round_trip.seconds:.1f} s", style="bold")
        if checked.round_trip.evidence is not None:
            _print(out, f"  {verdict_of(diagnose(checked.round_trip.evidence).cause)}")
            _print(out, f"  server says: {checked.round_trip.evidence.response}")
    _print(out, f"{checked.mailbox.address} {'is healthy' if checked.healthy else 'is not healthy'}", style="bold")


def _draw_phases(channel: ChannelReport, out: "Console") -> None:
    for phase, seconds in channel.timings_seconds.items():
        ended_here = phase is channel.phase and channel.outcome in (Outcome.FAILED, Outcome.IMPAIRED)
        _print(out, f"  {'✗' if ended_here else '✓'} {phase:<9} {seconds * 1000:>8.1f} ms")


def _draw_verdict(channel: ChannelReport, provider: str, out: "Console") -> None:
    if channel.evidence is None:
        if channel.outcome is not Outcome.HEALTHY:
            _print(out, f"  {_not_judged(channel)}")
        return
    diagnosis = diagnose(channel.evidence)
    profile = profile_of(diagnosis.cause)
    _print(out, f"  {diagnosis.cause} ({diagnosis.confidence} confidence; {profile.disposition}, for {profile.owner} to heal)")
    _print(out, f"  {verdict_of(diagnosis.cause)}")
    said = channel.evidence.response or channel.evidence.exception or "nothing"
    _print(out, f"  {'server says' if channel.evidence.protocol != 'network' else 'network says'}: {said}")
    for number, step in enumerate(remedy_for(diagnosis.cause, provider), 1):
        _print(out, f"  {number}. {step}")


def _print(out: "Console", text: str, style: str | None = None) -> None:
    """Text of servers goes out as it is: no markup of theirs is obeyed."""
    out.print(text, style=style, markup=False, emoji=False)
