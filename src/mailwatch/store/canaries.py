"""Whether the key ring fits the database: a canary for each key id, checked at the opening and whenever something is sealed.

The row of a key that a rotation took out of use stays, without its canary: a node that has not heard of the rotation, or starts
with an old copy of the ring, learns it here.  It is the fence: before `key rotate --drop-old` takes keys off the ring, nothing can
be sealed with them any more, so that nothing is lost with them.
"""

from typing import Final

from sqlalchemy import bindparam, select, update

from mailwatch.ports import KeyRetiredError, SecretUnreadableError
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.linking import insert_new
from mailwatch.store.schema import keys
from mailwatch.store.vault import Vault

#: In the place of the canary of a key that is out of use.
_RETIRED: Final = ""
#: Whoever retires the key waits for the transactions that seal with it, and they for him.
_HELD: Final = select(keys.c.canary).where(keys.c.kid == bindparam("of")).with_for_update(read=True)
_RETIRE: Final = update(keys).where(keys.c.kid.in_(bindparam("which", expanding=True))).values(canary=_RETIRED)


async def check_keys(database: Database, vault: Vault) -> None:
    """Raise SecretUnreadableError when the ring's active key is another than the one known under its id, or is out of use.

    An older key that is wrong or missing stops nobody but the mailboxes still sealed with it; each says so when it is opened.
    """

    async def stored(attempt: Attempt) -> dict[str, str]:
        return {row.kid: row.canary for row in (await attempt.connection.execute(select(keys))).all()}

    if not vault.key_ids:
        return  # opened without keys, to look at everything but secrets
    known = await database.read(stored)
    if known.get(vault.active) == _RETIRED:
        raise _retired(vault.active)
    wrong = [kid for kid in vault.key_ids if known.get(kid, _RETIRED) != _RETIRED and not vault.opens_canary(kid, known[kid])]
    if vault.active in wrong:
        raise SecretUnreadableError(
            f"the key ring's key {vault.active} is not the one this database was sealed with; it is another installation's key ring"
        )
    if vault.active not in known:
        await database.write(lambda attempt: require_key(attempt, vault, vault.active))


async def require_key(attempt: Attempt, vault: Vault, kid: str) -> None:
    """Let what is sealed with key *kid* be stored in this transaction; raises KeyRetiredError when the key is out of use.

    A key that is new to the database is known from now on.
    """
    canary: str | None = None
    for _ in range(2):  # looked for again behind an insertion: another node's may have come before it
        canary = (await attempt.connection.execute(_HELD, {"of": kid})).scalar_one_or_none()
        if canary is not None:
            break
        await attempt.connection.execute(insert_new(attempt, keys).values(kid=kid, canary=vault.canary(kid)))
    if not canary:
        raise _retired(kid)


async def retire_older(database: Database, vault: Vault) -> None:
    """Take all keys of the ring but the active one out of use, for every node; what they seal can still be read.

    Raises KeyRetiredError when the active one is out of use itself: then this is no present ring.
    """
    older = [kid for kid in vault.key_ids if kid != vault.active]

    async def work(attempt: Attempt) -> None:
        await require_key(attempt, vault, vault.active)
        if older:
            unseen = [{"kid": kid, "canary": _RETIRED} for kid in older]
            await attempt.connection.execute(insert_new(attempt, keys), unseen)
            await attempt.connection.execute(_RETIRE, {"which": older})

    await database.write(work)


def _retired(kid: str) -> KeyRetiredError:
    return KeyRetiredError(
        f"key {kid} is out of use since `mailwatch key rotate --drop-old`, but it is the active one of the key ring in use here: "
        "give this node the present key ring, and restart it"
    )
