"""[metrics]: what of the mailboxes is shown one by one, and who may read metrics."""

from pydantic import Field

from mailwatch.config.section import AbsolutePath, Section


class Metrics(Section):
    """/metrics is always there, in sums. What is more is asked for here."""

    mailboxes: bool = Field(
        default=False,
        description="Whether /metrics/mailboxes is served: series for each single mailbox, those that do not work unless asked "
        "otherwise by ?state=, ?provider= or ?campaign=.",
    )
    address_label: bool = Field(
        default=False,
        description="Whether these series name the address beside the opaque id: whoever reads the metrics then reads who your "
        "customers are.",
    )
    most: int = Field(
        default=10_000,
        ge=1,
        le=100_000,
        description="Mailboxes in one answer; those left out are counted, those in need come first.",
    )
    web_config: AbsolutePath | None = Field(
        default=None,
        description="A file in the form of Prometheus' exporter-toolkit: tls_server_config makes HTTP speak TLS, basic_auth_users "
        "are who may read /metrics and /metrics/mailboxes (from this machine too). Looked at anew for each request.",
        examples=["/etc/mailwatch/web.yml"],
    )
