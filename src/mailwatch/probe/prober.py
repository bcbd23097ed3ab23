"""One probe of one mailbox: both channels in turn, within the time there is, with no login more than needed.

What one channel learns counts for the other: a refused secret is not shown to the second server, and a refused access token is
renewed once for both.
"""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Final

from mailwatch.core import mailbox as m
from mailwatch.core.causes import Cause
from mailwatch.core.evidence import ChannelReport, Evidence, Outcome, Phase, Report
from mailwatch.core.refusals import refuses_secret
from mailwatch.core.secret import Secret
from mailwatch.ports import Assignment, Clock, MailwatchError
from mailwatch.ports.watching import Keeper
from mailwatch.probe.capture import Capture, impairment_of_store
from mailwatch.probe.dial import Dialer
from mailwatch.probe.failures import ImpairedError, TokenFailureError
from mailwatch.probe.imap import ImapProbe
from mailwatch.probe.oauth import Tokens
from mailwatch.probe.redact import Redactor
from mailwatch.probe.sasl import Login
from mailwatch.probe.smtp import SmtpProbe
from mailwatch.probe.trace import Trace
from mailwatch.probe.visit import Visit
from mailwatch.probe.watch import ImapSession

#: What the first of two channels may use of the time: a login can take 17 s where a server punishes failures of others.
_FIRST_SHARE: Final = 0.6
_OTHER_CHANNEL: Final = "other_channel"
#: The impairment that is none: the token was renewed a moment ago, or there is only this one, and it is the one refused.
_NO_OTHER_TOKEN: Final = "token_not_renewable"


@dataclass(slots=True)
class _Probe:
    """What one probe knows while it runs."""

    assignment: Assignment
    redactor: Redactor
    login: Login | None = None
    withheld_reason: str | None = None  #: why no login is sent (any more)
    refused: int = 0  #: logins refused so far, both channels
    renewed: bool = False
    leaves_open: bool = False  #: the IMAP session is wanted by the keeper
    left_open: ImapSession | None = None
    reports: list[ChannelReport] = field(default_factory=list)


class NetworkProber:
    """ports.Prober over the network.

    *tokens* may be None where no mailbox uses OAuth.  *conversation*: whether healthy channels keep their conversation too; failed
    ones always do.  *allow_cleartext*: whether endpoints without TLS may be used.  *keeper* takes over the IMAP sessions of wholly
    healthy probes, where it wants them; without one all are ended.
    """

    def __init__(
        self,
        dialer: Dialer,
        tokens: Tokens | None,
        clock: Clock,
        *,
        ehlo_name: str = "mailwatch",
        folder: str = "INBOX",
        conversation: bool = True,
        allow_cleartext: bool = False,
        keeper: Keeper | None = None,
    ) -> None:
        self._tokens = tokens
        self._keeper = keeper
        self._clock = clock
        self._conversation = conversation
        self._allow_cleartext = allow_cleartext
        self._imap = ImapProbe(dialer, folder)
        self._smtp = SmtpProbe(dialer, ehlo_name)

    async def probe(self, assignment: Assignment) -> Report:
        """The report; ends within the assignment's time-out + 1 s.  Remote failures are in it; an exception is a bug."""
        started_at = self._clock.now()
        loop = asyncio.get_running_loop()
        end = loop.time() + assignment.timeout_seconds
        probe = _Probe(assignment, Redactor())
        if assignment.depth is m.Depth.REACH:
            probe.withheld_reason = assignment.withheld_reason or "depth"
        if self._keeper is not None:
            await self._keeper.let_go(assignment.mailbox.id)
            probe.leaves_open = self._keeper.wants(assignment.mailbox)
        try:
            await self._look(probe, end)
        except BaseException:
            if probe.left_open is not None:
                probe.left_open.drop()
            raise
        await self._hand_over(probe)
        return Report(started_at, self._clock.now(), assignment.generation, _in_order(probe.reports))

    async def _look(self, probe: _Probe, end: float) -> None:
        """Both channels in turn, until *end*."""
        loop, assignment = asyncio.get_running_loop(), probe.assignment
        endpoints = sorted(assignment.mailbox.endpoints, key=lambda endpoint: endpoint.protocol is not assignment.first)
        for place, endpoint in enumerate(endpoints):
            last = place == len(endpoints) - 1
            now = loop.time()
            until = end if last else now + (end - now) * _FIRST_SHARE
            probe.reports.append(await self._channel(probe, endpoint, until))

    async def _hand_over(self, probe: _Probe) -> None:
        """Give the session that was left open to the keeper, or end it: it is worth keeping only where all is well."""
        if probe.left_open is None or self._keeper is None:
            return
        if all(report.outcome is Outcome.HEALTHY for report in probe.reports):
            self._keeper.keep(probe.assignment.mailbox, probe.left_open)
        else:
            await probe.left_open.leave()

    async def _channel(self, probe: _Probe, endpoint: m.Endpoint, until: float) -> ChannelReport:
        """One channel; a refused access token is renewed, and tried once more on a new connection if the budget allows."""
        report = await self._attempt(probe, endpoint, until)
        cause = _refusal(report)
        if cause is None:
            return self._after(probe, report)
        probe.refused += 1
        report = replace(report, rejected_logins=1)
        if cause is Cause.OAUTH_TOKEN_EXPIRED and probe.login is not None and not probe.renewed:
            return await self._renew(probe, endpoint, until, report)
        probe.withheld_reason = _OTHER_CHANNEL
        return report

    async def _renew(self, probe: _Probe, endpoint: m.Endpoint, until: float, report: ChannelReport) -> ChannelReport:
        probe.renewed = True
        refused = probe.login.secret if probe.login is not None else None
        trace = Trace(self._clock.monotonic, Phase.TOKEN)
        try:
            async with asyncio.timeout_at(until):
                await self._fetch_token(probe, refused=refused)
        except (TokenFailureError, TimeoutError, ImpairedError) as error:
            probe.withheld_reason = _OTHER_CHANNEL
            return self._not_renewed(probe, report, error)
        if probe.refused >= probe.assignment.refusals_left:
            probe.withheld_reason = _OTHER_CHANNEL
            return report
        again = await self._attempt(probe, endpoint, until)
        rejected = report.rejected_logins
        if _refusal(again) is not None:
            probe.refused += 1
            probe.withheld_reason = _OTHER_CHANNEL
            rejected += 1
        timings = {
            phase: report.timings_seconds.get(phase, 0.0) + again.timings_seconds.get(phase, 0.0)
            for phase in (*report.timings_seconds, *again.timings_seconds)
        }
        timings[Phase.TOKEN] = timings.get(Phase.TOKEN, 0.0) + trace.timings_seconds()[Phase.TOKEN]
        return replace(
            again, rejected_logins=rejected, timings_seconds=timings, conversation=(*report.conversation, *again.conversation)
        )

    def _not_renewed(self, probe: _Probe, report: ChannelReport, error: Exception) -> ChannelReport:
        """Why there is no new token is the verdict; the login that was refused stays counted.

        A fault of our own is no verdict: whether a new token would be taken is not known.
        """
        if isinstance(error, ImpairedError):
            if error.impairment == _NO_OTHER_TOKEN:
                return report
            return replace(report, outcome=Outcome.IMPAIRED, evidence=None, phase=Phase.TOKEN, impairment=error.impairment)
        evidence = Capture(report.protocol, probe.assignment.mailbox.provider, probe.redactor).error(Phase.TOKEN, error)
        return replace(report, evidence=evidence, phase=Phase.TOKEN)

    def _after(self, probe: _Probe, report: ChannelReport) -> ChannelReport:
        """No token, no login anywhere: the other channel is only looked at."""
        if report.outcome is Outcome.FAILED and report.evidence is not None and report.evidence.phase is Phase.TOKEN:
            probe.withheld_reason = _OTHER_CHANNEL
        return report

    async def _attempt(self, probe: _Probe, endpoint: m.Endpoint, until: float) -> ChannelReport:
        """One connection to one endpoint, and what came of it."""
        assignment, mailbox = probe.assignment, probe.assignment.mailbox
        capture = Capture(endpoint.protocol, mailbox.provider, probe.redactor)
        trace = Trace(self._clock.monotonic)
        depth = m.Depth.REACH if probe.withheld_reason is not None else assignment.depth
        visit = Visit(endpoint, mailbox.address, depth, None, trace, capture, sent=assignment.sent, leaves_open=probe.leaves_open)
        try:
            async with asyncio.timeout_at(until):
                await self._run(probe, visit)
        except Exception as error:  # noqa: BLE001  # capture raises again what it does not know: that is a bug of ours
            return self._failed(probe, visit, error)
        finally:
            if visit.left_open is not None:
                probe.left_open = ImapSession(visit.left_open, assignment)
        return self._well(probe, visit)

    async def _run(self, probe: _Probe, visit: Visit) -> None:
        if not visit.secured and not self._allow_cleartext:
            raise ImpairedError("cleartext_refused")
        if visit.depth is not m.Depth.REACH:
            if probe.login is None:
                await self._fetch_login(probe, visit.trace)
            visit.login = probe.login
        if visit.endpoint.protocol is m.Protocol.IMAP:
            await self._imap.visit(visit)
        else:
            await self._smtp.visit(visit)

    async def _fetch_login(self, probe: _Probe, trace: Trace) -> None:
        """Open the secret; it is known to the redactor before anybody else."""
        if probe.assignment.mailbox.auth is m.AuthKind.OAUTH:
            trace.enter(Phase.TOKEN)
            await self._fetch_token(probe, refused=None)
            return
        if probe.assignment.credential is None:
            raise ImpairedError("secret_missing")
        try:
            self._adopt(probe, probe.assignment.credential.password())
        except MailwatchError as error:
            raise ImpairedError(impairment_of_store(error)) from error

    async def _fetch_token(self, probe: _Probe, *, refused: Secret | None) -> None:
        if self._tokens is None:
            raise ImpairedError("no_token_source")
        try:
            self._adopt(
                probe, await self._tokens.access_token(probe.assignment.mailbox, force=refused is not None, refused=refused)
            )
        except MailwatchError as error:
            raise ImpairedError(impairment_of_store(error)) from error

    def _adopt(self, probe: _Probe, secret: Secret) -> None:
        mailbox = probe.assignment.mailbox
        probe.redactor.learn(mailbox.username, secret.reveal())
        probe.login = Login(mailbox.username, secret, mailbox.auth)

    def _well(self, probe: _Probe, visit: Visit) -> ChannelReport:
        withheld = visit.login is None
        return ChannelReport(
            visit.endpoint.protocol,
            Outcome.WITHHELD if withheld else Outcome.HEALTHY,
            visit.trace.phase,
            timings_seconds=visit.trace.timings_seconds(),
            conversation=visit.trace.conversation(probe.redactor) if self._conversation else (),
            certificate=visit.certificate,
            logged_in=visit.logged_in,
            withheld_reason=probe.withheld_reason if withheld else None,
            nearby=visit.trace.nearby,
            looked_up=visit.trace.looked_up,
        )

    def _failed(self, probe: _Probe, visit: Visit, error: Exception) -> ChannelReport:
        phase = visit.trace.phase
        evidence: Evidence | None = None
        impairment: str | None = None
        try:
            evidence = visit.capture.error(phase, error)
        except ImpairedError as ours:
            impairment = ours.impairment
        return ChannelReport(
            visit.endpoint.protocol,
            Outcome.FAILED if evidence is not None else Outcome.IMPAIRED,
            evidence.phase if evidence is not None else phase,
            evidence,
            visit.trace.timings_seconds(),
            visit.trace.conversation(probe.redactor),
            visit.certificate,
            visit.logged_in,
            impairment=impairment,
            nearby=visit.trace.nearby,
            looked_up=visit.trace.looked_up,
        )


def _refusal(report: ChannelReport) -> Cause | None:
    """The cause by which the server refused the secret that it was shown; None when it did not."""
    if report.outcome is not Outcome.FAILED or report.evidence is None or report.evidence.phase is not Phase.AUTH:
        return None
    cause = _cause(report.evidence)
    return cause if refuses_secret(report.evidence, cause) else None


def _cause(evidence: Evidence) -> Cause:
    from mailwatch.core.classify import diagnose  # noqa: PLC0415  # its tables of rules are loaded at the first failure, not at import

    return diagnose(evidence).cause


def _in_order(reports: list[ChannelReport]) -> tuple[ChannelReport, ...]:
    return tuple(sorted(reports, key=lambda report: report.protocol is not m.Protocol.IMAP))
