"""The scripts that come with the simulation."""

from mailwatch.sim import fleet, scripts

NAMES = tuple(spec.name for spec in fleet.PROVIDERS)


def test_the_same_seed_makes_the_same_weather_and_another_seed_another():
    def weather(seed):
        return scripts.weather(seed, NAMES, start_seconds=0, until_seconds=600)

    assert weather(1) == weather(1) != weather(2)
    assert 600 / 24 < len(weather(1).steps) < 600 / 4


def test_the_demo_shows_each_kind_of_trouble_within_its_first_minute():
    steps = [step for step in scripts.demo(1, NAMES).steps if step.at_seconds < 60]
    shown = {str(step.kind) for step in steps}
    assert {"outage", "drop_on_accept", "change_password", "commands_throttled", "revoke_grant", "expire_tokens"} <= shown
    assert {"smtp_auth_disabled", "maintenance", "quota_full", "app_password_required", "connection_limit"} <= shown


def test_a_smaller_cast_gets_a_smaller_script():
    assert scripts.demo(1, ("yahoo",)).providers == {"yahoo"}
