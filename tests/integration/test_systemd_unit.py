"""The unit file as systemd itself judges it, and as Python lives under it."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from servers.presence import give_up, need_program

pytestmark = pytest.mark.integration

MAX_EXPOSURE = 1.5
#: What the daemon does at work, without the right to make memory executable (prctl(2), PR_SET_MDWE = 65).
WITHOUT_EXECUTABLE_MEMORY = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(65, 1, 0, 0, 0) != 0:
    sys.exit(99)
import mmap
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    pass
else:
    sys.exit("memory can still be made executable")
import asyncio, ssl
import uvloop, aiohttp, aiosmtplib, aioimaplib, asyncpg, dns.asyncresolver, pydantic, structlog, prometheus_client, trustme
import mailwatch.daemon
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from mailwatch.config import Settings
from mailwatch.core.secret import Secret
from mailwatch.desk.passwords import Passwords
from mailwatch.telemetry.metrics import Metrics

async def work(folder):
    key = os.urandom(32)
    assert AESGCM(key).decrypt(b"n" * 12, AESGCM(key).encrypt(b"n" * 12, b"secret", b"a"), b"a") == b"secret"
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/x.db")
    async with engine.begin() as connection:
        assert (await connection.execute(text("select 1"))).scalar() == 1
    await engine.dispose()
    authority = trustme.CA()
    server_side, client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server_side)
    authority.configure_trust(client_side)
    async def greet(reader, writer):
        writer.write(b"* OK\\r\\n")
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server_side)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side, server_hostname="localhost")
    assert await reader.readline() == b"* OK\\r\\n"
    writer.close()
    server.close()
    assert b"process_resident_memory_bytes" in (await Metrics(["google"], "1").render(""))[0]
    assert Settings().probing.interval_seconds > 0
    passwords = Passwords()
    assert await passwords.matches(Secret("correct horse"), await passwords.hash(Secret("correct horse")))
    await asyncio.to_thread(lambda: None)

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(work(sys.argv[1]))
print("works")
"""


@pytest.fixture
def unit(repository: Path) -> Path:
    return repository / "systemd" / "mailwatch.service"


def settings_of(path: Path) -> dict[str, list[str]]:
    """The directives of a unit, sections aside; systemd's lists repeat keys, which configparser would refuse."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", "[")):
            found.setdefault(key, []).append(value)
    return found


UNITS = ("mailwatch.service", "mailwatch-migrate.service")


@pytest.mark.parametrize("name", UNITS)
def test_the_exposure_is_low(unit: Path, name: str) -> None:
    need_program("systemd-analyze", "systemd")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", unit.with_name(name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    level = re.search(rf"Overall exposure level for {name}: ([0-9.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level[1]) <= MAX_EXPOSURE


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path, name: str) -> None:
    need_program("systemd-analyze", "systemd")
    # The program is where it gets installed, not here; everything else is as shipped.
    copy = tmp_path / name
    copy.write_text(unit.with_name(name).read_text().replace("/opt/mailwatch/bin/mailwatch", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, timeout=300)
    about_ours = [line for line in done.stderr.splitlines() if "mailwatch" in line]
    assert (done.returncode, about_ours) == (0, [])


def test_both_units_run_as_the_same_user_in_the_same_cage(unit: Path) -> None:
    daemon, migration = (settings_of(unit.with_name(name)) for name in UNITS)
    cage = [
        key
        for key in daemon
        if re.match("Protect|Private|Restrict|SystemCall|Capab|Memory|NoNew|Lock|Device|User|State|Dynamic|UMask", key)
    ]
    assert len(cage) > 20
    assert {key: daemon[key] for key in cage if key != "RestartPreventExitStatus"} == {
        key: migration.get(key) for key in cage if key != "RestartPreventExitStatus"
    }


def test_the_drop_in_turns_the_reload_over_to_systemd(unit: Path) -> None:
    drop_in = unit.with_name("mailwatch.service.d") / "notify-reload.conf"
    parsed = configparser.ConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # keys of units are case-sensitive
    parsed.read(drop_in)
    assert dict(parsed["Service"]) == {"Type": "notify-reload", "ReloadSignal": "SIGHUP", "ExecReload": ""}


def test_the_unit_keeps_its_promises(unit: Path) -> None:
    directives = settings_of(unit)
    assert directives["Type"] == ["notify"]
    assert directives["RestartPreventExitStatus"] == ["78"]
    assert directives["LimitCORE"] == ["0"]
    assert directives["TimeoutStopSec"] == ["30"]
    assert directives["LoadCredential"] == ["keyring:/etc/mailwatch/keyring"]
    assert "WatchdogSec" in directives
    assert "ProcSubset" not in directives, "it would delete the process_* metrics"


def test_descriptors_suffice_for_the_default_of_probes_in_flight(unit: Path) -> None:
    from mailwatch.config import Settings

    assert 2 * Settings().probing.max_in_flight < int(settings_of(unit)["LimitNOFILE"][0]) / 2


def test_the_program_works_without_the_right_to_make_memory_executable(unit: Path, tmp_path: Path) -> None:
    assert settings_of(unit)["MemoryDenyWriteExecute"] == ["yes"]
    script = tmp_path / "work.py"
    script.write_text(WITHOUT_EXECUTABLE_MEMORY)
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=300)
    if done.returncode == 99:
        give_up("this kernel is older than 6.3 and has no PR_SET_MDWE")
    assert (done.returncode, done.stdout, done.stderr) == (0, "works\n", "")


def test_the_fixed_user_is_one_sysusers_understands(repository: Path, tmp_path: Path) -> None:
    need_program("systemd-sysusers", "systemd")
    (tmp_path / "etc").mkdir()
    shipped = repository / "systemd" / "mailwatch.sysusers"
    program = shutil.which("systemd-sysusers") or ""
    done = subprocess.run([program, f"--root={tmp_path}", shipped], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "mailwatch:" in (tmp_path / "etc" / "passwd").read_text()
