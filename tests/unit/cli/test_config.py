"""`mailwatch config`: exit codes, output for people and for programs."""

import json

import pytest
from typer.testing import CliRunner

from mailwatch.cli import build

CANARY = "canary-5ecret"


@pytest.fixture
def invoke():
    def invoked(*arguments):
        words = ["config", *map(str, arguments)]
        return CliRunner().invoke(build(words), words)

    return invoked


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text("[probing]\ninterval_seconds = 60\n")
    return path


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(f'[web]\nportt = 1\n[secrets]\nkeyring = "{CANARY}"\n')
    return path


def test_a_sound_file_is_a_success_with_a_summary(invoke, good):
    done = invoke("check", good)
    assert done.exit_code == 0
    assert done.stdout.startswith(f"SUCCESS: {good}\n")
    assert "every mailbox each 60 s" in done.stdout


def test_every_fault_is_printed_and_the_exit_code_is_that_of_configuration(invoke, bad):
    done = invoke("check", bad)
    assert done.exit_code == 78
    assert [line.split(" ")[0] for line in done.stdout.splitlines()] == [f"{bad}:2:1:", f"{bad}:4:1:", "FAILED:"]
    assert CANARY not in done.output


def test_faults_come_as_json_when_asked_for(invoke, bad):
    done = invoke("check", "--json", bad)
    assert done.exit_code == 78
    told = json.loads(done.stdout)
    assert told["valid"] is False
    assert [(fault["line"], fault["key"]) for fault in told["faults"]] == [(2, "web.portt"), (4, "secrets.keyring")]


def test_a_sound_file_comes_as_json_when_asked_for(invoke, good):
    assert json.loads(invoke("check", "--json", good).stdout) == {"file": str(good), "valid": True, "faults": []}


def test_secrets_are_read_only_when_asked_for(invoke, good):
    assert invoke("check", good).exit_code == 0
    done = invoke("check", "--secrets", good)
    assert done.exit_code == 78
    assert "LoadCredential" in done.stdout


def test_the_fleet_is_held_against_the_paces_when_asked_for(installed):
    def checked(*more):
        done = CliRunner().invoke(build(["config"]), ["config", "check", str(installed.config), *more])
        assert done.exit_code == 0, done.output
        return done.stdout

    installed.fill(4)
    assert "every pace is fast enough" in checked("--fleet")
    assert json.loads(checked("--fleet", "--json"))["too_slow"] == []
    installed.config.write_text(installed.config.read_text() + "[providers.other]\nlogins_per_minute = 0.5\n")
    assert "too slow for the interval: imap.example.org: 4 mailboxes at 0.5 logins a minute" in checked("--fleet")
    assert "too slow" not in checked()


def test_a_missing_file_is_told(invoke, tmp_path):
    for verb in ("check", "show"):
        done = invoke(verb, tmp_path / "absent.toml")
        assert done.exit_code == 78
        assert "no such file" in done.output


def test_without_a_file_the_defaults_and_the_environment_are_checked(invoke, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILWATCH_LOG__LEVEL", "loud")
    done = invoke("check", "--json")
    assert json.loads(done.stdout)["faults"][0]["source"] == "$MAILWATCH_LOG__LEVEL"


def test_what_is_in_force_is_shown_with_its_origin(invoke, good, monkeypatch):
    monkeypatch.setenv("MAILWATCH_LOG__LEVEL", "debug")
    lines = dict(line.split("#", 1) for line in invoke("show", "--origin", good).stdout.splitlines() if "# unset" not in line)
    told = {key.strip(): origin.strip() for key, origin in lines.items()}
    assert told["probing.interval_seconds = 60"] == f"{good}:2:1"
    assert told['log.level = "debug"'] == "$MAILWATCH_LOG__LEVEL"
    assert told["probing.timeout_seconds = 30"] == "default"


def test_what_is_in_force_comes_as_json_when_asked_for(invoke, good):
    assert json.loads(invoke("show", "--json", good).stdout)["probing"]["interval_seconds"] == 60
    entries = json.loads(invoke("show", "--json", "--origin", good).stdout)
    assert {"key": "probing.interval_seconds", "value": 60, "origin": f"{good}:2:1"} in entries


def test_a_faulty_file_cannot_be_shown(invoke, bad):
    done = invoke("show", bad)
    assert done.exit_code == 78
    assert done.stdout == ""
    assert "portt" in done.stderr


@pytest.mark.parametrize(("form", "beginning"), [("json", "{"), ("toml", "# mailwatch"), ("markdown", "## [store]")])
def test_the_schema_comes_in_three_forms(invoke, form, beginning):
    done = invoke("schema", "--as", form)
    assert done.exit_code == 0
    assert done.stdout.startswith(beginning)


def test_the_json_schema_is_json(invoke):
    assert json.loads(invoke("schema").stdout)["title"] == "mailwatch configuration"
