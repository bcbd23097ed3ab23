"""Re-sealing stored secrets under the key ring's active key: in small transactions, restartable, readable at every moment.

The ring that holds both keys is on disk before the first row is written anew, so whichever row is read, its key is there.  Before
the older keys go, they are taken out of use (`canaries`): a node that goes on sealing with one would lose what it seals.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, func, or_, select, update

from mailwatch.ports import SecretUnreadableError
from mailwatch.store.canaries import require_key
from mailwatch.store.consents import reseal_verifiers, verifiers_by_key
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema import secrets
from mailwatch.store.vault import Vault, key_of

_BATCH: Final = 200
_BY_KEY: Final = select(secrets.c.kid, func.count().label("number")).group_by(secrets.c.kid)
_OLD: Final = (
    select(secrets)
    .where(
        secrets.c.kid != bindparam("active"),
        or_(
            secrets.c.mailbox_id > bindparam("after_id"),
            and_(secrets.c.mailbox_id == bindparam("after_id"), secrets.c.field > bindparam("after_field")),
        ),
    )
    .order_by(secrets.c.mailbox_id, secrets.c.field)
    .limit(_BATCH)
    .with_for_update()
)
_RESEAL: Final = (
    update(secrets)
    .where(
        secrets.c.mailbox_id == bindparam("of"),
        secrets.c.field == bindparam("of_field"),
        secrets.c.sealed == bindparam("of_sealed"),
    )
    .values(kid=bindparam("kid"), sealed=bindparam("sealed"))
)


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a run of re-sealing did."""

    done: int
    unreadable: tuple[str, ...]  #: why, for each secret that could not be opened; it stays as it is


async def secrets_by_key(database: Database) -> Mapping[str, int]:
    """How many secrets each key id seals."""

    async def work(attempt: Attempt) -> Mapping[str, int]:
        stored = Counter({row.kid: row.number for row in (await attempt.connection.execute(_BY_KEY)).all()})
        return stored + Counter(await verifiers_by_key(attempt))

    return await database.read(work)


async def reseal(database: Database, vault: Vault, tell: Callable[[int], None] | None = None) -> Resealed:
    """Seal everything under the active key; *tell* hears the count after each batch.  Killed at any moment, it can be run again."""
    done, unreadable, cursor = 0, list[str](), ("", "")
    while True:
        place = cursor

        async def work(attempt: Attempt, place: tuple[str, str] = place) -> tuple[int, list[str], tuple[str, str] | None]:
            return await _one_batch(attempt, vault, place)

        number, unopened, after = await database.write(work)
        done += number
        unreadable += unopened
        if after is None:
            break
        cursor = after
        if tell is not None:
            tell(done)
    # those of running consents: few, and gone in minutes
    number, unopened = await database.write(lambda attempt: reseal_verifiers(attempt, vault))
    return Resealed(done + number, (*unreadable, *unopened))


async def _one_batch(attempt: Attempt, vault: Vault, place: tuple[str, str]) -> tuple[int, list[str], tuple[str, str] | None]:
    values = {"active": vault.active, "after_id": place[0], "after_field": place[1]}
    rows = (await attempt.connection.execute(_OLD, values)).all()
    if not rows:
        return 0, [], None
    anew, unopened = list[dict[str, Any]](), list[str]()
    for row in rows:
        try:
            anew.append(_anew(row, vault))
        except SecretUnreadableError as error:
            unopened.append(str(error))
    if anew:
        for kid in {row["kid"] for row in anew}:
            await require_key(attempt, vault, kid)
        await attempt.connection.execute(_RESEAL, anew)
    return len(anew), unopened, (rows[-1].mailbox_id, rows[-1].field)


def _anew(row: Row[Any], vault: Vault) -> dict[str, Any]:
    secret = vault.open("secrets", row.mailbox_id, row.field, row.sealed)
    sealed = vault.seal("secrets", row.mailbox_id, row.field, secret)
    return {"of": row.mailbox_id, "of_field": row.field, "of_sealed": row.sealed, "kid": key_of(sealed), "sealed": sealed}
