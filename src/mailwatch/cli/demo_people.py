"""The people of the demo: mailbox owners and administrators who set right, after a while, what only they can.

They do it the way real ones do: at the provider first, then in mailwatch, through the same store calls the other routes use.
"""

import asyncio
from typing import Final

from mailwatch.core import acts
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import IllegalMoveError, State
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.secret import Secret
from mailwatch.core.standing import Decision, Standing, Transition
from mailwatch.daemon import Parts
from mailwatch.ports import Act
from mailwatch.sim import World

#: How long until somebody has read the message and acts.
REACTION_SECONDS: Final = 14.0
#: How long they wait for it to be set right at the provider before they try all the same.
_PATIENCE_SECONDS: Final = 120
#: Nobody acts on these: the last page of the story is a mailbox that still waits for its owner.
_LEFT_ALONE: Final = frozenset({Cause.APP_PASSWORD_REQUIRED})
_NEW_PASSWORD: Final = frozenset({Cause.INVALID_CREDENTIALS, Cause.PASSWORD_EXPIRED})
_NEW_CONSENT: Final = frozenset({Cause.OAUTH_GRANT_REVOKED, Cause.OAUTH_TOKEN_EXPIRED, Cause.MFA_REQUIRED})


class People:
    """Hears of every transition; acts on blocked mailboxes after `reaction_seconds`."""

    def __init__(self, world: World, parts: Parts, reaction_seconds: float = REACTION_SECONDS) -> None:
        self._world = world
        self._parts = parts
        self._reaction = reaction_seconds
        self._acting: set[asyncio.Task[None]] = set()
        self._noticed: dict[str, int] = {}  #: the latest version of each mailbox's standing that somebody was told of

    def hear(self, mailbox: Mailbox, transition: Transition) -> None:
        """A mailbox changed its state."""
        self.notice(mailbox, transition.to_state, transition.cause, transition.version)

    def notice(self, mailbox: Mailbox, state: State, cause: Cause | None, version: int) -> None:
        """A mailbox stands so, by *version* of its standing; each is acted on once, however often it is told."""
        if version <= self._noticed.get(mailbox.id, -1):
            return
        self._noticed[mailbox.id] = version
        if state is State.BLOCKED and cause not in _LEFT_ALONE:
            task = asyncio.get_running_loop().create_task(self._act(mailbox, cause))
            self._acting.add(task)
            task.add_done_callback(self._acting.discard)

    async def leave(self) -> None:
        """Stop acting."""
        for task in self._acting:
            task.cancel()
        await asyncio.gather(*self._acting, return_exceptions=True)

    async def _act(self, mailbox: Mailbox, cause: Cause | None) -> None:
        await asyncio.sleep(self._reaction)
        for _ in range(_PATIENCE_SECONDS):
            if not self._world.hinders(mailbox.address):
                break
            await asyncio.sleep(1.0)  # first it is set right at the provider
        if cause in _NEW_PASSWORD:
            password = f"new-{len(self._world.happenings)}-{mailbox.id}"
            self._world.set_password(mailbox.address, password)
            await self._store_secret(mailbox, Secret(password))
        elif cause in _NEW_CONSENT:
            await self._store_secret(mailbox, Secret(self._world.consent(mailbox.address)))
        else:
            await self._press_reconnect(mailbox)

    async def _store_secret(self, mailbox: Mailbox, secret: Secret) -> None:
        actor = f"owner of {mailbox.address}"

        def decide(standing: Standing) -> Decision:
            return acts.new_secret(standing, self._parts.clock.now(), actor)

        decision = await self._parts.store.set_secret(mailbox.id, secret, decide, Act(actor, "mailbox.set_secret", "demo"))
        self._tell(mailbox, decision)

    async def _press_reconnect(self, mailbox: Mailbox) -> None:
        actor = "administrator"

        def decide(standing: Standing) -> Decision:
            return acts.reconnect(standing, self._parts.clock.now(), actor)

        try:
            decision = await self._parts.store.change(mailbox.id, decide, Act(actor, "mailbox.reconnect", "demo"))
        except IllegalMoveError:
            return  # it came back by itself meanwhile
        self._tell(mailbox, decision)

    def _tell(self, mailbox: Mailbox, decision: Decision) -> None:
        for transition in decision.transitions:
            self._parts.live.publish(mailbox, transition)
