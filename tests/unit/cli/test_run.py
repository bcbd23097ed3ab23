"""`mailwatch run` as systemd runs it: refused with the cure, or up, reloaded and stopped by signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from mailwatch.store import KeyRing

COMMAND = [sys.executable, "-m", "mailwatch", "run"]


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("MAILWATCH_")}


def refused(*arguments, cwd):
    """Exit code and standard error of a daemon that does not start."""
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, env=environment(), timeout=300)
    assert done.stdout == ""
    return done.returncode, done.stderr


def settle(installed, *, port=0, more=""):
    """Write a configuration of the test's own."""
    installed.config.write_text(
        f'[store]\nurl = "{installed.url}"\nnode = "north"\n[secrets]\nkeyring = {{ file = "{installed.ring}" }}\n'
        f'[web]\nlisten = "127.0.0.1:{port}"\n{more}'
    )


class Running:
    """A daemon as a process."""

    def __init__(self, installed, port):
        self.installed, self.port = installed, port
        self.log = installed.folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([*COMMAND, "--config", str(installed.config)], stderr=log, env=environment())

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return None, ""

    def events(self, name):
        """The fields of every event of this name in the log."""
        whole, _, _ = self.log.read_text().rpartition("\n")  # without what is being written
        lines = [json.loads(line) for line in whole.splitlines()]
        return [line for line in lines if line["event"] == name]

    def wait(self, condition, what):
        end = time.monotonic() + 240
        while not condition():
            assert self.process.poll() is None, f"it ended: {self.log.read_text()}"
            assert time.monotonic() < end, f"waited for {what}: {self.log.read_text()}"
            time.sleep(0.05)

    def reloaded(self):
        return "mailwatch_config_last_reload_successful 1.0" in self.get("/metrics")[1]

    def signal(self, number):
        self.process.send_signal(number)


@pytest.fixture
def running(installed, free_port):
    port = free_port()
    settle(installed, port=port)
    daemon = Running(installed, port)
    with daemon.process:
        try:
            daemon.wait(lambda: daemon.get("/-/ready")[0] == 200, "it to be ready")
            yield daemon
        finally:
            daemon.process.kill()


def test_a_configuration_that_is_not_there_is_refused(tmp_path):
    code, said = refused("--config", tmp_path / "none.toml", cwd=tmp_path)
    assert code == 78
    assert said.splitlines() == [
        f"{tmp_path}/none.toml: no such file — name the file with --config, or start from config.example.toml"
    ]


def test_every_fault_of_a_configuration_is_told_with_its_line(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text('[web]\nlisten = "nowhere"\nportt = 1\n[probing]\ninterval_seconds = "often"\n')
    code, said = refused("--config", path, cwd=tmp_path)
    assert code == 78
    assert [line.split(": ")[0] for line in said.splitlines()] == [f"{path}:2:1", f"{path}:3:1", f"{path}:5:1"]
    assert "Traceback" not in said


def test_without_a_database_it_says_how_to_make_one(bare):
    bare.ring.write_text(KeyRing.generate().text())
    bare.ring.chmod(0o600)
    code, said = refused("--config", bare.config, cwd=bare.folder)
    assert code == 78
    assert said == f"mailwatch: no database at {bare.database}; create it with `mailwatch db migrate`\n"


def test_without_a_key_ring_it_names_the_file_and_the_cure(installed):
    installed.ring.unlink()
    code, said = refused("--config", installed.config, cwd=installed.folder)
    assert code == 78
    assert str(installed.ring) in said
    assert "no such file" in said
    assert said.startswith(f"{installed.config}:4:1: secrets.keyring: ")
    assert "restore it from its copy" in said
    assert len(said.splitlines()) == 1


def test_a_ca_file_that_is_none_is_refused_as_config_check_refuses_it(installed):
    bundle = installed.folder / "ca.pem"
    bundle.write_text("no PEM")
    settle(installed, more=f'[network]\nca_file = "{bundle}"\n')
    code, said = refused("--config", installed.config, cwd=installed.folder)
    assert code == 78
    assert said.startswith(f"{installed.config}:9:1: network.ca_file {bundle}: holds no certificate of an authority")
    checked = subprocess.run(
        [sys.executable, "-m", "mailwatch", "config", "check", str(installed.config)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, said.strip() in checked.stdout) == (78, True)


def test_a_port_in_use_is_told_by_its_address(installed):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settle(installed, port=port)
        code, said = refused("--config", installed.config, cwd=installed.folder)
    assert code == 75  # started again: what holds the port may be the daemon before this one
    assert said == f"mailwatch: [web] listen = '127.0.0.1:{port}': Address already in use; is another mailwatch running?\n"


def test_it_starts_without_a_mailbox_and_ends_at_once_when_told(running):
    status = json.loads(running.get("/api/v1/status")[1])
    assert (status["node"], status["sentence"], status["states"]) == ("north", "no mailboxes", {})
    running.signal(signal.SIGTERM)
    assert running.process.wait(180) == 0
    # nothing between: a stage that had waited for its time-out would say so
    assert [line["event"] for line in map(json.loads, running.log.read_text().splitlines())][-2:] == [
        "daemon.stopping",
        "daemon.stopped",
    ]


def test_a_broken_file_keeps_the_old_configuration_and_a_good_one_tells_what_changed(running):
    assert running.reloaded()
    settle(running.installed, port=running.port, more="[probing]\nintervall_seconds = 60\n")
    running.signal(signal.SIGHUP)
    running.wait(lambda: not running.reloaded(), "the broken file to be refused")
    (fault,) = running.events("config.not_reloaded")
    assert fault["error"].startswith(f"{running.installed.config}:9:1: ")
    assert "interval_seconds" in fault["error"]
    assert running.get("/-/ready")[0] == 200

    more = '[probing]\ninterval_seconds = 60\n[log]\nlevel = "info"\nformat = "console"\n'
    settle(running.installed, port=running.port, more=more)
    running.signal(signal.SIGHUP)
    running.wait(running.reloaded, "the good file to be taken")
    (compared,) = running.events("config.compared")
    assert (compared["changed"], compared["restart_needed"]) == (["probing.interval_seconds"], ["log.format"])
    assert len(running.events("config.reloaded")) == 1


def test_a_reload_over_http_tells_the_fault_to_whoever_asked(running):
    running.installed.config.write_text("nonsense\n")
    asked = urllib.request.Request(f"http://127.0.0.1:{running.port}/-/reload", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(asked)
    with refusal.value as answer:
        assert answer.code == 500
        assert f"{running.installed.config}:1:" in answer.read().decode()


def test_a_storm_of_signals_is_survived(running):
    for _ in range(50):
        running.signal(signal.SIGHUP)
    running.wait(lambda: running.events("config.reloaded"), "a reload")
    assert running.get("/-/ready")[0] == 200
    running.signal(signal.SIGINT)
    assert running.process.wait(180) == 0


def test_a_web_node_runs_beside_a_probing_one_at_the_same_database(running, free_port):
    """Only one node may probe a SQLite file; one that serves HTTP alone takes no lock and claims nothing."""
    running.wait(lambda: running.get("/-/ready")[0] == 200, "the probing node")
    port = free_port()
    beside = running.installed.folder / "web.toml"
    beside.write_text(running.installed.config.read_text().replace(f":{running.port}", f":{port}"))
    web = subprocess.Popen([*COMMAND, "--config", str(beside), "--role", "web"], stderr=subprocess.DEVNULL, env=environment())
    try:
        end = time.monotonic() + 240
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/status", timeout=60) as answer:
                    assert json.load(answer)["in_flight"] == 0
                    break
            except OSError:
                assert web.poll() is None
                time.sleep(0.05)
        web.send_signal(signal.SIGTERM)
        assert web.wait(180) == 0
        assert running.get("/-/ready")[0] == 200
    finally:
        web.kill()
        web.wait()
