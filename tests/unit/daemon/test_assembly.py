"""From settings to the parts of a daemon, and what a reload takes over."""

import json
import logging
import socket

import pytest
import structlog

from builders import a_mailbox
from mailwatch.config import ConfigError, Settings, load
from mailwatch.core.pacing import Pace
from mailwatch.core.secret import Secret
from mailwatch.daemon import Role, assemble
from mailwatch.daemon.assembly import tuning_of
from mailwatch.ports import MailwatchError
from mailwatch.ports.delivery import HttpError
from mailwatch.store import KeyRing
from mailwatch.store.vault import key_of
from mailwatch.telemetry import logs


@pytest.fixture(autouse=True)
def _quiet_logs():
    """The logging of the process as it was before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    logging.raiseExceptions = True


@pytest.fixture
def ring(tmp_path):
    path = tmp_path / "ring"
    path.write_text(KeyRing.generate().text())
    path.chmod(0o600)
    return path


@pytest.fixture
def write(tmp_path, ring):
    path = tmp_path / "mailwatch.toml"

    def write(more="", node='node = "north"'):
        path.write_text(
            f'[store]\nurl = "sqlite:///{tmp_path}/mailwatch.db"\n{node}\n[secrets]\nkeyring = {{ file = "{ring}" }}\n{more}'
        )
        return path

    return write


@pytest.fixture
async def assembled(write):
    """`await assembled(more)`: the parts of a configuration with *more*, closed at the end."""
    made = []

    async def assembled(more="", **options):
        made.append(await assemble(write(more, **options)))
        return made[-1]

    yield assembled
    for parts in made:
        await parts.close()


def allows(parts, address, port):
    """Whether a probe may connect there."""
    return parts.prober._imap._dialer.policy.allows(address, port)


async def test_towards_the_internet_only_mail_ports_are_knocked_at_and_no_private_host(assembled):
    parts = await assembled()
    assert allows(parts, "93.184.216.34", 993)
    assert not allows(parts, "93.184.216.34", 22)
    assert not allows(parts, "127.0.0.1", 993)
    assert not allows(parts, "10.1.2.3", 993)


async def test_own_servers_may_listen_on_any_port_but_our_own_page_is_no_mail_server(assembled):
    parts = await assembled("[network]\nallow_private_hosts = true\n[web]\nlisten = '127.0.0.1:9725'\n")
    assert allows(parts, "127.0.0.1", 12345)
    assert allows(parts, "10.1.2.3", 993)
    assert not allows(parts, "127.0.0.1", 9725)
    assert not allows(parts, "169.254.169.254", 993)


async def test_single_networks_may_be_allowed(assembled):
    parts = await assembled('[network]\nallowed_networks = ["10.1.0.0/16"]\n')
    assert allows(parts, "10.1.2.3", 993)
    assert not allows(parts, "10.2.2.3", 993)
    assert not allows(parts, "10.1.2.3", 22)


async def test_the_node_has_the_name_of_the_configuration_or_of_the_machine(assembled):
    assert (await assembled()).node == "north"
    assert (await assembled(node="")).node == socket.gethostname()


async def test_canaries_are_asked_only_where_there_are_some(assembled):
    assert (await assembled()).canary is None
    parts = await assembled('[network]\ncanaries = ["one.one.one.one:443"]\n')
    assert parts.canary._places == (("one.one.one.one", 443),)


async def test_a_provider_of_the_configuration_has_its_own_series_and_its_own_pace(assembled):
    parts = await assembled('[providers.lab]\nhosts = ["*.lab.example"]\nmax_connections = 7\nburst = 3\n')
    assert b'provider="lab"' in parts.metrics.exposition()[0]
    assert (parts.tuning.paces["lab"].max_connections, parts.tuning.paces["lab"].burst) == (7, 3)


async def test_a_configuration_with_faults_is_refused_as_a_whole(write):
    with pytest.raises(ConfigError, match="portt"):
        await assemble(write("[web]\nportt = 1\n"))


async def test_a_key_ring_that_is_missing_or_none_is_told(write, ring):
    path = write()
    ring.write_text("no key ring")
    with pytest.raises(ConfigError, match=r"mailwatch\.toml:5:1: secrets\.keyring: .*not JSON; restore it from its copy"):
        await assemble(path)
    ring.unlink()
    with pytest.raises(ConfigError, match=r"mailwatch\.toml:5:1: secrets\.keyring: .*no such file — restore it from its copy"):
        await assemble(path)


def test_what_may_change_while_it_runs_comes_from_the_settings(write):
    tuning = tuning_of(load(write("[probing]\nmax_in_flight = 12\ninterval_seconds = 60\n[retention]\naudit_days = 900\n")))
    assert (tuning.max_in_flight, tuning.policy.interval_seconds, tuning.retention_days) == (12, 60.0, (400, 900))
    assert tuning.other == Pace()


def test_who_is_watched_may_change_while_it_runs(write):
    tuning = tuning_of(load(write('[probing]\nwatch = ["tier=gold"]\nwatch_max = 3\n')))
    assert (tuning.watch.labels, tuning.watch.most) == (("tier=gold",), 3)
    assert tuning.pace_of("google") == tuning.paces["google"]
    assert tuning.pace_of("host:mail.example.org") == tuning.other


async def test_sessions_are_left_open_for_those_that_are_watched_and_for_nobody_by_default(assembled):
    gold = a_mailbox(labels={"tier": "gold"})
    parts = await assembled('[probing]\nwatch = ["tier=gold"]\n')
    assert parts.idle_watch.wants(gold)
    assert not parts.idle_watch.wants(a_mailbox())
    assert not (await assembled()).idle_watch.wants(gold)


def test_the_pace_of_everybody_not_named_can_be_set(write):
    tuning = tuning_of(load(write("[providers.other]\nlogins_per_minute = 6\n")))
    assert tuning.other.logins_per_minute == 6


def test_defaults_are_those_of_the_policy():
    assert tuning_of(Settings()).policy.interval_seconds == Settings().probing.interval_seconds


async def test_a_reload_reads_the_file_again_and_says_what_changed_and_what_needs_a_restart(assembled, write, capsys):
    parts = await assembled()
    write("[probing]\ninterval_seconds = 60\n[web]\nlisten = '127.0.0.1:1'\n")
    first = await parts.reload()
    write("[probing]\ninterval_seconds = 90\n[web]\nlisten = '127.0.0.1:1'\n")
    second = await parts.reload()
    write()
    await parts.reload()
    logs.configure().close()  # all that was logged is written
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (first.policy.interval_seconds, second.policy.interval_seconds) == (60.0, 90.0)
    assert [(line["changed"], line["restart_needed"]) for line in told if line["event"] == "config.compared"] == [
        (["probing.interval_seconds"], ["web.listen"]),
        (["probing.interval_seconds"], ["web.listen"]),  # still not in force, however often the file is read
        (["probing.interval_seconds"], []),  # back to what the daemon was built from
    ]


async def test_a_reload_of_a_broken_file_is_told_with_its_line_and_the_next_good_one_is_taken(assembled, write):
    parts = await assembled()
    with pytest.raises(MailwatchError, match=r"mailwatch\.toml:7:1: unknown key .*did you mean"):
        await _broken(parts, write)
    write("[probing]\ninterval_seconds = 60\n")
    assert (await parts.reload()).policy.interval_seconds == 60.0


async def _broken(parts, write):
    write("[probing]\nintervall_seconds = 1\n")
    await parts.reload()


async def test_a_reload_that_names_no_usable_certificates_or_secrets_is_told_with_the_line(assembled, write, tmp_path):
    parts = await assembled()
    write(f'[network]\nca_file = "{tmp_path}/none.pem"\n')
    with pytest.raises(MailwatchError, match=r"mailwatch\.toml:7:1: network\.ca_file .*no such file"):
        await parts.reload()
    write(f'[webhooks.crm]\nurl = "https://crm.example.org/"\nsecret = {{ file = "{tmp_path}/none" }}\n')
    with pytest.raises(MailwatchError, match=r"mailwatch\.toml:8:1: webhooks\.crm\.secret: .*no such file"):
        await parts.reload()


async def test_without_a_file_there_is_nothing_to_reload(ring, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILWATCH_SECRETS__KEYRING__FILE", str(ring))
    monkeypatch.setenv("MAILWATCH_STORE__URL", f"sqlite:///{tmp_path}/x.db")
    parts = await assemble(None)
    assert parts.reload is None
    await parts.close()


async def test_alerts_are_pushed_only_where_there_is_somebody_to_push_to_and_there_without_tls_and_at_any_port(assembled, tmp_path):
    assert (await assembled()).alerting is None
    token = tmp_path / "token"
    token.write_text("t0ken")
    token.chmod(0o600)
    pushed = f'[alertmanager]\nurls = ["http://127.0.0.1:9"]\ntoken = {{ file = "{token}" }}\nresend_seconds = 5\n'
    alerting = (await assembled(pushed)).alerting
    assert (alerting.headers, alerting.resend_seconds, alerting.external_labels) == (
        {"authorization": "Bearer t0ken"},
        5,
        {"job": "mailwatch"},
    )
    assert "t0ken" not in repr(alerting)
    with pytest.raises(HttpError, match="Connect call failed"):  # by the closed port, not by the policy
        await alerting.poster.post("http://127.0.0.1:9/api/v2/alerts", {}, b"[]", timeout_seconds=5.0)


async def test_series_of_mailboxes_and_a_web_config_are_asked_for(assembled, tmp_path):
    parts = await assembled()
    assert (parts.series, parts.web_config) == (None, None)
    (tmp_path / "web.yml").write_text("basic_auth_users: {}\n")
    parts = await assembled(f'[metrics]\nmailboxes = true\nmost = 7\nweb_config = "{tmp_path}/web.yml"\n')
    assert (parts.series.most, parts.series.addresses) == (7, False)
    assert parts.web_config.path == tmp_path / "web.yml"
    (tmp_path / "web.yml").write_text("basic_auth_users: nonsense\n")
    with pytest.raises(MailwatchError, match="basic_auth_users"):
        await assembled(f'[metrics]\nweb_config = "{tmp_path}/web.yml"\n')


@pytest.mark.parametrize("role", list(Role))
async def test_only_a_node_that_probes_tells_of_its_own_network(write, role):
    parts = await assemble(write(), role)
    try:
        told = parts.metrics.exposition()[0].decode()
    finally:
        await parts.close()
    assert ("mailwatch_self_connectivity_up" in told) is (role is not Role.WEB)


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_seals_with_the_key_that_a_rotation_has_just_made_active(write, ring, role):
    parts = await assemble(write(), role)
    try:
        new = KeyRing.read(ring.read_text()).with_new_key()
        (ring.parent / "new").write_text(new.text())
        (ring.parent / "new").chmod(0o600)
        (ring.parent / "new").replace(ring)
        assert key_of(parts.store._vault.seal("secrets", "mb_1", "password", Secret("x"))) == new.active
    finally:
        await parts.close()
