"""What the page shows of probes: how long their phases took, and the last failed conversation."""

from datetime import timedelta

from contract.fleet import ADD, NOON, clean, filled
from mailwatch.core.evidence import ChannelReport, Line, Outcome, Phase, Report
from mailwatch.core.mailbox import Protocol
from mailwatch.store.samples import sample_due


def a_report(outcome=Outcome.HEALTHY, at=NOON, words="a1 OK done"):
    channel = ChannelReport(
        Protocol.IMAP, outcome, timings_seconds={Phase.CONNECT: 0.012, Phase.AUTH: 0.25}, conversation=(Line(False, words),)
    )
    return Report(at - timedelta(seconds=1), at, 1, (channel,))


async def probed(store, report):
    (claim,) = await store.claim_due(report.finished_at, 1, 60)
    await store.record(claim, clean(claim, due_at=report.finished_at))
    await store.keep_details(claim, report)
    await store.flush()


async def test_the_first_probe_of_an_hour_is_kept_as_a_sample(store):
    await filled(store, 1)
    await probed(store, a_report())
    (sample,) = await store.pages.samples("mb_0000")
    assert sample.timings_seconds[Protocol.IMAP] == {Phase.CONNECT: 0.012, Phase.AUTH: 0.25}
    soon = next(NOON + timedelta(seconds=s) for s in range(1, 3600) if not sample_due(NOON, NOON + timedelta(seconds=s), "mb_0000"))
    await probed(store, a_report(at=soon))
    assert len(await store.pages.samples("mb_0000")) == 1
    await probed(store, a_report(at=NOON + timedelta(hours=1)))
    assert len(await store.pages.samples("mb_0000")) == 2


async def test_the_last_failed_conversation_is_kept_and_a_healthy_one_is_not(store):
    await filled(store, 1)
    await probed(store, a_report())
    assert await store.pages.conversation("mb_0000") is None
    await probed(store, a_report(Outcome.FAILED, NOON + timedelta(minutes=1), "a1 NO first"))
    await probed(store, a_report(Outcome.FAILED, NOON + timedelta(minutes=2), "a1 NO second"))
    kept = await store.pages.conversation("mb_0000")
    assert kept.lines[Protocol.IMAP] == (Line(False, "a1 NO second"),)
    assert kept.at == NOON + timedelta(minutes=2)


async def test_a_mailbox_removed_meanwhile_gets_nothing_written(store):
    await filled(store, 1)
    (claim,) = await store.claim_due(NOON, 1, 60)
    await store.keep_details(claim, a_report(Outcome.FAILED))
    await store.remove("mb_0000", ADD)
    await store.flush()
    assert await store.pages.conversation("mb_0000") is None
