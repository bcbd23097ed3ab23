"""A database whose commits go through and get no answer, so that everything written is run a second time, in doubt."""

from mailwatch.store.engine import Attempt


class LostAnswer:
    """Writes through *database* twice: as `store.engine.Database` does when the connection dies while it commits."""

    def __init__(self, database):
        self._database = database

    @property
    def is_sqlite(self):
        return self._database.is_sqlite

    async def read(self, work):
        return await self._database.read(work)

    async def write(self, work):
        await self._database.write(work)
        return await self._database.write(lambda attempt: work(Attempt(attempt.connection, doubtful=True)))
