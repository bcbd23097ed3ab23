"""Running OAuth consents at rest (ports.consents.ConsentSessions): begun by one browser, taken once, ended for good.

State and browser are kept as hashes, the PKCE verifier is sealed for its flow alone and wiped as soon as nobody needs it any more:
in its place stays the mark of whoever took it.
"""

import secrets as chance
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from mailwatch.core.secret import Secret
from mailwatch.ports import Act, Clock, MailboxNotFoundError, SecretUnreadableError
from mailwatch.ports.consents import ConsentSession, ConsentState
from mailwatch.store.audit import write_audit
from mailwatch.store.canaries import require_key
from mailwatch.store.engine import Attempt, Database
from mailwatch.store.schema import standings
from mailwatch.store.schema_people import consents
from mailwatch.store.vault import Vault, key_of

#: How long an ended flow can be looked up.
KEPT: Final = timedelta(days=30)
_REPLACED: Final = "another consent for this mailbox was begun after this one"
_UNDER_WAY: Final = (ConsentState.WAITING, ConsentState.EXCHANGING)
_WIPED: Final[Mapping[str, str]] = {"kid": "", "verifier": ""}

# where all who change a mailbox begin: of two flows begun at once one is the older, and none is begun for one that is being removed
_MAILBOX: Final = select(standings.c.mailbox_id).where(standings.c.mailbox_id == bindparam("of")).with_for_update()
_BY_ID: Final = select(consents).where(consents.c.id == bindparam("of"))
_BY_STATE: Final = select(consents).where(consents.c.state_hash == bindparam("of")).with_for_update()
_OF_MAILBOX: Final = (
    select(consents).where(consents.c.mailbox_id == bindparam("of")).order_by(consents.c.created_at.desc(), consents.c.id.desc())
)
_SEALED: Final = select(consents.c.id, consents.c.kid, consents.c.verifier).where(consents.c.kid != "")


class SqlConsents:
    """The consents of one database."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def begin(
        self, session: ConsentSession, *, state_hash: str, browser_hash: str, verifier: Secret, act: Act | None = None
    ) -> None:
        """Keep a new flow, with *act* in the audit log; an older waiting one of the same mailbox is ended.

        Raises MailboxNotFoundError, KeyRetiredError.
        """
        sealed = self._vault.seal("consents", session.id, "verifier", verifier)
        kid = key_of(sealed)
        row = {**_row(session), "state_hash": state_hash, "browser_hash": browser_hash, "kid": kid, "verifier": sealed}
        older = (consents.c.mailbox_id == session.mailbox_id, consents.c.id != session.id)

        async def work(attempt: Attempt) -> None:
            connection = attempt.connection
            if (await connection.execute(_MAILBOX, {"of": session.mailbox_id})).first() is None:
                raise MailboxNotFoundError(f"no mailbox {session.mailbox_id}")
            if attempt.doubtful and (await connection.execute(_BY_ID, {"of": session.id})).first() is not None:
                return
            await require_key(attempt, self._vault, kid)
            await connection.execute(delete(consents).where(*older, consents.c.expires_at < session.created_at - KEPT))
            ended = {"state": ConsentState.EXPIRED.value, "error": _REPLACED, **_WIPED}
            waiting = consents.c.state == ConsentState.WAITING.value
            await connection.execute(update(consents).where(*older, waiting).values(ended))
            await connection.execute(insert(consents), row)
            if act is not None:
                await write_audit(attempt, act, session.created_at, mailbox_id=session.mailbox_id, subject=session.id)

        await self._database.write(work)

    async def take(self, state_hash: str, browser_hash: str, now: datetime) -> tuple[ConsentSession, Secret] | None:
        """The flow and its PKCE verifier, once: afterwards it is EXCHANGING.  None: unknown, used, ended, or another browser's.

        Raises SecretUnreadableError when the verifier cannot be opened; the flow is not used up then.
        """
        mark = f"taken.{chance.token_hex(8)}"
        opened: Secret | None = None

        async def work(attempt: Attempt) -> tuple[ConsentSession, Secret] | None:
            nonlocal opened
            row = (await attempt.connection.execute(_BY_STATE, {"of": state_hash})).first()
            if row is None or not compare_digest(row.browser_hash.encode(), browser_hash.encode()):
                return None
            if opened is not None and row.verifier == mark:
                return _session(row, now), opened  # the commit whose answer was lost had gone through
            if row.state != ConsentState.WAITING or now >= row.expires_at:
                return None
            opened = self._vault.open("consents", row.id, "verifier", row.verifier)
            values = {"state": ConsentState.EXCHANGING.value, "kid": "", "verifier": mark}
            await attempt.connection.execute(update(consents).where(consents.c.id == row.id).values(values))
            taken = (await attempt.connection.execute(_BY_ID, {"of": row.id})).one()
            return _session(taken, now), opened

        return await self._database.write(work)

    async def finish(self, session_id: str, state: ConsentState, error: str | None = None, *, act: Act | None = None) -> None:
        """How it went, with *act* in the audit log; what was stored or failed before stays as it was told."""
        told = consents.c.state.in_((ConsentState.STORED.value, ConsentState.FAILED.value))

        async def work(attempt: Attempt) -> None:
            values = {"state": state.value, "error": error, **_WIPED}
            ended = await attempt.connection.execute(update(consents).where(consents.c.id == session_id, ~told).values(values))
            if act is not None and ended.rowcount:
                row = (await attempt.connection.execute(_BY_ID, {"of": session_id})).one()
                await write_audit(attempt, act, self._clock.now(), mailbox_id=row.mailbox_id, subject=session_id)

        await self._database.write(work)

    async def find(self, session_id: str, now: datetime) -> ConsentSession | None:
        """What the API shows; what is under way past its end reads EXPIRED."""

        async def work(attempt: Attempt) -> ConsentSession | None:
            row = (await attempt.connection.execute(_BY_ID, {"of": session_id})).first()
            return None if row is None else _session(row, now)

        return await self._database.read(work)

    async def of_mailbox(self, mailbox_id: str) -> Sequence[ConsentSession]:
        """The flows of a mailbox, newest first."""
        now = self._clock.now()

        async def work(attempt: Attempt) -> Sequence[ConsentSession]:
            return [_session(row, now) for row in (await attempt.connection.execute(_OF_MAILBOX, {"of": mailbox_id})).all()]

        return await self._database.read(work)


def _row(session: ConsentSession) -> dict[str, Any]:
    return {
        "id": session.id,
        "mailbox_id": session.mailbox_id,
        "app": session.app,
        "state": session.state.value,
        "actor": session.actor,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "error": session.error,
        "user_code": session.user_code,
        "verification_url": session.verification_url,
    }


def _session(row: Row[Any], now: datetime) -> ConsentSession:
    state = ConsentState(row.state)
    return ConsentSession(
        id=row.id,
        mailbox_id=row.mailbox_id,
        app=row.app,
        state=ConsentState.EXPIRED if state in _UNDER_WAY and now >= row.expires_at else state,
        created_at=row.created_at,
        expires_at=row.expires_at,
        actor=row.actor,
        error=row.error,
        user_code=row.user_code,
        verification_url=row.verification_url,
    )


# --- key rotation --------------------------------------------------------------------------------------------------------------


async def verifiers_by_key(attempt: Attempt) -> Mapping[str, int]:
    """How many verifiers each key id seals."""
    counted = select(consents.c.kid, func.count().label("number")).where(consents.c.kid != "").group_by(consents.c.kid)
    return {row.kid: row.number for row in (await attempt.connection.execute(counted)).all()}


async def reseal_verifiers(attempt: Attempt, vault: Vault) -> tuple[int, list[str]]:
    """Seal every waiting flow's verifier under the active key; how many, and why for each that could not be opened."""
    rows = (await attempt.connection.execute(_SEALED.where(consents.c.kid != vault.active).with_for_update())).all()
    done, unopened = 0, list[str]()
    for row in rows:
        try:
            verifier = vault.open("consents", row.id, "verifier", row.verifier)
        except SecretUnreadableError as error:
            unopened.append(str(error))
            continue
        sealed = vault.seal("consents", row.id, "verifier", verifier)
        await require_key(attempt, vault, key_of(sealed))
        anew = {"kid": key_of(sealed), "verifier": sealed}
        await attempt.connection.execute(update(consents).where(consents.c.id == row.id).values(anew))
        done += 1
    return done, unopened
