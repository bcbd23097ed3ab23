"""Settings: who sees what, and the configuration as tables."""

from fakes.web import served
from mailwatch.core.secret import Secret
from mailwatch.ports.delivery import Endpoint
from mailwatch.web.pages.settings import sections


def test_the_configuration_is_shown_as_tables_with_dotted_names():
    described = {"log": {"level": "info"}, "providers": {"google": {"hosts": ["a", "b"], "fast": True}}, "version": 1, "empty": {}}
    assert list(sections(described)) == [
        ("", [("version", "1")]),
        ("log", [("level", "info")]),
        ("providers.google", [("hosts", "a, b"), ("fast", "true")]),
    ]


def test_what_is_not_set_is_said_so():
    assert list(sections({"web": {"external_url": None, "names": []}})) == [
        ("web", [("external_url", "not set"), ("names", "none")])
    ]


async def test_users_tokens_and_the_configuration_are_for_administrators(rig):
    _, _, text = await rig.ask("GET", "/settings")
    assert "API tokens" in text
    assert "Configuration in force" in text
    for role in ("act", "read"):
        _, _, text = await rig.ask("GET", "/settings", role=role)
        assert "API tokens" not in text
        assert "Configuration in force" not in text
        assert "Webhooks" in text


async def test_no_page_shows_a_tokens_text(rig):
    _, _, text = await rig.ask("GET", "/settings")
    assert "mwt_" not in text


async def test_the_delivery_log_is_filtered_by_what_is_there(rig):
    assert "No delivery here" in (await rig.ask("GET", "/settings/deliveries?endpoint=x&state=failed"))[2]
    assert (await rig.ask("GET", "/settings/deliveries?state=nonsense&before=x"))[0] == 200


async def test_a_webhooks_url_is_shown_by_its_host_alone(tmp_path):
    hook = Endpoint("crm", "https://hooks.example.org/T0/s3cret-path", (Secret("whsec_c4n4ry"),))
    async with served(tmp_path / "mailwatch.db", endpoints={"crm": hook}) as rig:
        _, _, text = await rig.ask("GET", "/settings")
    assert "hooks.example.org" in text
    assert "s3cret-path" not in text
    assert "c4n4ry" not in text
