"""The document: the one in the repository is the program's, whole, and made without a running program."""

import json
import re
import subprocess
import sys

import pytest

from mailwatch.web.api import ROUTERS
from mailwatch.web.api.openapi import allowed_methods, api_routes, document, need_of


@pytest.fixture(scope="module")
def spec():
    return document(ROUTERS)


def test_the_document_in_the_repository_is_the_programs(repository):
    made = subprocess.run([sys.executable, "-m", "mailwatch.web.api"], capture_output=True, text=True, check=True).stdout
    kept = (repository / "docs/openapi.json").read_text()
    assert kept == made, "make it anew: python -m mailwatch.web.api > docs/openapi.json"


def test_every_operation_has_a_role_a_problem_and_a_name(spec):
    operations = [operation for path in spec["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["x-role"] in ("read", "act", "admin")
        assert operation["security"]
        assert operation["description"]
        assert "422" not in operation["responses"]
        assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_every_post_takes_a_key_and_nothing_else_does(spec):
    for path in spec["paths"].values():
        for method, operation in path.items():
            names = [parameter["name"] for parameter in operation.get("parameters", ())]
            assert ("Idempotency-Key" in names) == (method == "post")


def test_no_parameter_may_be_null_and_nothing_points_into_the_void(spec):
    text = json.dumps(spec)
    for path in spec["paths"].values():
        for operation in path.values():
            assert all("null" not in json.dumps(parameter["schema"]) for parameter in operation.get("parameters", ()))
    known = {f"#/components/schemas/{name}" for name in spec["components"]["schemas"]}
    assert {part.split('"')[0] for part in text.split('"$ref": "')[1:]} <= known
    assert "HTTPValidationError" not in text


def test_no_secret_is_in_any_answer_but_that_which_makes_one(spec):
    shown = {
        name
        for name, schema in spec["components"]["schemas"].items()
        for field, content in schema.get("properties", {}).items()
        if field in ("secret", "password", "token") and not content.get("writeOnly") and "anyOf" not in content
    }
    assert shown == {"NewToken"}


def test_a_path_knows_its_methods():
    assert allowed_methods(ROUTERS, "/api/v1/mailboxes") == "GET, POST"
    assert allowed_methods(ROUTERS, "/nowhere") == ""


def test_every_route_is_in_the_documentation_with_its_role(repository):
    told = set(re.findall(r"^\| `([A-Z]+ /\S+)` \| (\w+) \|", (repository / "docs/api.md").read_text(), re.MULTILINE))
    routes = api_routes(ROUTERS)
    assert told == {
        (f"{method} {route.path_format}", need_of(route.dependant).role.value) for route in routes for method in route.methods
    }
