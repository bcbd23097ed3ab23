"""`mailwatch(…)` runs a verb as the shell would, on an installation of the test's own."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from contract.fleet import SetClock, filled
from mailwatch.cli import build
from mailwatch.cli.opening import WallClock
from mailwatch.store import KeyRing, SqlStore, Vault


class Installation:
    """A configuration, a key ring and a database in one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.database = folder / "mailwatch.db"
        self.ring = folder / "ring"
        self.config = folder / "mailwatch.toml"
        self.url = f"sqlite:///{self.database}"
        self.config.write_text(
            f'[store]\nurl = "{self.url}"\n[secrets]\nkeyring = {{ file = "{self.ring}" }}\n'
            '[oauth.outreach]\nkind = "google"\nclient_id = "x"\n'
        )

    def run(self, *arguments, given=None):
        """The result of `mailwatch ARGUMENTS --config …`."""
        words = [str(argument) for argument in arguments]
        return CliRunner().invoke(build(words), [*words, "--config", str(self.config)], input=given)

    def well(self, *arguments, given=None):
        """What it prints, after it ended well."""
        result = self.run(*arguments, given=given)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments):
        """The document it prints."""
        return json.loads(self.well(*arguments, "--json"))

    def with_store(self, work, clock=None):
        """What the coroutine function *work* returns, given the store opened."""

        async def run():
            store = SqlStore(self.url, Vault(KeyRing.read(self.ring.read_text())), clock or WallClock(), node="test")
            await store.open()
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(run())

    def addresses(self):
        """The addresses of all mailboxes, by id."""
        return [mailbox["address"] for mailbox in self.json("mailbox", "list")["mailboxes"]]

    def state(self, address):
        """The state a mailbox is in."""
        return self.json("mailbox", "show", address)["state"]

    def fill(self, count):
        """Add mailboxes user0@example.org …."""
        self.with_store(lambda store: filled(store, count), SetClock())


@pytest.fixture
def bare(tmp_path):
    """An installation without key ring and database."""
    return Installation(tmp_path)


@pytest.fixture
def installed(bare):
    """An installation ready for use."""
    bare.ring.write_text(KeyRing.generate().text())
    bare.ring.chmod(0o600)
    bare.well("db", "migrate")
    return bare
