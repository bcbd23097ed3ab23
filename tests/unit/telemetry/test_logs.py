"""What ends up on stderr, ours and the libraries'."""

import io
import json
import logging
import os
import subprocess
import sys
import warnings

import pytest
import structlog

from mailwatch.core.lifecycle import State
from mailwatch.core.secret import Secret
from mailwatch.telemetry import logs

CANARY = "canary-5ecret"


@pytest.fixture
def configured(monkeypatch):
    root, levels = logging.getLogger(), {}
    handlers, level = list(root.handlers), root.level
    for name in (*logs._LIBRARIES, *logs._SILENT):
        logger = logging.getLogger(name)
        levels[name] = (logger.level, logger.propagate)
    showwarning, raising = warnings.showwarning, logging.raiseExceptions
    sinks = []

    def configure(*arguments, **words):
        stream = io.StringIO()
        sink = logs.configure(*arguments, stream=stream, environ=words.pop("environ", {}), **words)
        sinks.append(sink)

        def lines():
            assert sink.flush(30)
            return stream.getvalue().splitlines()

        return lines

    yield configure
    logging.captureWarnings(capture=False)
    warnings.showwarning = showwarning
    logging.raiseExceptions = raising
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level
    for name, (old, propagate) in levels.items():
        logging.getLogger(name).setLevel(old)
        logging.getLogger(name).propagate = propagate
    for sink in sinks:
        sink.close()
    if logs._Configured.sink is not None:
        logs._Configured.sink.close()
    logs._Configured.sink = None


def test_an_event_is_one_json_line_that_can_be_read_from_its_beginning(configured):
    lines = configured()
    logs.get("monitor").info("mailbox.transitioned", mailbox="mb_1", to_state=State.BLOCKED, quote="a\nb", cause=None)
    (line,) = lines()
    told = json.loads(line)
    assert list(told)[:4] == ["at", "level", "event", "part"]
    assert told["at"].endswith("Z")
    assert (told["level"], told["event"], told["part"], told["to_state"]) == ("info", "mailbox.transitioned", "monitor", "blocked")
    assert told["quote"] == "a b"


def test_a_secret_prints_as_stars_and_unknown_fields_not_at_all(configured):
    before = logs.losses().fields
    lines = configured()
    logs.get("x").error("e", error=Secret(CANARY), password=CANARY)
    assert CANARY not in "".join(lines())
    assert json.loads(lines()[0])["error"] == "***"
    assert logs.losses().fields == before + 1


def test_an_exception_is_told_by_type_and_place(configured):
    lines = configured()
    try:
        int(CANARY)
    except ValueError as error:
        logs.get("x").error("probe.crashed", exc_info=error, exception=type(error).__name__)
    told = json.loads(lines()[0])
    assert told["exception"] == "ValueError"
    assert told["traceback"][0] == "ValueError"
    assert CANARY not in lines()[0]


def test_the_level_holds_and_can_be_changed_for_logs_that_exist_already(configured):
    lines = configured("warning")
    log = logs.get("x")
    log.info("quiet")
    log.warning("loud")
    assert [json.loads(line)["event"] for line in lines()] == ["loud"]
    lines = configured("info")
    log.info("heard now")
    assert [json.loads(line)["event"] for line in lines()] == ["heard now"]


def test_libraries_take_the_same_way_from_warning_upwards(configured):
    lines = configured("debug")
    logging.getLogger("asyncio").warning("socket.send() raised %s", "x")
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT %s", CANARY)
    logging.getLogger("aiosqlite").debug("executing %s", CANARY)
    logging.getLogger("unheard.of").error("postgresql://me:%s@db/x", CANARY)
    told = [json.loads(line) for line in lines()]
    assert [(line["library"], line["level"]) for line in told] == [("asyncio", "warning"), ("unheard.of", "error")]
    assert CANARY not in "".join(lines())


def test_aioimaplib_and_access_logs_are_silent_whatever_happens(configured):
    lines = configured("debug")
    for name in ("aioimaplib", "aioimaplib.aioimaplib", "uvicorn.access", "aiohttp.access"):
        logging.getLogger(name).critical(CANARY)
    assert lines() == []


def test_a_librarys_exception_is_told_by_type_and_place(configured):
    lines = configured()
    try:
        {}[CANARY]
    except KeyError:
        logging.getLogger("apscheduler").exception("Job raised an exception")
    told = json.loads(lines()[0])
    assert (told["exception"], told["message"]) == ("KeyError", "Job raised an exception")
    assert CANARY not in lines()[0]


def test_a_record_whose_arguments_do_not_fit_still_comes(configured):
    lines = configured()
    logging.getLogger("asyncio").error("%d", "x")
    assert json.loads(lines()[0])["message"] == "%d"


def test_configuring_again_does_not_say_everything_twice(configured):
    configured()
    lines = configured()
    logging.getLogger("asyncio").error("once")
    assert len(lines()) == 1


def test_a_reload_keeps_the_thread_that_writes(configured):
    configured()
    stream = io.StringIO()
    first = logs.configure("info", stream=stream, environ={})
    assert logs.configure("error", stream=stream, environ={}) is first


def test_lines_lost_are_counted_over_reloads(configured):
    configured()
    before = logs.losses().lines
    logs._Configured.sink.close()
    logs._Configured.sink.put("too late")
    assert logs.losses().lines == before + 1
    configured()
    assert logs.losses().lines == before + 1


def test_the_console_form_is_for_eyes(configured):
    lines = configured("info", "console")
    logs.get("x").warning("mailbox.transitioned", mailbox="mb_1", quote="\x1b[31mred")
    assert "mailbox.transitioned" in lines()[0]
    assert "mailbox=mb_1" in lines()[0]
    assert "\x1b" not in lines()[0]


def test_an_event_of_the_console_form_is_one_line_even_with_an_exception(configured):
    lines = configured("info", "console")
    logs.get("x").error("probe.crashed", exc_info=ValueError(CANARY), exception="ValueError")
    assert len(lines()) == 1
    assert "raised=ValueError" in lines()[0]


PROGRAM = """
import sys
from mailwatch.telemetry import logs
logs.configure({arguments})
logs.get("x").error("e")
logs.get("x").info("i")
print("alive", file=open(sys.argv[1], "w"))
"""


def run(tmp_path, prefix="", arguments="", **words):
    alive = tmp_path / "alive"
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(arguments=arguments))
    command = f'{prefix} exec "{sys.executable}" "{script}" "{alive}" {words.pop("suffix", "")}'
    done = subprocess.run(["sh", "-c", command], timeout=60, **words)
    return done, alive.read_text()


@pytest.mark.parametrize("suffix", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_closed_or_full_standard_streams_are_survived(tmp_path, suffix):
    done, alive = run(tmp_path, suffix=suffix)
    assert (done.returncode, alive) == (0, "alive\n")


def test_a_reader_that_went_away_is_survived(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    done, alive = run(tmp_path, stderr=writer)
    os.close(writer)
    assert (done.returncode, alive) == (0, "alive\n")


def test_lines_to_the_journal_begin_with_their_priority(tmp_path):
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        environ = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        run(tmp_path, stderr=stream, env=environ)
        stream.seek(0)
        assert [line[:4] for line in stream.read().splitlines()] == ["<3>{", "<6>{"]
