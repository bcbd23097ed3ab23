"""The shipped alert rules, their runbooks and the metrics hold together; what needs promtool and amtool is in integration/."""

import importlib
import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml

import mailwatch.cli
from promql import exported, faults, labels_left, metrics_of, parse, recorded

ROOT = Path(__file__).resolve().parents[1]
RULES = yaml.safe_load((ROOT / "alerts/mailwatch.rules.yml").read_text())
ALERTS = yaml.safe_load((ROOT / "alerts/mailwatch.alerts.yml").read_text())
RECORDS = [rule for group in RULES["groups"] for rule in group["rules"]]
EACH = {rule["alert"]: rule for group in ALERTS["groups"] for rule in group["rules"]}
RUNBOOKS = {path.stem: path for path in (ROOT / "docs/runbooks").glob("*.md") if path.stem != "README"}
WATCHDOG = "MailwatchWatchdog"
#: Where the printed rules say that runbooks are, until `mailwatch rules --runbooks` is told a better place.
PLACE = "https://mailwatch.invalid/docs/runbooks"

alerts = pytest.mark.parametrize("name", list(EACH))
runbooks = pytest.mark.parametrize("name", sorted(RUNBOOKS))


def dashboards_use() -> set[str]:
    text = "".join(path.read_text() for path in (ROOT / "dashboards").glob("*.json"))
    return set(re.findall(r"[a-z_]+:mailwatch_[a-z0-9_]+:[a-z0-9_]+", text))


@alerts
def test_an_alert_asks_for_what_is_there(name: str) -> None:
    assert faults(EACH[name]["expr"], recorded(RECORDS)) == []


@pytest.mark.parametrize("rule", RECORDS, ids=lambda rule: rule["record"])
def test_a_recording_rule_is_named_for_what_it_is_made_of(rule: dict) -> None:
    made = recorded(RECORDS)
    level, metric, operation = rule["record"].split(":")
    assert faults(rule["expr"], made) == []
    assert set(level.split("_")) <= {re.sub("_state", "", label) for label in made[rule["record"]]} | {"job"}
    assert operation
    root = {re.sub(r"_total$", "", one.split(":")[1] if ":" in one else one) for one in metrics_of(rule["expr"])}
    assert any(metric.startswith(re.sub(r"_state$", "", one)) for one in root), root


def test_every_recording_rule_is_used() -> None:
    used = set().union(*(metrics_of(rule["expr"]) for rule in [*RECORDS, *EACH.values()])) | dashboards_use()
    assert {rule["record"] for rule in RECORDS} - used == set()


@alerts
def test_an_alert_says_what_how_bad_and_what_next(name: str) -> None:
    rule = EACH[name]
    assert re.fullmatch(r"Mailwatch([A-Z][a-z]+)+", name)
    assert set(rule["labels"]) - {"job"} == {"severity"}
    assert (
        rule["labels"]["severity"] == "none" if name == WATCHDOG else rule["labels"]["severity"] in ("critical", "warning", "info")
    )
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert notes["summary"].endswith(".")
    assert "{{" not in notes["summary"]
    assert "\n" not in notes["description"]
    assert name == WATCHDOG or "Next: " in notes["description"] or "find out" in notes["description"]
    assert notes["runbook_url"] == f"{PLACE}/{name}.md"


@alerts
def test_an_alert_that_wakes_somebody_is_about_more_than_a_few_mailboxes(name: str) -> None:
    rule = EACH[name]
    about_mailboxes = any("incident_mailboxes" in metric for metric in metrics_of(rule["expr"]))
    numbers = [float(number) for number in re.findall(r"(?:>=?|,) (\d+)", rule["expr"])]
    if rule["labels"]["severity"] == "critical" and about_mailboxes:
        assert min(numbers) >= 5


def test_what_explains_others_fires_before_them() -> None:
    causes = {rule["alert"] for group in ALERTS["groups"] if group["name"] == "mailwatch.causes" for rule in group["rules"]}
    assert causes == {"MailwatchSelfOffline", "MailwatchProviderOutage", "MailwatchOauthAppFailing"}
    assert not [name for name in causes if "for" in EACH[name]]
    assert not [name for name in EACH if name not in causes | {WATCHDOG} and "for" not in EACH[name]]


@alerts
def test_gauges_every_node_tells_are_not_summed_over_nodes(name: str) -> None:
    fleet = {metric for metric in metrics_of(EACH[name]["expr"]) if metric in exported() and not metric.endswith("_total")}
    told_by_all = {
        one for one in fleet if re.search("mailboxes|incident|circuit|paused|expiry|disabled|lag_seconds$|connectivity", one)
    }
    text = re.sub(r"\s+", "", EACH[name]["expr"])
    for metric in told_by_all:
        assert re.search(rf"(max|min)by\([a-z_,]+\)\({metric}", text), metric


@alerts
def test_labels_a_description_names_are_left_by_the_expression(name: str) -> None:
    rule = EACH[name]
    named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["description"]))
    kept = labels_left(parse(rule["expr"]), recorded(RECORDS)) | set(rule["labels"])
    assert named <= kept


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert set(RUNBOOKS) == set(EACH)


def test_the_index_of_runbooks_names_each_as_it_is() -> None:
    index = (ROOT / "docs/runbooks/README.md").read_text()
    for name, rule in EACH.items():
        assert f"| [{name}]({name}.md) | {rule['labels']['severity']} | {rule['annotations']['summary']} |" in index


@runbooks
def test_a_runbook_has_its_four_parts(name: str) -> None:
    text = RUNBOOKS[name].read_text()
    assert text.startswith(f"# {name}\n\nSeverity `{EACH[name]['labels']['severity']}`. {EACH[name]['annotations']['summary']}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    assert all(len(part.split()) > 10 for part in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])


@runbooks
def test_a_runbook_asks_for_metrics_that_are_there(name: str) -> None:
    text = RUNBOOKS[name].read_text()
    for block in re.findall(r"```promql\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            assert faults(line, recorded(RECORDS)) == [], line
    named = set(re.findall(r"\bmailwatch_[a-z_]+[a-z]\b", text))
    assert named <= set(exported())


def commands(text: str) -> list[list[str]]:
    """What a document says to type of mailwatch: each command's words, without placeholders' values."""
    lines = [
        line[2:]
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line[:2] == "$ "
    ]
    lines += re.findall(r"`(mailwatch [^`]+)`", text)
    return [words for line in lines for part in line.split("#")[0].split("&&") if (words := shlex.split(part))[:1] == ["mailwatch"]]


def command_faults(words: list[str]) -> list[str]:
    """What of a command line the program does not know."""
    known = {verb.name: verb.home for verb in mailwatch.cli.VERBS}
    if words[1] not in known:
        return [f"no verb {words[1]}"]
    module, _, attribute = known[words[1]].partition(":")
    target = getattr(importlib.import_module(f"mailwatch.cli.{module}"), attribute)
    rest = words[2:]
    if isinstance(target, typer.Typer):
        command = typer.main.get_command(target)
        if rest and rest[0] != "--help":
            group = command.commands if hasattr(command, "commands") else {command.name: command}
            if rest[0] not in group:
                return [f"mailwatch {words[1]} has no {rest[0]}"]
            command, rest = group[rest[0]], rest[1:]
    else:
        app = typer.Typer()
        app.command(words[1])(target)
        command = typer.main.get_command(app)
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    return [f"{' '.join(words)}: no option {word}" for word in rest if word.startswith("--") and word.split("=")[0] not in options]


@runbooks
def test_a_runbook_names_commands_that_exist(name: str) -> None:
    assert [fault for words in commands(RUNBOOKS[name].read_text()) for fault in command_faults(words)] == []


@alerts
def test_a_description_names_commands_that_exist(name: str) -> None:
    text = re.sub(r"\{\{.*?\}\}", "X", EACH[name]["annotations"]["description"])
    assert [fault for words in commands(text) for fault in command_faults(words)] == []
