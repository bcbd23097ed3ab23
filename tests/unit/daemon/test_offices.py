"""What operators, senders and their programs are served by, as the daemon plugs it together."""

import asyncio
from dataclasses import replace

from contract.fleet import ADD, SetClock
from mailwatch.core import acts
from mailwatch.core.campaigns import Campaign, CampaignPolicy, CampaignState, Channel, Mode, PauseOn
from mailwatch.core.lifecycle import State
from mailwatch.daemon import SystemClock
from mailwatch.daemon.parts import Outside
from mailwatch.daemon.parts import Role as NodeRole
from mailwatch.ports import Act
from mailwatch.ports.pages import BulkAction, PageFilter
from mailwatch.ports.people import Role
from mailwatch.web.surface import WebSettings


async def test_without_users_the_operator_is_told_where_the_first_one_is_made(stage):
    daemon = stage.daemon()
    await daemon.start()
    (told,) = stage.log.named("setup.open")
    assert told["url"].startswith(f"{daemon.url}/setup?key=")
    await daemon.offices.accounts.add_user("ana", None, Role.ADMIN, ADD)
    await daemon.shutdown()
    second = stage.daemon()
    await second.start()
    assert len(stage.log.named("setup.open")) == 1
    await second.shutdown()


async def test_behind_a_proxy_links_name_the_outer_address(stage):
    daemon = stage.daemon(web=WebSettings(external_url="https://watch.example.org/"))
    await daemon.start()
    assert daemon.offices.public_url == "https://watch.example.org"
    await daemon.shutdown()


async def test_the_gate_follows_as_soon_as_it_runs(stage):
    await stage.fill(2)
    daemon = stage.daemon()
    await daemon.start()
    await stage.until(lambda: len(daemon.offices.gate) == 2, "the gate to be loaded")
    await daemon.shutdown()


async def test_a_reload_gives_campaigns_their_new_rules_everywhere(stage):
    daemon = stage.daemon()
    policy = CampaignPolicy(mode=Mode.OBSERVE)
    daemon.offices.retune(replace(daemon.parts.tuning, campaigns=policy))
    assert daemon.parts.store.campaign_policy is daemon.offices.gate.policy is policy


async def test_a_reload_of_what_counts_for_sending_silences_the_gate_until_it_has_read_everything_anew(stage):
    await stage.fill(2)
    daemon = stage.daemon()
    await daemon.start()
    gate = daemon.offices.gate
    await stage.until(lambda: not gate.is_stale, "the gate to be loaded")
    daemon.offices.retune(replace(daemon.parts.tuning, campaigns=CampaignPolicy(channel=Channel.SMTP)))
    assert gate.is_stale
    await stage.until(lambda: not gate.is_stale, "the gate to be loaded anew")
    assert len(stage.log.named("gate.loaded")) == 2
    await daemon.shutdown()


async def test_webhooks_go_out_only_where_there_is_a_way_outside(stage):
    class Poster:
        async def post(self, *_, **__):
            raise AssertionError("no webhook is configured")

    assert stage.daemon().offices.deliverer is None
    daemon = stage.daemon(outside=Outside(Poster()))
    await daemon.start()
    assert daemon.offices.deliverer is not None
    assert daemon.offices.consents is None
    await daemon.shutdown()


async def test_of_several_nodes_one_works_bulk_actions_off_and_another_takes_over_when_it_is_silent(stage):
    await stage.fill(3)
    clock = SetClock(SystemClock().now())
    first, second = (stage.daemon(store=stage.store(node), node=node, clock=clock) for node in "ab")
    for daemon in (first, second):
        await daemon.parts.store.open()

    async def begun(action):
        return (await first.offices.bulk.begin(action, PageFilter(), {}, ADD)).id

    async def done(job_id):
        return (await first.parts.store.jobs.job(job_id)).done

    await second.offices.work_off()  # where nothing waits nobody takes the duty
    disconnecting = await begun(BulkAction.DISCONNECT)
    await first.offices.work_off()
    reconnecting = await begun(BulkAction.RECONNECT)
    await second.offices.work_off()
    assert (await done(disconnecting), await done(reconnecting)) == (3, 0)
    clock.pass_seconds(31)
    await second.offices.work_off()
    assert await done(reconnecting) == 3
    probing = await begun(BulkAction.PROBE)
    await first.offices.work_off()
    assert await done(probing) == 0
    for daemon in (first, second):
        await daemon.parts.store.close()


async def test_two_running_nodes_do_each_mailbox_of_a_bulk_action_once(stage):
    await stage.fill(60)
    nodes = [stage.daemon(store=stage.store(node.value), node=node.value, role=node) for node in (NodeRole.ALL, NodeRole.WEB)]
    for daemon in nodes:
        await daemon.start()
    store = nodes[0].parts.store
    job = await nodes[0].offices.bulk.begin(BulkAction.DISCONNECT, PageFilter(), {}, ADD)
    while (await store.jobs.job(job.id)).ended_at is None:
        await asyncio.sleep(0.05)
    ended = await store.jobs.job(job.id)
    assert (ended.done, ended.failed) == (60, 0)
    rows = [row for row in await store.pages.audit(None, 500) if row.action == "mailbox.disconnect"]
    assert len(rows) == len({row.mailbox_id for row in rows}) == 60
    for daemon in nodes:
        await daemon.shutdown()


async def test_at_a_start_campaigns_are_as_the_rules_in_force_want_them(stage):
    await stage.fill(2)
    store = stage.store("setup")
    await store.open()
    store.campaign_policy = CampaignPolicy(pause_on=PauseOn.ALL)
    now = SystemClock().now()
    await store.campaigns.add(Campaign("spring", "Spring", CampaignState.ACTIVE, now, now, mailboxes=("mb_0000", "mb_0001")), ADD)
    await store.change("mb_0000", lambda standing: acts.disconnect(standing, now, "cli:test"), ADD)
    assert (await store.campaigns.find("spring")).campaign.state is CampaignState.ACTIVE
    await store.close()
    daemon = stage.daemon()  # by whose rules one mailbox is enough
    await daemon.start()
    assert (await daemon.parts.store.campaigns.find("spring")).campaign.state is CampaignState.PAUSED
    await daemon.shutdown()


async def test_a_disconnect_ends_the_probe_that_is_under_way_before_it_logs_in(stage):
    async def hanging(_):
        await asyncio.Event().wait()

    stage.prober.script["mb_0000"] = hanging
    await stage.fill(1)
    daemon = stage.daemon()
    await daemon.start()
    await stage.until(lambda: stage.prober.running == 1, "the probe")
    await daemon.offices.desk.disconnect("mb_0000", Act("user:ana", "mailbox.disconnect"))
    await stage.until(lambda: stage.prober.running == daemon.dispatcher.in_flight == 0, "its end")
    await daemon.parts.store.flush()
    standing = (await daemon.parts.store.find("mb_0000")).standing
    assert (standing.state, standing.rejected_at, standing.lost_at) == (State.INACTIVE, (), ())
    await daemon.offices.desk.reconnect("mb_0000", Act("user:ana", "mailbox.reconnect"))
    await stage.until(lambda: len(stage.prober.assignments) == 2, "the next look, which waits for no lease")
