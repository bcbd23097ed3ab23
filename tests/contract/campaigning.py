"""Campaigns, and mailboxes that come and go, for the tests of the pause ledger."""

from dataclasses import replace
from datetime import timedelta

from contract.fleet import NOON, add, password_mailbox
from mailwatch.core.campaigns import Campaign, CampaignState
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.standing import Decision, Transition
from mailwatch.ports import Act

ANN = Act("user:ann", "campaign.test", "203.0.113.7")
PROBE = Act("mailwatch", "probe")

#: By what trigger mailwatch moves a mailbox into a state.
BY_ITSELF = {
    State.SUSPECT: Trigger.PROBE_FAILED,
    State.RECONNECTING: Trigger.FAILURE_CONFIRMED,
    State.VERIFYING: Trigger.PROBE_SUCCEEDED,
    State.BLOCKED: Trigger.PERSON_NEEDED,
    State.CONNECTED: Trigger.VERIFIED,
}


def after(minutes):
    return NOON + timedelta(minutes=minutes)


def stepped(standing, to, trigger, at, actor="mailwatch", **fields):
    """A decision that moves *standing* into *to*."""
    version = standing.version + 1
    cause = fields.pop("cause", None if to in (State.CONNECTED, State.VERIFYING) else Cause.SERVER_UNAVAILABLE)
    then = replace(standing, state=to, version=version, since_at=at, cause=cause, **fields)
    step = Transition(standing.mailbox_id, version, at, standing.state, to, trigger, cause, actor=actor)
    return Decision(standing, then, (step,))


async def goes(store, mailbox_id, to, at=NOON, **fields):
    """mailwatch finds *mailbox_id* to be in state *to*."""
    return await store.change(mailbox_id, lambda standing: stepped(standing, to, BY_ITSELF[to], at, **fields), PROBE)


async def away(store, *mailbox_ids, at=NOON, **fields):
    for mailbox_id in mailbox_ids:
        await goes(store, mailbox_id, State.RECONNECTING, at, **fields)


async def back(store, *mailbox_ids, at=NOON, **fields):
    for mailbox_id in mailbox_ids:
        await goes(store, mailbox_id, State.CONNECTED, at, **fields)


def campaign(campaign_id="spring", *mailbox_ids, **fields):
    values = {"name": campaign_id, "state": CampaignState.ACTIVE, "created_at": NOON, "updated_at": NOON, "mailboxes": mailbox_ids}
    return Campaign(id=campaign_id, **(values | fields))


async def running(store, mailboxes=2, names=("spring",)):
    """Campaigns *names*, each sending through all of some connected mailboxes; the mailboxes' ids."""
    ids = await add(store, *(password_mailbox(number, campaigns=tuple(names)) for number in range(mailboxes)))
    await back(store, *ids)
    return list(ids)


async def state_of(store, name="spring"):
    return (await store.campaigns.find(name)).campaign.state


async def open_pauses(store, name="spring"):
    return (await store.campaigns.find(name)).pauses


async def events_of(store, kind=None):
    found = await store.outbox.events(0, 10_000)
    return [event for event in found if kind is None or event.type.startswith(kind)]
