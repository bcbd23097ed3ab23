"""OAuth grants in memory, with the leases of the real store: `ports.Grants` for tests."""

from dataclasses import replace
from datetime import datetime

from mailwatch.core.oauth import Grant
from mailwatch.core.secret import Secret
from mailwatch.ports import StoreUnavailableError


class MemoryGrants:
    """One grant; *unavailable* counts down failures of `finish_refresh`."""

    def __init__(self, grant: Grant) -> None:
        self.grant = grant
        self.lease: str | None = None
        self.leases = 0
        self.abandoned = 0
        self.unavailable = 0

    async def load(self, mailbox_id: str) -> Grant:
        return self.grant

    async def begin_refresh(self, mailbox_id: str, *, epoch: int, lease_seconds: float) -> str | None:
        if self.lease is not None or epoch != self.grant.epoch:
            return None
        self.leases += 1
        self.lease = f"lease-{self.leases}"
        return self.lease

    async def finish_refresh(
        self,
        mailbox_id: str,
        lease: str,
        *,
        access_token: Secret,
        expires_at: datetime,
        refresh_token: Secret | None,
        consent_ends_at: datetime | None = None,
    ) -> Grant:
        if self.unavailable:
            self.unavailable -= 1
            raise StoreUnavailableError("the database is locked")
        if lease != self.lease:
            return self.grant  # somebody else was quicker: a late result is dropped
        self.lease = None
        self.grant = replace(
            self.grant,
            epoch=self.grant.epoch + 1,
            access_token=access_token,
            expires_at=expires_at,
            refresh_token=refresh_token or self.grant.refresh_token,
            consent_ends_at=consent_ends_at or self.grant.consent_ends_at,
        )
        return self.grant

    async def abandon_refresh(self, mailbox_id: str, lease: str) -> None:
        if lease == self.lease:
            self.abandoned += 1
            self.lease = None
