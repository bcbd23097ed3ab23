"""Which looks are put off for their host, by what all nodes have seen."""

from fakes.web import BY, refused
from mailwatch.core.secret import Secret


async def test_several_wait_only_where_each_of_them_does(rig):
    await rig.fill(2)
    views = [await rig.surface.desk.set_secret(f"mb_{number:04}", Secret("another"), BY) for number in range(2)]
    await refused(rig.store, rig.clock.now(), 3)
    found = await rig.surface.quiet_hosts.of_all(views)
    assert (found.host, found.refused) == ("imap.example.org", 3)
    stopped = await rig.surface.desk.disconnect("mb_0001", BY)
    assert await rig.surface.quiet_hosts.of_all([views[0], stopped]) is None
    assert await rig.surface.quiet_hosts.of_all([]) is None


async def test_a_look_that_waits_for_its_host_is_found_on_any_node(rig):
    await rig.fill(1)
    view = await rig.surface.desk.set_secret("mb_0000", Secret("another"), BY)
    assert await rig.surface.quiet_hosts.of(view) is None
    await refused(rig.store, rig.clock.now(), 3)
    found = await rig.surface.quiet_hosts.of(view)
    assert (found.host, found.refused) == ("imap.example.org", 3)
    rig.clock.advance(601)
    assert await rig.surface.quiet_hosts.of(view) is None
