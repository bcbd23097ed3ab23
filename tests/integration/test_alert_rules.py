"""Prometheus' and Alertmanager's own tools accept what is shipped, and each alert fires when it should and is silent when not."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from servers.presence import give_up, need_program

ALERTS = Path(__file__).resolve().parents[2] / "alerts"
TESTS = sorted((ALERTS / "tests").glob("*.yml"))
EXAMPLE = ALERTS / "alertmanager.example.yml"
EACH = {
    rule["alert"]: rule["labels"]["severity"]
    for group in yaml.safe_load((ALERTS / "mailwatch.alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
#: Alerts that mailwatch pushes itself (`delivery.alerts`).
PUSHED = {"MailwatchIncident": "critical", "MailwatchMailboxesNeedPerson": "warning", "MailwatchMailboxNeedsPerson": "warning"}
WATCHDOG = "MailwatchWatchdog"


def run(program: str, package: str, *arguments: object) -> str:
    need_program(program, package)
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["mailwatch.rules.yml", "mailwatch.alerts.yml"])
def test_promtool_accepts_the_rules(name: str) -> None:
    run("promtool", "prometheus", "check", "rules", "--lint=all", "--lint-fatal", ALERTS / name)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_each_alert_fires_when_it_should_and_only_then(path: Path) -> None:
    run("promtool", "prometheus", "test", "rules", path)


def test_every_alert_is_shown_firing_and_silent() -> None:
    shown = {"firing": set(), "silent": set()}
    for path in TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for check in test["alert_rule_test"]:
                shown["firing" if check["exp_alerts"] else "silent"].add(check["alertname"])
    assert shown["firing"] == set(EACH)
    assert shown["silent"] == set(EACH) - {WATCHDOG}


def test_every_test_is_named_for_the_one_alert_it_is_about() -> None:
    for path in TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            assert {check["alertname"] for check in test["alert_rule_test"]} == {test["name"].partition(":")[0]}


def test_amtool_accepts_the_example() -> None:
    assert "SUCCESS" in run("amtool", "prometheus-alertmanager", "check-config", EXAMPLE)


@pytest.mark.parametrize(("name", "severity"), [*EACH.items(), *PUSHED.items()])
def test_an_alert_goes_where_it_belongs(name: str, severity: str) -> None:
    labels = [f"alertname={name}", f"severity={severity}", "job=mailwatch", "provider=google", "cause=connection_timeout"]
    found = run("amtool", "prometheus-alertmanager", "config", "routes", "test", f"--config.file={EXAMPLE}", *labels)
    expected = {"critical": "pager", "warning": "team", "info": "team", "none": "heartbeat"}[severity]
    assert found.split() == ["people" if "NeedPerson" in name or "NeedsPerson" in name else expected]


def test_amlint_has_nothing_to_say(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "amlint"
    if not program.exists():
        give_up("the program amlint is absent (PyPI: amlint)")
    # what mailwatch pushes comes from no rule; for amlint's eyes it does
    pushed = [{"alert": name, "expr": "vector(1)", "labels": {"severity": severity}} for name, severity in PUSHED.items()]
    (tmp_path / "pushed.yml").write_text(yaml.safe_dump({"groups": [{"name": "pushed", "rules": pushed}]}))
    rules = [f"--rules={path}" for path in (ALERTS / "mailwatch.alerts.yml", tmp_path / "pushed.yml")]
    done = subprocess.run([program, "check", "--strict", *rules, EXAMPLE], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def alerts_of(matcher: str) -> set[str]:
    """The alerts a matcher of the example is about; each name in it must be one."""
    named = re.fullmatch(r'alertname=~?"(?:(Mailwatch)\((.*)\)|(.*))"', matcher.strip())
    assert named, matcher
    names = {f"Mailwatch{one}" for one in named[2].split("|")} if named[1] else set(named[3].split("|"))
    assert names <= {*EACH, *PUSHED}
    return names


def test_what_explains_others_silences_them_and_nothing_silences_itself() -> None:
    rules = yaml.safe_load(EXAMPLE.read_text())["inhibit_rules"]
    order = [tuple(alerts_of(rule[end][0]) for end in ("source_matchers", "target_matchers")) for rule in rules]
    for sources, targets in order:
        assert not sources & targets
        assert WATCHDOG not in targets
    (network, _), (urgent, _), (pushed, _), (provider, _), _ = order
    assert network == {"MailwatchDown", "MailwatchSelfOffline"}
    assert provider == {"MailwatchProviderOutage", "MailwatchOauthAppFailing"}
    assert not any(network & targets for _, targets in order)
    assert urgent == pushed
    assert pushed | provider <= order[0][1]
    assert provider == order[1][1]
    assert order[2][1] == order[3][1]


def test_what_wakes_nobody_silences_nothing_that_does() -> None:
    ranks = ["info", "warning", "critical"]
    for rule in yaml.safe_load(EXAMPLE.read_text())["inhibit_rules"]:
        sources, targets = (alerts_of(rule[end][0]) for end in ("source_matchers", "target_matchers"))
        # an incident may be pushed with either severity, and an alert of the rules has but one
        least = ["warning" if name == "MailwatchIncident" else EACH[name] for name in sources]
        if 'severity="critical"' in rule["source_matchers"]:
            least = ["critical"]
        most = [{**PUSHED, **EACH}[name] for name in targets]
        assert min(map(ranks.index, least)) >= max(map(ranks.index, most)), rule


def test_every_symptom_of_the_fleet_is_silenced_while_our_own_network_is_broken() -> None:
    (first, *_) = yaml.safe_load(EXAMPLE.read_text())["inhibit_rules"]
    silenced = first["target_matchers"][0]
    fleet = yaml.safe_load((ALERTS / "mailwatch.alerts.yml").read_text())["groups"]
    names = {rule["alert"] for group in fleet if group["name"] == "mailwatch.fleet" for rule in group["rules"]}
    assert {name for name in names if name.removeprefix("Mailwatch") not in silenced} == set()


def test_a_wrong_expectation_is_noticed(tmp_path: Path) -> None:
    need_program("promtool", "prometheus")
    wrong = yaml.safe_load((ALERTS / "tests/watchdog.yml").read_text())
    wrong["rule_files"] = [str(ALERTS / "mailwatch.alerts.yml")]
    wrong.pop("group_eval_order")
    wrong["tests"][0]["alert_rule_test"][0]["exp_alerts"] = []
    (tmp_path / "wrong.yml").write_text(yaml.safe_dump(wrong))
    done = subprocess.run(["promtool", "test", "rules", tmp_path / "wrong.yml"], capture_output=True, timeout=300)
    assert done.returncode != 0
