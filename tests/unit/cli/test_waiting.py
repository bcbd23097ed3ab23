"""What a verb says of a look that is put off follows the configuration in force."""

from fakes.web import refused
from mailwatch.cli.opening import WallClock


def test_a_provider_that_is_said_to_count_by_account_makes_no_proven_mailbox_wait(installed):
    installed.fill(1)
    installed.with_store(lambda store: refused(store, WallClock().now(), 3))
    assert installed.json("mailbox", "show", "mb_0000")["waits_until_at"]
    installed.config.write_text(
        installed.config.read_text() + "[budget]\nhost_rejected_logins = 4\n[providers.other]\nper_address_bans = false\n"
    )
    assert installed.json("mailbox", "show", "mb_0000")["waits_until_at"] is None
