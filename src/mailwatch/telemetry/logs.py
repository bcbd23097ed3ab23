"""Structured logs on stderr: one line an event, JSON for machines or columns for eyes.

mailwatch's own events and those of its libraries take the same way: allow-listed fields (`log_fields`), made safe, then written by
a thread (`log_sink`).  Libraries are heard from WARNING upwards only, whatever level is set: below it they print what they send.
"""

import atexit
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TextIO, cast

import structlog

from mailwatch.ports import EventLog
from mailwatch.telemetry.log_fields import FieldFilter
from mailwatch.telemetry.log_sink import Sink, is_journal, let_go

#: syslog(3) priorities, as systemd reads them from the start of a line (sd-daemon(3)).
_PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
#: Libraries with their own loggers; asked for by name so that a level set elsewhere cannot open them.
_LIBRARIES: Final = (
    "asyncio",
    "aiohttp",
    "apscheduler",
    "sqlalchemy",
    "alembic",
    "aiosqlite",
    "uvicorn",
    "tenacity",
    "py.warnings",
)
#: These print credentials or every request: never heard.
_SILENT: Final = ("aioimaplib", "aiohttp.access", "uvicorn.access", "mail.log")


class _Lines:
    """What structlog calls its logger: any level's method takes the finished line."""

    def __init__(self, sink: Sink) -> None:
        self.msg = self.debug = self.info = self.warning = self.error = self.critical = sink.put


class _Routed(logging.Handler):
    """Takes the records of libraries into the same way as our own events."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        say = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001  # arguments that do not fit their format string are the library's slip, not our end
            message = str(record.msg)
        fields = {} if error is None else {"exception": error, "exc_info": error}
        say("library.logged", library=record.name, message=message, **fields)


class Losses(NamedTuple):
    """What did not reach the log since the start."""

    fields: int  #: on no list of known fields
    lines: int  #: no room left: whoever reads stderr is too slow


class _Configured:
    """The one configuration of this process."""

    sink: Sink | None = None
    fields: FieldFilter = FieldFilter()
    lines_lost: int = 0  #: by sinks that are closed


def _stamp(_logger: Any, method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # In this order a line can be read from its beginning.
    return {"at": at, "level": method, "event": fields.pop("event"), **fields}


def _as_json(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, allow_nan=True, default=str)


def _as_columns(colours: bool) -> Callable[[Any, str, MutableMapping[str, Any]], str]:  # noqa: FBT001  # private, one caller
    render = structlog.dev.ConsoleRenderer(colors=colours, timestamp_key="at", pad_event_to=24)

    def line(logger: Any, method: str, fields: MutableMapping[str, Any]) -> str:
        # The renderer would give `exception` lines of its own.
        renamed = {"raised" if name == "exception" else name: value for name, value in fields.items()}
        return str(render(logger, method, renamed))

    return line


def _with_priority(render: Callable[..., str]) -> Callable[[Any, str, MutableMapping[str, Any]], str]:
    # Values hold no line ends (`log_fields.safe`): each would begin a line without priority.
    return lambda logger, method, fields: f"<{_PRIORITIES.get(method, 6)}>{render(logger, method, fields)}"


def configure(
    level: str = "info",
    form: str = "json",
    *,
    stream: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
) -> Sink:
    """Set up logging for the process; again, with other values, after a reload."""
    environ = os.environ if environ is None else environ
    stream = sys.stderr if stream is None else stream
    sink = _sink(stream)
    render: Callable[..., str] = _as_json
    if form == "console":
        render = _as_columns(stream is not None and stream.isatty() and not environ.get("NO_COLOR"))
    if is_journal(stream, environ):
        render = _with_priority(render)
    structlog.configure(
        processors=[_stamp, _Configured.fields, render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_names: _Lines(sink),
        cache_logger_on_first_use=False,  # a reload changes the level of loggers that exist already
    )
    _route_libraries()
    return sink


def _sink(stream: TextIO | None) -> Sink:
    """The process's sink for *stream*: a reload keeps the one there is, so that a storm of them starts no threads."""
    previous = _Configured.sink
    if previous is not None and previous.stream is stream and not previous.is_closed:
        return previous
    if previous is None:
        atexit.register(_flush)
    else:
        previous.close()
        _Configured.lines_lost += previous.dropped
    _Configured.sink = Sink(stream)
    return _Configured.sink


def losses() -> Losses:
    """What did not reach the log since the start, for the metrics."""
    waiting = 0 if _Configured.sink is None else _Configured.sink.dropped
    return Losses(_Configured.fields.dropped, _Configured.lines_lost + waiting)


def _flush() -> None:
    if _Configured.sink is not None:
        _Configured.sink.close()
    let_go(sys.stderr)


def _route_libraries() -> None:
    logging.raiseExceptions = False  # a log line that fails must not print itself to stderr
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Routed)]:
        root.removeHandler(handler)
    root.addHandler(_Routed(get("library")))
    root.setLevel(logging.WARNING)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _SILENT:
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False


def get(name: str) -> EventLog:
    """The log of one part of the program."""
    return cast("EventLog", structlog.get_logger(part=name))
