"""Whether a PromQL expression asks for what is there: metrics the daemon exports, labels they have, values those take."""

import re
from functools import cache

import promql_parser
from promql_parser import AggregateExpr, BinaryExpr, Call, MatchOp, VectorSelector

from mailwatch.core.causes import Cause, Owner
from mailwatch.core.incidents.scopes import ScopeKind
from mailwatch.telemetry.metrics import Metrics

#: What Prometheus adds to every series it scrapes.
TARGET = frozenset({"job", "instance"})
#: What Prometheus makes of a scrape itself, and what its client library exports wherever /proc is.
_FOREIGN = {
    "up": (),
    "process_start_time_seconds": (),
    "process_cpu_seconds_total": (),
    "process_resident_memory_bytes": (),
    "process_open_fds": (),
    "process_max_fds": (),
    "python_gc_collections_total": ("generation",),
}
#: Closed sets that no series shows before something happened.
_CLOSED = {
    "cause": {each.value for each in Cause},
    "owner": {each.value for each in Owner},
    "scope": {each.value for each in ScopeKind},
}


@cache
def exported() -> dict[str, frozenset[str]]:
    """Every series a scrape may show, with its labels."""
    metrics = Metrics(["google"], "1")
    known = {name: frozenset(labels) for name, labels in _FOREIGN.items()}
    for collector in metrics.instruments.registry._collector_to_names:
        families = [collector] if hasattr(collector, "_labelnames") else list(collector.collect())
        for family in families:
            labels, kind = frozenset(getattr(family, "_labelnames", ())), getattr(family, "_type", getattr(family, "type", ""))
            name = getattr(family, "_name", getattr(family, "name", ""))
            if kind == "counter":
                known[f"{name}_total"] = labels
            elif kind == "info":
                known[f"{name}_info"] = frozenset({"version", "python"})
            elif kind == "histogram":
                known |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
            else:
                known[name] = labels
    return known


@cache
def _values() -> dict[tuple[str, str], set[str]]:
    """What the labels of each series hold from the start."""
    found: dict[tuple[str, str], set[str]] = {}
    for family in Metrics(["google"], "1").instruments.registry.collect():
        for sample in family.samples:
            for label, value in sample.labels.items():
                found.setdefault((sample.name, label), set()).add(value)
    return found


def recorded(rules: list[dict]) -> dict[str, frozenset[str]]:
    """The series recording rules make, with the labels of their level."""
    made = {}
    for rule in rules:
        if "record" in rule:
            expression = parse(rule["expr"])
            while isinstance(expression, BinaryExpr):
                expression = expression.lhs
            assert isinstance(expression, AggregateExpr) or expression.name in made, rule["record"]
            labels = expression.modifier.labels if isinstance(expression, AggregateExpr) else made[expression.name]
            made[rule["record"]] = frozenset(labels)
    return made


def parse(expression: str):
    """The expression as a tree; Grafana's own variables stand for five minutes."""
    for variable in ("$__rate_interval", "$__range", "$__interval"):
        expression = expression.replace(variable, "5m")
    return promql_parser.parse(expression)


def nodes(expression: str) -> list:
    """Every part of the expression."""
    seen: list = []
    promql_parser.walk(parse(expression), seen.append)
    return seen


def metrics_of(expression: str) -> set[str]:
    """The series it asks for."""
    return {node.name for node in nodes(expression) if isinstance(node, VectorSelector)}


def faults(expression: str, more: dict[str, frozenset[str]] | None = None) -> list[str]:
    """What it asks for that is not there; *more* names series beside the daemon's own."""
    known = exported() | (more or {})
    parts = nodes(expression)
    selectors = [node for node in parts if isinstance(node, VectorSelector)]
    unknown = [f"no metric {node.name}" for node in selectors if node.name not in known]
    if unknown:
        return unknown
    found: list[str] = []
    for node in selectors:
        for matcher in node.matchers.matchers:
            found += _matcher_faults(node.name, matcher, known[node.name])
    labels = frozenset().union(*(known[node.name] for node in selectors)) | TARGET
    for node in parts:
        if isinstance(node, AggregateExpr) and node.modifier is not None:
            found += [f"no series has the label {label}" for label in node.modifier.labels if label not in labels]
        if isinstance(node, Call) and node.func.name in ("rate", "increase"):
            name = node.args[0].vector_selector.name
            found += [] if name.endswith(("_total", "_bucket", "_sum", "_count")) else [f"{node.func.name} of {name}, a gauge"]
    return found


def labels_left(expression, more: dict[str, frozenset[str]]) -> frozenset[str]:
    """The labels its results have."""
    match expression:
        case BinaryExpr():
            return labels_left(expression.lhs, more)
        case AggregateExpr() if expression.param is not None and expression.modifier is None:
            return labels_left(expression.expr, more)  # topk and bottomk choose series, and leave them as they are
        case AggregateExpr():
            return frozenset(expression.modifier.labels if expression.modifier is not None else ())
        case VectorSelector():
            known = more.get(expression.name)
            return known if known is not None else exported()[expression.name] | TARGET
        case Call():
            return frozenset() if expression.func.name in ("absent", "vector") else labels_left(expression.args[0], more)
    inner = getattr(expression, "vector_selector", None)
    return labels_left(inner if inner is not None else expression.expr, more)


def _matcher_faults(name: str, matcher, labels: frozenset[str]) -> list[str]:
    if matcher.name not in labels | TARGET:
        return [f"{name} has no label {matcher.name}"]
    there = _CLOSED.get(matcher.name) or _values().get((name, matcher.name))
    if (
        matcher.name in TARGET
        or there is None
        or "$" in matcher.value
        or matcher.op not in (MatchOp.Equal, MatchOp.NotEqual, MatchOp.Re, MatchOp.NotRe)
    ):
        return []
    return [f"{name} never has {matcher.name}={value}" for value in re.split(r"\|", matcher.value) if value not in there]
