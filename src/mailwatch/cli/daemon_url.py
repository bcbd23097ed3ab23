"""Where the daemon serves HTTP: as the command line says, else as the configuration says, else at the default."""

from pathlib import Path
from typing import Annotated, Final

import typer

from mailwatch.cli.output import CliError, ExitCode

DEFAULT_URL: Final = "http://127.0.0.1:9725"
#: Addresses that a server listens at and nobody can connect to.
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # nothing is bound here

UrlOption = Annotated[
    str | None,
    typer.Option(
        help=f"Where the daemon serves HTTP (default: [web] listen of the configuration, else {DEFAULT_URL}).",
        envvar="MAILWATCH_URL",
        show_default=False,
    ),
]


def url_of(url: str | None, config: Path | None) -> str:
    """*url*, or that of the configuration; raises CliError when one was named that cannot be used.

    One of the usual places that may not be read, or is faulty, is passed over: who asks the daemon need not be its user.
    """
    if url is not None:
        return url
    from mailwatch.config import ConfigError, load, locate  # noqa: PLC0415  # pydantic is slow to import

    path = locate(config)
    if path is None:
        return DEFAULT_URL
    try:
        settings = load(path)
    except ConfigError as error:
        if config is None:
            return DEFAULT_URL
        raise CliError(f"the configuration cannot be used:\n{error}", ExitCode(error.exit_code)) from None
    host = _ANYWHERE.get(settings.web.host, settings.web.host)
    scheme = "https" if _has_tls(settings.metrics.web_config) else "http"
    return f"{scheme}://[{host}]:{settings.web.port}" if ":" in host else f"{scheme}://{host}:{settings.web.port}"


def _has_tls(web_config: str | None) -> bool:
    """Whether that file gives the daemon a certificate; one that may not be read is taken for none."""
    if web_config is None:
        return False
    from mailwatch.web.exporter_config import WebConfigError, read  # noqa: PLC0415  # only where there is such a file

    try:
        return read(Path(web_config)).tls is not None
    except (WebConfigError, OSError):
        return False
