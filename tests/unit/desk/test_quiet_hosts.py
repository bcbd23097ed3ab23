"""Which looks are put off for their host, by what all nodes have seen."""

from fakes.web import BY, refused
from mailwatch.core.secret import Secret


async def test_a_look_that_waits_for_its_host_is_found_on_any_node(rig):
    await rig.fill(1)
    view = await rig.surface.desk.set_secret("mb_0000", Secret("another"), BY)
    assert await rig.surface.quiet_hosts.of(view) is None
    await refused(rig.store, rig.clock.now(), 3)
    found = await rig.surface.quiet_hosts.of(view)
    assert (found.host, found.refused) == ("imap.example.org", 3)
    rig.clock.advance(601)
    assert await rig.surface.quiet_hosts.of(view) is None
