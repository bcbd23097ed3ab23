"""Incidents in memory (ports.incidents.Incidents), what is read set by the test."""

from dataclasses import replace

from mailwatch.core.incidents.picture import Failing, FreshFailures, Recent, Recovered
from mailwatch.ports.campaigns import StaleError
from mailwatch.ports.incidents import IncidentNotFoundError, IncidentOverError


class FakeIncidents:
    def __init__(self):
        self.stored = {}
        self.fresh, self.failing, self.recovered = [], [], []
        self.sizes = []
        self.learnt = {}
        self.waiting = {}
        self.suspected = []
        self.hastened = []
        self.is_holder = True
        self.holders = {}  # of duties: (node, until), for tests of several nodes
        self.acts = []
        self.saved = 0

    def fail(self, traits, cause, count, at, *, lately=None):
        """*count* mailboxes failed freshly, the last *at*."""
        self.fresh.append(FreshFailures(traits, cause, count, count if lately is None else lately, at))
        self.failing.append(Failing(traits, count, count))

    def settle(self):
        """Nothing fails any more, nothing is away, and everything that was came back."""
        self.recovered = [Recovered(each.traits, each.count) for each in self.failing]
        self.failing = []

    async def hold(self, duty, now, seconds):
        return self.is_holder

    async def recent(self, since, lately, begun=()):
        """What a test does not date failed just now."""
        fresh = [each if each.last_at > lately else replace(each, lately=0) for each in self.fresh if each.last_at > since]
        newest = max(begun, default=None)
        failing = [each if each.after else replace(each, after=newest) for each in self.failing]
        return Recent(fresh, failing, [each if each.after else replace(each, after=newest) for each in self.recovered])

    async def watched(self):
        return self.sizes

    async def known(self, closed_since):
        return [each for each in self.stored.values() if each.is_open or each.closed_at >= closed_since]

    async def save(self, incidents):
        self.saved += bool(incidents)
        self.stored.update({each.id: each for each in incidents})

    async def close(self, incident_id, at, act, *, version=None):
        if incident_id not in self.stored:
            raise IncidentNotFoundError(f"no incident {incident_id!r}")
        known = self.stored[incident_id]
        if version not in (None, known.version):
            raise StaleError("look again")
        if not known.is_open:
            raise IncidentOverError(incident_id, known.closed_at)
        self.stored[incident_id] = replace(known, closed_at=at)
        self.acts.append(act)
        return self.stored[incident_id]

    async def listed(self, before, limit, *, is_open=None):
        return [each for each in self.stored.values() if is_open in (None, each.is_open)]

    async def find(self, incident_id):
        return self.stored.get(incident_id)

    async def affected(self, incident, limit):
        return [], []

    async def baselines(self):
        return self.learnt

    async def learn(self, learnt):
        self.learnt = {**self.learnt, **learnt}

    async def suspects(self, incident, limit):
        return self.suspected[:limit]

    async def hasten(self, incident, now):
        self.hastened.append(incident.id)
        return 0

    async def waiting_for(self, incident, causes, limit):
        return [mailbox_id for mailbox_id, cause in self.waiting.items() if cause in causes][:limit]
