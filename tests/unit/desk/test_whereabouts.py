"""How browsers reach the page."""

import pytest

from mailwatch.config import Settings
from mailwatch.desk.whereabouts import CALLBACK, page_url


@pytest.mark.parametrize(
    ("web", "url"),
    [
        ({}, "http://127.0.0.1:9725/oauth/callback"),
        ({"listen": "[::1]:80"}, "http://[::1]:80/oauth/callback"),
        ({"external_url": "https://mailwatch.example.org"}, "https://mailwatch.example.org/oauth/callback"),
        ({"external_url": "https://example.org/mailwatch/"}, "https://example.org/mailwatch/oauth/callback"),
    ],
)
def test_the_outside_address_comes_first_and_keeps_its_path(web: dict[str, str], url: str) -> None:
    assert page_url(Settings.model_validate({"web": web}), CALLBACK) == url
