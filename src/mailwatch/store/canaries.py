"""Whether the key ring fits the database: a canary for each key id, checked when the store is opened."""

from sqlalchemy import insert, select

from mailwatch.ports import SecretUnreadableError
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema import keys
from mailwatch.store.vault import Vault


async def check_keys(database: Database, vault: Vault) -> None:
    """Raise SecretUnreadableError when the ring's active key is another than the one known under its id.

    An older key that is wrong or missing stops nobody but the mailboxes still sealed with it; each says so when it is opened.
    """

    async def stored(attempt: Attempt) -> dict[str, str]:
        return {row.kid: row.canary for row in (await attempt.connection.execute(select(keys))).all()}

    if not vault.key_ids:
        return  # opened without keys, to look at everything but secrets
    known = await database.read(stored)
    wrong = [kid for kid in vault.key_ids if kid in known and not vault.opens_canary(kid, known[kid])]
    if vault.active in wrong:
        raise SecretUnreadableError(
            f"the key ring's key {vault.active} is not the one this database was sealed with; it is another installation's key ring"
        )
    if vault.active not in known:
        await database.write(lambda attempt: _store(attempt, vault))


async def _store(attempt: Attempt, vault: Vault) -> None:
    kid = vault.active
    # two nodes may come here together
    if (await attempt.connection.execute(select(keys.c.kid).where(keys.c.kid == kid).with_for_update())).first() is None:
        await attempt.connection.execute(insert(keys).values(kid=kid, canary=vault.canary(kid)))
