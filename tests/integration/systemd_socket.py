"""The other end of `$NOTIFY_SOCKET`: what a daemon tells systemd, and when."""

import socket
import threading
import time


class SystemdSocket:
    """Collects (monotonic moment, datagram) below *directory*; a context manager."""

    def __init__(self, directory):
        self._path = directory / "notify"
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._channel.bind(str(self._path))
        self._channel.settimeout(0.2)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self.heard = []

    def environment(self, watchdog_seconds=None):
        """What systemd would put into the daemon's environment."""
        limit = {} if watchdog_seconds is None else {"WATCHDOG_USEC": str(int(watchdog_seconds * 1e6))}
        return {"NOTIFY_SOCKET": str(self._path)} | limit

    def told(self, field):
        """The moments at which *field* was told."""
        return [at for at, text in self.heard if any(line.startswith(field) for line in text.split("\n"))]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._channel.close()

    def _listen(self):
        while not self._over.is_set():
            try:
                text = self._channel.recv(4096)
            except TimeoutError:
                continue
            self.heard.append((time.monotonic(), text.decode()))
