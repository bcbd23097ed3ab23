"""The believable fleet."""

from datetime import UTC, datetime

import pytest

from mailwatch.core.mailbox import AuthKind, TlsMode
from mailwatch.sim import World, fleet

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def full(tmp_path):
    async with World(tmp_path, seed=5) as world:
        for spec in fleet.specs():
            await world.add(spec)
        yield world


async def test_the_same_seed_makes_the_same_fleet(full, tmp_path):
    addresses = fleet.populate(full, 300)
    assert len(set(addresses)) == 300
    async with World(tmp_path / "again", seed=5) as again:
        for spec in fleet.specs():
            await again.add(spec)
        assert fleet.populate(again, 300) == addresses


async def test_mailboxes_are_spread_over_the_providers_and_can_all_be_watched(full):
    fleet.populate(full, 200)
    made = fleet.mailboxes(full, NOW)
    by_provider = [new.mailbox.provider for new in made]
    assert {name: by_provider.count(name) for name in full.providers} == {
        "google": 70,
        "microsoft365": 60,
        "yahoo": 20,
        "hoster-a": 30,
        "hoster-b": 20,
    }
    for new in made:
        assert new.secret
        assert new.mailbox.imap is not None
        assert new.mailbox.smtp is not None
        assert (new.mailbox.oauth_app is not None) is (new.mailbox.auth is AuthKind.OAUTH)
        assert new.mailbox.domain.endswith(".example")
    assert {new.mailbox.imap.tls_mode for new in made} == {TlsMode.IMPLICIT, TlsMode.STARTTLS}


async def test_thousands_of_names_do_not_run_out(full):
    assert len(set(fleet.populate(full, 3000))) == 3000


def test_each_provider_can_have_an_address_of_its_own():
    hosts = [spec.host for spec in fleet.specs(own_addresses=True)]
    assert len(set(hosts)) == len(hosts)
    assert all(host.startswith("127.") for host in hosts)
    assert {spec.host for spec in fleet.specs()} == {"127.0.0.1"}
    assert [spec.name for spec in fleet.specs(["yahoo"])] == ["yahoo"]
