"""What a reload changes, and what it cannot."""

from mailwatch.config import Settings
from mailwatch.config.changes import RELOADED, changed, told
from mailwatch.config.shape import find


def settings(**sections):
    return Settings.model_validate(sections)


def test_nothing_changes_between_equal_settings():
    assert list(changed(Settings(), Settings())) == []


def test_changes_are_told_by_whether_they_need_a_restart():
    new = settings(
        probing={"interval_seconds": 60},
        log={"level": "debug", "format": "console"},
        web={"listen": "127.0.0.1:1"},
        providers={"google": {"burst": 1}},
        network={"canaries": ["a:1"]},
    )
    live, restart = told(Settings(), new)
    assert "probing.interval_seconds" in live
    assert "log.level" in live
    assert "providers.google.burst" in live
    assert restart == ["web.listen", "network.canaries", "log.format"]


def test_what_was_taken_out_is_a_change_too():
    live, _ = told(settings(providers={"google": {"burst": 1}}), Settings())
    assert "providers.google.burst" in live


def test_a_reference_that_points_elsewhere_needs_a_restart():
    assert told(Settings(), settings(secrets={"keyring": {"env": "X"}})) == ([], ["secrets.keyring"])


def test_what_is_reloaded_exists():
    assert all(find(path) is not None for path in RELOADED)


def test_when_a_client_secret_ends_is_heeded_at_once_and_the_rest_of_its_application_is_not():
    before = settings(oauth={"idp": {"kind": "google", "client_id": "x"}})
    after = settings(oauth={"idp": {"kind": "google", "client_id": "y", "client_secret_expires": "2027-01-31"}})
    assert told(before, after) == (["oauth.idp.client_secret_expires"], ["oauth.idp.client_id"])
