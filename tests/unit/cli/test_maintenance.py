"""`mailwatch maintenance …`: windows are declared, listed and ended."""

import pytest


def windows(installed, *options):
    return installed.json("maintenance", "list", *options)["windows"]


def test_a_window_is_declared_listed_and_ended(installed):
    installed.fill(1)
    said = installed.run("maintenance", "add", "kernel upgrade", "--minutes", "90", "--scope", "domain:Example.org")
    assert said.exit_code == 0, said.output
    assert "kernel upgrade - domain:example.org, 1 h 30 min; running until" in said.stderr
    assert "it covers 1 mailbox\n" in said.stderr
    (window,) = windows(installed)
    assert (window["scope"], window["seconds"], window["every"]) == ({"domain": "example.org"}, 5400, "once")
    assert window["running_until_at"] is not None
    assert "kernel upgrade" in installed.well("maintenance", "list")
    installed.well("maintenance", "end", window["id"])
    assert windows(installed) == []
    assert len(windows(installed, "--all")) == 1


def test_a_recurring_one_says_when_it_comes_next(installed):
    installed.fill(1)
    installed.well("maintenance", "add", "backup", "--minutes", "30", "--start", "2099-01-01T02:00:00+01:00", "--every", "daily")
    (window,) = windows(installed)
    assert window["next_start_at"] == "2099-01-01T01:00:00Z"


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        (("--scope", "google"), "write one of provider:NAME"),
        (("--scope", "egress:own"), "leave it out for everything"),
        (("--scope", "domain:exmaple"), "--scope: no mailbox has the domain 'exmaple'"),
        (("--scope", "provider:other"), "declare it for each endpoint:HOST or domain:NAME"),
        (("--start", "tomorrow"), "--start 'tomorrow': a moment is needed"),
        (("--start", "2020-01-01"), "would have ended"),
        (("--until", "2099-01-01"), "--until: it is for recurring windows"),
        (("--zone", "Mars/Olympus"), "--zone: 'Mars/Olympus' is no such time zone"),
        (("--every", "daily", "--minutes", "1440"), "--minutes: a daily window is shorter"),
    ],
)
def test_what_cannot_be_declared_names_the_cure(installed, options, cure):
    installed.fill(1)
    said = installed.run("maintenance", "add", "x", "--minutes", "5", *options)
    assert said.exit_code == 2
    assert cure in said.stderr
    assert windows(installed, "--all") == []


def test_a_scope_without_mailboxes_is_told_with_the_way_back(installed):
    installed.fill(1)
    said = installed.run("maintenance", "add", "x", "--minutes", "5", "--scope", "domain:exmaple.org")
    assert said.exit_code == 0
    (window,) = windows(installed)
    assert "it covers 0 mailboxes" in said.stderr
    assert "warning: no mailbox there now: no mailbox has the domain 'exmaple.org'" in said.stderr
    assert f"`mailwatch maintenance end {window['id']}`" in said.stderr


def test_ending_one_that_is_not_there_is_a_wrong_usage(installed):
    installed.fill(1)
    assert installed.run("maintenance", "end", "mw_none").exit_code == 2
