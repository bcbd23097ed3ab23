"""The secrets of webhooks: what is one, and that an error never shows it."""

import base64
import json
import re

import pytest

from mailwatch.core.secret import Secret
from mailwatch.core.webhooks import EventType, WebhookSecretError, webhook_key


def text(key):
    return "whsec_" + base64.b64encode(key).decode()


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_key_is_the_bytes_behind_the_prefix(size):
    assert webhook_key(Secret(text(b"k" * size) + "\n")) == b"k" * size


@pytest.mark.parametrize(
    "given", ["", "whsec_", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "whsec_not base64!", text(b"k" * 23), text(b"k" * 65)]
)
def test_what_is_no_secret_is_refused_without_being_shown(given):
    with pytest.raises(WebhookSecretError) as caught:
        webhook_key(Secret(given))
    shown = f"{caught.value!r} {caught.value.__cause__!r}"
    assert not given.removeprefix("whsec_") or given.removeprefix("whsec_") not in shown


def test_the_documentation_lists_every_type_of_event_with_an_example(repository):
    text = (repository / "docs" / "webhooks.md").read_text()
    types = {kind.value for kind in EventType}
    assert set(re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", text, re.MULTILINE)) == types
    examples = next(block for block in re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    assert {json.loads(example)["type"] for example in examples.split("\n\n")} == types
