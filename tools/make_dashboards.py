"""Makes dashboards/*.json of `dashboard_panels`: `python tools/make_dashboards.py`; a test fails when the files are stale."""  # noqa: INP001  # a script

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from dashboard_panels import CAUSES, FLEET, ITSELF, PROVIDER, Dashboard, Panel, T

HOME: Final = Path(__file__).parents[1] / "dashboards"
SCHEMA_VERSION: Final = 42
_COLUMNS: Final = 24
_DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_COLOURS: Final = {
    "connected": "green",
    "suspect": "yellow",
    "reconnecting": "orange",
    "verifying": "light-blue",
    "blocked": "red",
    "held": "purple",
    "inactive": "text",
    "pending": "blue",
}


def made(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": ["mailwatch"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "links": [_link()],
        "annotations": {"list": [_incident_marks()]},
        "templating": {"list": [_datasource(), *map(_variable, dashboard.variables)]},
        "panels": list(_panels(dashboard.rows)),
    }


def _panels(rows: Sequence[tuple[str, Sequence[Panel]]]) -> Iterator[dict[str, Any]]:
    number, top = 1, 0
    for heading, panels in rows:
        yield {
            "id": number,
            "type": "row",
            "title": heading,
            "collapsed": False,
            "gridPos": {"h": 1, "w": _COLUMNS, "x": 0, "y": top},
            "panels": [],
        }
        number, top, left, height = number + 1, top + 1, 0, 0
        for panel in panels:
            if left + panel.width > _COLUMNS:
                top, left, height = top + height, 0, 0
            height = max(height, 4 if panel.kind == "stat" else 8)
            place = {"h": 4 if panel.kind == "stat" else 8, "w": panel.width, "x": left, "y": top}
            yield _panel(panel, number, place)
            number, left = number + 1, left + panel.width
        top += height


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    at_once = panel.kind in ("stat", "table", "bargauge")
    targets = [
        {
            "refId": chr(ord("A") + index),
            "datasource": _DATASOURCE,
            "expr": expression,
            "legendFormat": legend,
            "instant": at_once,
            "range": not at_once,
            "format": "table" if panel.kind == "table" else "time_series",
        }
        for index, (expression, legend) in enumerate(panel.queries)
    ]
    made_of = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _DATASOURCE,
        "gridPos": place,
        "targets": targets,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
        "options": _OPTIONS[panel.kind],
    }
    if panel.kind == "table":
        hidden = {"Time": True, "job": True, "instance": True}
        made_of["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden}}]
    return made_of


def _defaults(panel: Panel) -> dict[str, Any]:
    steps = [{"color": colour, "value": value} for value, colour in panel.steps]
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.decimals is not None:
        defaults["decimals"] = panel.decimals
    if panel.kind == "timeseries":
        stacking = {"mode": "normal" if panel.stacked else "none", "group": "A"}
        defaults["custom"] = {
            "fillOpacity": 30 if panel.stacked else 10,
            "lineWidth": 1,
            "showPoints": "never",
            "stacking": stacking,
        }
    return defaults


def _overrides(panel: Panel) -> list[dict[str, Any]]:
    """A state has the same colour everywhere."""
    if not any("{{state}}" in legend for _, legend in panel.queries):
        return []
    return [
        {
            "matcher": {"id": "byName", "options": state},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for state, colour in _COLOURS.items()
    ]


_LEGEND: Final = {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]}
_REDUCE: Final = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "timeseries": {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    "stat": {"reduceOptions": _REDUCE, "colorMode": "value", "graphMode": "area", "textMode": "auto"},
    "bargauge": {"reduceOptions": _REDUCE, "orientation": "horizontal", "displayMode": "basic"},
    "table": {"showHeader": True, "cellHeight": "sm"},
}


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}


def _variable(name: str) -> dict[str, Any]:
    source = {
        "job": "label_values(mailwatch_build_info, job)",
        "instance": 'label_values(mailwatch_build_info{job=~"$job"}, instance)',
        "provider": 'label_values(mailwatch_mailboxes{job=~"$job",instance=~"$instance"}, provider)',
    }[name]
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": _DATASOURCE,
        "query": {"query": source, "refId": name},
        "definition": source,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 0,
    }


def _link() -> dict[str, Any]:
    return {
        "type": "dashboards",
        "title": "mailwatch",
        "tags": ["mailwatch"],
        "asDropdown": True,
        "keepTime": True,
        "includeVars": True,
    }


def _incident_marks() -> dict[str, Any]:
    return {
        "name": "Incidents",
        "datasource": _DATASOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": f"max by (provider, cause) (mailwatch_incident_mailboxes{{{T}}})",
        "titleFormat": "{{provider}}: {{cause}}",
        "step": "60s",
    }


ALL: Final = (FLEET, PROVIDER, CAUSES, ITSELF)


def text_of(dashboard: Dashboard) -> str:
    """The file's content."""
    return json.dumps(made(dashboard), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in ALL:
        (HOME / f"{each.uid}.json").write_text(text_of(each), encoding="utf-8")
