"""Between values of the core and rows of the tables.

A standing's columns that something sorts or filters by stand alone; everything else is one small JSON text (`rest`) in which
defaults are left out, so that a healthy mailbox costs some hundred bytes.  Moments inside JSON are whole microseconds too.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.gates import gate_of
from mailwatch.core.lifecycle import Effect, State, Trigger
from mailwatch.core.mailbox import AuthKind, Endpoint, Mailbox, Protocol
from mailwatch.core.standing import ChannelHealth, Confidence, Diagnosis, Standing, Transition
from mailwatch.store.schema import from_micros, to_micros

Row = Mapping[str, Any]

_dump: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_NO_CHANNELS: Final[Mapping[Protocol, ChannelHealth]] = MappingProxyType({})
_NO_LABELS: Final[Mapping[str, str]] = MappingProxyType({})


def login_host(mailbox: Mailbox) -> str:
    """The host whose login budget counts for this mailbox."""
    endpoints = mailbox.endpoints
    return endpoints[0].host if endpoints else mailbox.domain


# --- mailboxes -------------------------------------------------------------------------------------------------------------------

# Thousands of mailboxes share a handful of endpoints; parsing a URL costs more than all else in a row.
_endpoint: Final = lru_cache(maxsize=4096)(Endpoint.parse)


def mailbox_to_row(mailbox: Mailbox) -> dict[str, Any]:
    """The row of `mailboxes`."""
    return {
        "id": mailbox.id,
        "address": mailbox.address,
        "address_key": mailbox.address.lower(),
        "username": mailbox.username,
        "auth": mailbox.auth.value,
        "imap": mailbox.imap.url if mailbox.imap else None,
        "smtp": mailbox.smtp.url if mailbox.smtp else None,
        "host": login_host(mailbox),
        "provider": mailbox.provider,
        "oauth_app": mailbox.oauth_app,
        "labels": _dump(dict(mailbox.labels)) if mailbox.labels else "",
        "created_at": mailbox.created_at,
    }


def mailbox_from_row(row: Any) -> Mailbox:
    """The mailbox of a row of `mailboxes`."""
    return Mailbox(
        id=row.id,
        address=row.address,
        username=row.username,
        auth=AuthKind(row.auth),
        imap=_endpoint(row.imap) if row.imap else None,
        smtp=_endpoint(row.smtp) if row.smtp else None,
        provider=row.provider,
        created_at=row.created_at,
        oauth_app=row.oauth_app,
        labels=labels_from_row(row),
    )


def labels_from_row(row: Any) -> Mapping[str, str]:
    """The labels of a row of `mailboxes`."""
    return MappingProxyType(json.loads(row.labels)) if row.labels else _NO_LABELS


# --- standings -------------------------------------------------------------------------------------------------------------------


def _moments(value: tuple[datetime, ...]) -> list[int]:
    return [to_micros(moment) for moment in value]


_PLAIN: Final = (
    "failures",
    "attempts",
    "person_sightings",
    "clean_probes",
    "proven",
    "forced",
    "hold_reason",
    "impairment",
    "last_outage_seconds",
    "returned_after_seconds",
)


_MOMENTS: Final = ("verifying_since_at", "hold_until_at", "returned_at", "absent_since_at", "impaired_since_at")


def rest_of(standing: Standing) -> str:
    """The JSON text of what has no column of its own."""
    rest: dict[str, Any] = {}
    if standing.channels:
        rest["channels"] = {
            protocol.value: [health.healthy, to_micros(health.since_at), health.cause.value if health.cause else None]
            for protocol, health in standing.channels.items()
        }
    for name in _PLAIN:
        if value := getattr(standing, name):
            rest[name] = value
    for name in _MOMENTS:
        if (moment := getattr(standing, name)) is not None:
            rest[name] = to_micros(moment)
    if standing.stuck_phase is not None:
        rest["stuck_phase"] = standing.stuck_phase.value
    if standing.rejected_at:
        rest["rejected_at"] = _moments(standing.rejected_at)
    if standing.lost_at:
        rest["lost_at"] = _moments(standing.lost_at)
    if standing.episodes_at:
        rest["episodes_at"] = _moments(standing.episodes_at)
    return _dump(rest) if rest else ""


def standing_to_row(standing: Standing) -> dict[str, Any]:
    """What a write of this standing sets in `standings`: neither keys nor leases."""
    return {
        "state": standing.state.value,
        "cause": standing.cause.value if standing.cause else None,
        "version": standing.version,
        "generation": standing.generation,
        "due_at": standing.due_at,
        "since_at": standing.since_at,
        "last_probe_at": standing.last_probe_at,
        "last_success_at": standing.last_success_at,
        "down_since_at": standing.down_since_at,
        "rest": rest_of(standing),
    }


def new_standing_row(mailbox: Mailbox, standing: Standing) -> dict[str, Any]:
    """The row of a mailbox just added."""
    return {
        "mailbox_id": mailbox.id,
        "provider": mailbox.provider,
        "gate": gate_of(mailbox),
        "changes": 0,
        **standing_to_row(standing),
    }


def _channels(stored: Mapping[str, Any]) -> Mapping[Protocol, ChannelHealth]:
    return MappingProxyType(
        {
            Protocol(name): ChannelHealth(healthy, from_micros(since), Cause(cause) if cause else None)
            for name, (healthy, since, cause) in stored.items()
        }
    )


def standing_from_row(row: Any) -> Standing:
    """The standing of a row of `standings`."""
    rest: dict[str, Any] = json.loads(row.rest) if row.rest else {}
    channels = rest.pop("channels", None)
    for name in _MOMENTS:
        if name in rest:
            rest[name] = from_micros(rest[name])
    for name in ("rejected_at", "lost_at", "episodes_at"):
        if name in rest:
            rest[name] = tuple(map(from_micros, rest[name]))
    if "stuck_phase" in rest:
        rest["stuck_phase"] = Phase(rest["stuck_phase"])
    return Standing(
        mailbox_id=row.mailbox_id,
        state=State(row.state),
        since_at=row.since_at,
        due_at=row.due_at,
        version=row.version,
        generation=row.generation,
        cause=Cause(row.cause) if row.cause else None,
        channels=_channels(channels) if channels else _NO_CHANNELS,
        down_since_at=row.down_since_at,
        last_probe_at=row.last_probe_at,
        last_success_at=row.last_success_at,
        **rest,
    )


# --- transitions -----------------------------------------------------------------------------------------------------------------

_EVIDENCE_FIELDS: Final = tuple((field.name, field.default) for field in fields(Evidence))


def _evidence_to_text(evidence: Evidence) -> str:
    stored = {name: value for name, default in _EVIDENCE_FIELDS if (value := getattr(evidence, name)) != default}
    return _dump(stored)


def _evidence_from_text(text: str) -> Evidence:
    stored = json.loads(text)
    phase = stored.pop("phase", None)
    return Evidence(phase=Phase(phase) if phase else None, **stored)


def _diagnosis_to_text(diagnosis: Diagnosis) -> str:
    return _dump([diagnosis.cause, diagnosis.rule, diagnosis.quote, diagnosis.confidence, diagnosis.retry_after_seconds])


def _diagnosis_from_text(text: str) -> Diagnosis:
    cause, rule, quote, confidence, retry_after_seconds = json.loads(text)
    return Diagnosis(Cause(cause), rule, quote, Confidence(confidence), retry_after_seconds)


def transition_to_row(transition: Transition, operation: str) -> dict[str, Any]:
    """The row of `transitions`; *operation* names the write that makes it."""
    return {
        "mailbox_id": transition.mailbox_id,
        "version": transition.version,
        "at": transition.at,
        "from_state": transition.from_state.value,
        "to_state": transition.to_state.value,
        "trigger": transition.trigger.value,
        "cause": transition.cause.value if transition.cause else None,
        "protocol": transition.protocol.value if transition.protocol else None,
        "diagnosis": _diagnosis_to_text(transition.diagnosis) if transition.diagnosis else None,
        "evidence": _evidence_to_text(transition.evidence) if transition.evidence else None,
        "generation": transition.generation,
        "actor": transition.actor,
        "effects": ",".join(sorted(transition.effects)),
        "credential_age_seconds": transition.credential_age_seconds,
        "operation": operation,
    }


def transition_from_row(row: Any) -> Transition:
    """The transition of a row of `transitions`."""
    return Transition(
        mailbox_id=row.mailbox_id,
        version=row.version,
        at=row.at,
        from_state=State(row.from_state),
        to_state=State(row.to_state),
        trigger=Trigger(row.trigger),
        cause=Cause(row.cause) if row.cause else None,
        protocol=Protocol(row.protocol) if row.protocol else None,
        diagnosis=_diagnosis_from_text(row.diagnosis) if row.diagnosis else None,
        evidence=_evidence_from_text(row.evidence) if row.evidence else None,
        generation=row.generation,
        actor=row.actor,
        effects=frozenset(map(Effect, row.effects.split(","))) if row.effects else frozenset(),
        credential_age_seconds=row.credential_age_seconds,
    )
