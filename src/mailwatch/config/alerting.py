"""[alertmanager]: whether mailwatch pushes its alerts by itself, and how."""

import re
from typing import Annotated, Final

from pydantic import Field

from mailwatch.config.references import Reference
from mailwatch.config.section import Section, WebUrl, checked

#: A label's name as Prometheus takes it (its data model); those with two underscores in front are its own.
_LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_OWN_LABELS: Final = frozenset({"alertname", "severity", "incident", "provider", "cause", "owner", "mailbox", "person"})


def _label(name: str) -> bool:
    return _LABEL.fullmatch(name) is not None and name not in _OWN_LABELS


LabelName = Annotated[str, checked(_label, "a label's name that mailwatch's alerts do not have already", "cluster")]


class Alertmanager(Section):
    """Alerts pushed to Alertmanager within seconds, one for each incident. Without it Prometheus and the shipped rules do it."""

    urls: Annotated[tuple[WebUrl, ...], Field(strict=False)] = Field(
        default=(),
        description="Alertmanagers to push to, all peers of a cluster; none: nothing is pushed.",
        examples=[["http://127.0.0.1:9093"]],
    )
    token: Reference | None = Field(
        default=None,
        description="A bearer token, where a proxy in front of Alertmanager asks for one.",
        examples=[{"credential": "alertmanager-token"}],
    )
    external_labels: dict[LabelName, str] = Field(
        default={"job": "mailwatch"},
        description="Labels every alert has; job goes with the inhibition rules of alerts/alertmanager.example.yml.",
    )
    resend_seconds: float = Field(
        default=60,
        ge=5,
        le=3600,
        description="How often what fires is sent again; it resolves by itself four times as long after mailwatch was last heard.",
    )
    linger_seconds: float = Field(
        default=180,
        ge=0,
        le=3600,
        description="How long the alert of an incident goes on after its end: a little longer than what the shipped rules say of "
        "the same outage, so that these are over first. A relapse within that time is no news.",
    )
    mailbox_alerts: bool = Field(
        default=False,
        description="Whether each mailbox that its owner or an administrator must mend is an alert of its own, beside the one "
        "for all of its kind.",
    )
