"""The shipped dashboards: made by the script as it is, asking for what is there, and kept to the rules of Grafana's dashboard-linter."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
from promql_parser import Call, VectorSelector

from promql import TARGET, faults, labels_left, nodes, parse

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "dashboards").glob("*.json"))
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in FILES}
UNITS = {"short", "percentunit", "ops", "s", "bytes", "d"}

each = pytest.mark.parametrize("name", list(DASHBOARDS))


def panels(name: str) -> list[dict]:
    return [panel for panel in DASHBOARDS[name]["panels"] if panel["type"] != "row"]


def queries(name: str) -> list[tuple[str, str]]:
    found = [(target["expr"], target["legendFormat"]) for panel in panels(name) for target in panel["targets"]]
    return [*found, *((mark["expr"], mark["titleFormat"]) for mark in DASHBOARDS[name]["annotations"]["list"])]


def test_the_files_are_what_the_script_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    specification = importlib.util.spec_from_file_location("make_dashboards", ROOT / "tools/make_dashboards.py")
    maker = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(maker)
    sys.modules.pop("dashboard_panels", None)
    assert {path.name: path.read_text() for path in FILES} == {f"{one.uid}.json": maker.text_of(one) for one in maker.ALL}, (
        "run: python tools/make_dashboards.py"
    )


def test_there_is_one_for_each_question() -> None:
    assert set(DASHBOARDS) == {"mailwatch-fleet", "mailwatch-provider", "mailwatch-causes", "mailwatch-itself"}


@each
def test_every_query_asks_for_what_is_there(name: str) -> None:
    assert [fault for expression, _ in queries(name) for fault in faults(expression)] == []


@each
def test_every_query_keeps_to_the_chosen_job_and_nodes(name: str) -> None:
    for expression, _ in queries(name):
        for node in nodes(expression):
            if isinstance(node, VectorSelector):
                matched = {(matcher.name, matcher.value) for matcher in node.matchers.matchers}
                assert {("job", "$job"), ("instance", "$instance")} <= matched, expression


@each
def test_counters_are_only_seen_growing_over_the_fitting_span(name: str) -> None:
    for expression, _ in queries(name):
        inside = {
            str(node.args[0].vector_selector)
            for node in nodes(expression)
            if isinstance(node, Call) and node.func.name in ("rate", "increase")
        }
        for node in nodes(expression):
            if isinstance(node, VectorSelector) and node.name.endswith(("_total", "_bucket", "_count", "_sum")):
                assert str(node) in inside, expression
        assert set(re.findall(r"\[([^\]]+)\]", expression)) <= {"$__rate_interval", "$__range", "1h"}


@each
def test_a_legend_names_labels_the_result_has(name: str) -> None:
    for expression, legend in queries(name):
        named = set(re.findall(r"\{\{(\w+)\}\}", legend))
        inner = parse(expression)
        while isinstance(inner, Call) and inner.func.name in ("sort_desc", "histogram_quantile"):
            inner = inner.args[-1]
        assert named <= labels_left(inner, {}) | {"job"}, expression


@each
def test_a_panel_says_what_it_shows(name: str) -> None:
    for panel in panels(name):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["targets"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
        assert all(target["legendFormat"] or panel["type"] == "table" for target in panel["targets"])
    titles = [panel["title"] for panel in panels(name)]
    assert len(set(titles)) == len(titles)


@each
def test_a_dashboard_can_be_provisioned_and_chosen_from(name: str) -> None:
    board = DASHBOARDS[name]
    assert board["uid"] == name
    assert len(name) <= 40
    assert board["editable"] is False
    assert board["schemaVersion"] == 42
    assert "id" not in board
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert {"datasource", *TARGET} <= set(variables)
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for variable in TARGET:
        assert variables[variable]["datasource"]["uid"] == "${datasource}"
        assert variables[variable]["multi"]
        assert variables[variable]["allValue"] == ".+"
        assert re.fullmatch(r"label_values\((mailwatch_build_info)(\{.*\})?, \w+\)", variables[variable]["definition"])


@each
def test_no_two_panels_overlap_and_none_leaves_the_grid(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARDS[name]["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells
    numbers = [panel["id"] for panel in DASHBOARDS[name]["panels"]]
    assert len(set(numbers)) == len(numbers)
