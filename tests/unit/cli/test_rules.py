"""What `mailwatch rules` prints is what is shipped, and one file where one is asked for."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from mailwatch.cli import build, rules
from mailwatch.cli.rules import RUNBOOKS


def run(*words):
    return CliRunner().invoke(build(["rules", *words]), ["rules", *words])


def printed(*words):
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("option", "file"),
    [
        ("--recording", "mailwatch.rules.yml"),
        ("--alerts", "mailwatch.alerts.yml"),
        ("--alertmanager", "alertmanager.example.yml"),
    ],
)
def test_an_option_prints_the_shipped_file(option, file, repository):
    assert printed(option) == (repository / "alerts" / file).read_text()


def test_without_options_all_rules_are_one_file(repository):
    whole = yaml.safe_load(printed())
    parts = [yaml.safe_load((repository / "alerts" / name).read_text()) for name in ("mailwatch.rules.yml", "mailwatch.alerts.yml")]
    assert whole["groups"] == [group for part in parts for group in part["groups"]]


def test_runbooks_may_be_at_a_place_of_ones_own():
    text = printed("--alerts", "--runbooks", "https://wiki.example.org/mail/")
    assert "runbook_url: https://wiki.example.org/mail/MailwatchDown.md" in text
    assert RUNBOOKS not in text


def test_a_runbook_can_be_read_at_the_terminal(repository):
    assert printed("--runbook", "MailwatchDown") == (repository / "docs/runbooks/MailwatchDown.md").read_text()


def test_dashboards_are_named_and_printed():
    names = printed("--dashboard", "list").split()
    assert len(names) == 4
    assert all(json.loads(printed("--dashboard", name))["uid"] == name for name in names)


@pytest.mark.parametrize("option", ["--runbook", "--dashboard"])
@pytest.mark.parametrize("name", ["nothing", "../README", "README"])
def test_a_name_that_is_none_is_told_with_those_there_are(option, name):
    result = run(option, name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there are" in result.stderr


def test_one_file_at_a_time():
    result = run("--alerts", "--alertmanager")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "at a time" in result.stderr


def test_what_is_packed_into_the_package_is_taken_first(tmp_path, monkeypatch):
    folder = tmp_path / "shipped" / "alerts"
    folder.mkdir(parents=True)
    (folder / "mailwatch.alerts.yml").write_text("packed\n")
    monkeypatch.setattr(rules, "files", lambda _package: tmp_path)
    assert printed("--alerts") == "packed\n"


@pytest.mark.parametrize("place", ["notaurl", "ftp://wiki.example.org", "https://", "https://wiki.example.org/a b", "http://[::1"])
def test_a_place_of_runbooks_that_is_none_is_refused(place):
    said = CliRunner().invoke(build(["rules"]), ["rules", "--runbooks", place])
    assert (said.exit_code, "URL is needed" in said.stderr) == (2, True)
