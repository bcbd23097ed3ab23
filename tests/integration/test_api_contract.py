"""The API keeps to its own OpenAPI document: schemathesis asks what the document allows, and what it does not."""

import asyncio
import threading
from contextlib import contextmanager

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from fakes.web import served
from mailwatch.web.api import ROUTERS
from mailwatch.web.api.openapi import document
from mailwatch.web.surface import WebSettings

_EXAMPLES = 12


@contextmanager
def in_a_thread(path):
    """A served rig in an event loop of its own, so that a client that blocks may ask it."""
    ready, stop, found = threading.Event(), [], []

    async def serve():
        ended = asyncio.Event()
        stop.append((asyncio.get_running_loop(), ended))
        async with served(path, settings=WebSettings(requests_per_minute=1_000_000)) as rig:
            await rig.fill(5, oauth=1)
            await rig.gate_follows()
            await asyncio.to_thread(int)  # the thread that hashes passwords starts here, not in a test
            found.append(rig)
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(180)
    try:
        yield found[0]
    finally:
        loop, ended = stop[0]
        loop.call_soon_threadsafe(ended.set)
        thread.join(180)


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with in_a_thread(tmp_path_factory.mktemp("contract") / "mailwatch.db") as rig:
        yield rig


schema = schemathesis.openapi.from_dict(document(ROUTERS)).exclude(operation_id="follow_events")


#: Refusals that no schema can foretell: they depend on what is there, or on two fields together.
_BY_MEANING = {"bad_cursor", "stale", "unfit", "not_confirmed", "key_reused", "answer_not_kept", "illegal_move", "malformed"}


@schema.parametrize()
@settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
def test_every_operation_does_what_the_document_says(case, rig):
    response = case.call(base_url=rig.url, headers=rig.bearer())
    code = response.json()["code"] if response.headers.get("content-type", [""])[0].endswith("problem+json") else None
    excluded = [positive_data_acceptance] if code in _BY_MEANING else [negative_data_rejection] if code == "too_large" else []
    case.validate_response(response, excluded_checks=excluded)
