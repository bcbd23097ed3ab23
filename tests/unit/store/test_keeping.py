"""What is measured of a database as a whole."""

from contract.fleet import filled
from mailwatch.store import SqlStore, Vault
from mailwatch.store.keeping import Keeping


async def test_the_size_of_the_log_is_that_of_the_file_beside_the_database(store, path):
    await filled(store, 3)
    assert isinstance(store, Keeping)
    assert store.log_bytes() == path.with_name(f"{path.name}-wal").stat().st_size > 0


async def test_where_there_is_no_such_log_its_size_is_nothing(keyring, clock, tmp_path):
    for url in ("postgresql://nobody@db.example.org/mailwatch", f"sqlite:///{tmp_path}/none.db"):
        assert SqlStore(url, Vault(keyring), clock, node="a").log_bytes() == 0
