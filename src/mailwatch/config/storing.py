"""[store], [secrets], [retention]: where what mailwatch knows is kept, how it is sealed, and for how long."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from mailwatch.config.references import Reference, ReferenceKind, SecretReference
from mailwatch.config.section import Section

_SCHEMES: Final = ("sqlite", "postgresql")


def _store_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is not None or "password=" in parts.query:
        # The URL itself is not repeated: it holds the password.
        raise PydanticCustomError(
            "inline_secret",
            "{problem}\n{cure}",
            {
                "problem": "a secret must not stand in the configuration",
                "cure": "take the password out of the URL; set [store] password = { file = … }",
            },
        )
    if parts.scheme not in _SCHEMES or (parts.scheme == "sqlite" and (parts.netloc or len(parts.path) < 2)):  # noqa: PLR2004  # a slash and a name
        raise PydanticCustomError(
            "not_wanted",
            "{problem}\n{cure}",
            {
                "problem": "not the URL of a database mailwatch can use",
                "cure": "such as sqlite:////var/lib/mailwatch/mailwatch.db (four slashes: an absolute path) or "
                "postgresql://mailwatch@db.example.org/mailwatch",
            },
        )
    return url


class Store(Section):
    """Where mailboxes, their standings and their history are kept."""

    url: Annotated[str, AfterValidator(_store_url)] = Field(
        default="sqlite:////var/lib/mailwatch/mailwatch.db",
        description="The database. SQLite serves one machine and needs no server; several nodes share one "
        "PostgreSQL (postgresql://USER@HOST/DATABASE). A second node on SQLite is refused.",
    )
    node: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = Field(
        default=None,
        description="This node's name, for leases and status; the host's name when absent. Two nodes at one database "
        "need two names.",
        examples=["mailwatch-1"],
    )
    password: Reference | None = Field(
        default=None,
        description="PostgreSQL's password, when it asks for one. It never stands in the URL.",
        examples=[{"credential": "database"}],
    )


class Secrets(Section):
    """What seals the mailboxes' passwords and tokens in the database."""

    keyring: Reference = Field(
        default=SecretReference(ReferenceKind.CREDENTIAL, ("keyring",)),
        json_schema_extra={"default": {"credential": "keyring"}},
        description="The key ring (`mailwatch key generate` makes one). Keep a copy apart from the database's "
        "backup: without it no stored secret can be read. Under systemd the unit's LoadCredential= provides it.",
    )


class Retention(Section):
    """How long history is kept."""

    transitions_days: int = Field(
        default=400,
        ge=1,
        le=36_500,
        description="Transitions are the analysis' raw material; 400 days let a season be compared with the same "
        "one a year before.",
    )
    audit_days: int = Field(
        default=800, ge=1, le=36_500, description="Who did what. Two years and a margin, since questions about it come late."
    )
