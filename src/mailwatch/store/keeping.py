"""What is done to a database as a whole: keys, health, copies, and what is measured of it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mailwatch.ports import Clock
from mailwatch.store import rotation
from mailwatch.store.backup import backup
from mailwatch.store.canaries import retire_older
from mailwatch.store.checkup import findings
from mailwatch.store.engine import Database
from mailwatch.store.impaired import impaired
from mailwatch.store.node_keys import SqlNodeKeys
from mailwatch.store.reading import Reading
from mailwatch.store.shared_clock import skew_seconds
from mailwatch.store.vault import Vault


class Keeping(Reading):
    """The part of the store that looks after the database itself."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        super().__init__(database)
        self._vault = vault
        self._clock = clock
        self.node_keys = SqlNodeKeys(database, vault, clock)

    async def secrets_by_key(self) -> Mapping[str, int]:
        """How many secrets each key id seals."""
        return await rotation.secrets_by_key(self._database)

    async def unopenable(self) -> Mapping[str, int]:
        """How many secrets each key seals that the key ring does not hold."""
        held = self._vault.usable_ids
        return {kid: number for kid, number in (await self.secrets_by_key()).items() if kid not in held}

    async def impaired(self) -> Mapping[tuple[str, str], int]:
        """How many mailboxes cannot be looked at, by provider and the fault of ours that prevents it."""
        return await impaired(self._database)

    async def reseal(self, tell: Callable[[int], None] | None = None) -> rotation.Resealed:
        """Seal every secret under the active key; restartable at any moment."""
        resealed = await rotation.reseal(self._database, self._vault, tell)
        await self._database.scrub()
        return resealed

    async def retire_older_keys(self) -> None:
        """Let no node seal anything with an older key of the ring any more; raises KeyRetiredError when the ring is no present one.

        What was sealed until then is sealed anew by one more `reseal`: only then may the keys go.
        """
        await retire_older(self._database, self._vault)

    async def check(self) -> Sequence[str]:
        """What is wrong with the database, a sentence each."""
        return await findings(self._database, self._vault, self._clock.now())

    async def backup(self, target: Path) -> None:
        """Copy the database to *target* while it is in use (SQLite only); raises SchemaError, StoreUnavailableError."""
        await backup(self._database, target)

    async def clock_skew_seconds(self) -> float:
        """How far this node's clock is ahead of the database's (negative: behind); 0 where they are one."""
        return await skew_seconds(self._database, self._clock)

    def log_bytes(self) -> int:
        """The size of SQLite's write-ahead log; 0 where there is none."""
        return self._database.log_bytes()
