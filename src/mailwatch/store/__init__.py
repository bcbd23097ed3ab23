"""The database: mailboxes, standings, transitions, secrets, leases.  The only importer of SQLAlchemy."""

from mailwatch.store.keyring import KeyRing
from mailwatch.store.sql import SqlStore
from mailwatch.store.upgrade import migrate
from mailwatch.store.vault import Vault

__all__ = ["KeyRing", "SqlStore", "Vault", "migrate"]
