"""`mailwatch mailbox …`: the group and its verbs."""

import pytest
from typer.testing import CliRunner

from mailwatch.cli import build

VERBS = ("add", "import", "export", "set-secret", "list", "show", "history", "disconnect", "reconnect", "hold", "release", "remove")


def test_the_group_says_what_it_can_do():
    said = CliRunner().invoke(build(["mailbox"]), ["mailbox", "--help"])
    assert said.exit_code == 0
    assert all(f" {verb} " in said.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_takes_a_secret_as_an_argument(verb):
    said = CliRunner().invoke(build(["mailbox"]), ["mailbox", verb, "--help"], env={"COLUMNS": "200"})
    assert said.exit_code == 0
    assert "--password" not in said.stdout
    assert "--secret " not in said.stdout
    assert ("--config" in said.stdout) is True


def test_a_verb_there_is_not_is_a_usage_error():
    assert CliRunner().invoke(build(["mailbox"]), ["mailbox", "delete"]).exit_code == 2
