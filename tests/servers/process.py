"""Free ports, private directories, and a server's processes: started, watched until they answer, ended and looked after.

Time-outs are generous: they end a run that hangs, and a machine that is slow for a while is no failure.
"""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

START_SECONDS = 120.0
STOP_SECONDS = 60.0
_RECENT: set[int] = set()
#: Not the generator that tests seed: several runs beside each other would try the same ports in the same order.
_RANDOM = random.SystemRandom()


class ServerFailedError(Exception):
    """A server did not start, did not stop, or ended by itself; the text holds the end of its log."""


def free_port() -> int:
    """A TCP port free on loopback, below those the kernel gives to outgoing connections.

    A port of that range may be taken by anybody's outgoing connection while a server is down for a test, and a client that
    keeps trying such a port in vain will one day be connected to itself.
    """
    lowest_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    above_all = lowest_ephemeral if lowest_ephemeral > 12_000 else 32_768  # some kernels are told to give out nearly all ports
    for port in _RANDOM.sample(range(10_240, above_all), 200):
        if port in _RECENT or not _reserved(port):
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                _RECENT.add(port)
                return port
    msg = "no free port on loopback"
    raise ServerFailedError(msg)


def _reserved(port: int) -> bool:
    """Whether *port* is this process's from now until it ends: a run beside this one has not chosen it to bind it later."""
    try:
        fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _reservations() -> int:
    """A file that all runs of this user share; each locks the bytes that its ports number, and opens it once (fcntl(2))."""
    return os.open(Path(tempfile.gettempdir()) / f"mailwatch-ports-{os.geteuid()}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextlib.contextmanager
def private_directory(name: str) -> Iterator[Path]:
    """A directory for one server, gone afterwards.

    It is not pytest's own, which is closed to all but its owner: servers started by root drop their rights and must get in.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"mailwatch-{name}-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=False)


def wait_until(condition: Callable[[], object], what: str, *, seconds: float = START_SECONDS) -> None:
    """Return once *condition* holds; raises ServerFailedError, naming *what*, if it does not within *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            msg = f"{what}: not within {seconds:.0f} s"
            raise ServerFailedError(msg)
        time.sleep(0.01)


def listens(port: int) -> bool:
    """Whether something accepts connections at *port* of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class ServerProcess:
    """A server in the foreground, leader of a process group of its own."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, grace_seconds: float = 60.0) -> None:
        self._name, self._command, self._log, self._grace_seconds = name, list(command), log, grace_seconds
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the server was started and lives."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """The leader's process id; raises ServerFailedError when it is not running."""
        if self._child is None:
            raise ServerFailedError(f"{self._name} is not running")
        return self._child.pid

    def start(self, *ports: int) -> None:
        """Start and wait until all *ports* accept; raises ServerFailedError."""
        if self.running:
            return
        with self._log.open("ab") as log:
            environment = {**os.environ, "LC_ALL": "C"}
            self._child = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True, cwd="/"
            )
        try:
            wait_until(lambda: self._alive() and all(map(listens, ports)), f"{self._name} on {ports}")
        except ServerFailedError as failure:
            self.stop()
            raise ServerFailedError(f"{failure}\n{self.log_tail()}") from None

    def stop(self, *, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End the server and every process of its group, gently if it lets us; raises ServerFailedError if any is left."""
        if self._child is None:
            return
        group, child, self._child = self._child.pid, self._child, None
        if child.poll() is None:
            os.kill(group, signal.SIGCONT)
            os.kill(group, with_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(self._grace_seconds)
        deadline = time.monotonic() + 0.5  # children see their master go and follow
        while group_lives(group) and time.monotonic() < deadline:
            time.sleep(0.01)
        if group_lives(group):
            os.killpg(group, signal.SIGKILL)
        child.wait(STOP_SECONDS)
        wait_until(lambda: not group_lives(group), f"end of {self._name}'s processes", seconds=STOP_SECONDS)

    def kill(self) -> None:
        """End every process of the server at once, without a word to anybody."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
        self.stop()

    def freeze(self) -> None:
        """Stop every process of the server where it stands (SIGSTOP): connections stay, nothing answers."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        os.killpg(self.pid, signal.SIGCONT)

    def log_tail(self, lines: int = 30) -> str:
        """The last *lines* of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:]) if self._log.exists() else "(no log)"

    def _alive(self) -> bool:
        if self.running:
            return True
        raise ServerFailedError(f"{self._name} ended by itself, code {self._child.returncode if self._child else None}")


def group_lives(group: int) -> bool:
    """Whether a process of *group* is left; a dead one that its parent has not collected yet is none."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, member_of = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(member_of) == group and state not in "ZX":
                return True
    return False
