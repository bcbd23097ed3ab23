"""What a provider saw."""

from mailwatch.sim.ledger import KEPT, Ledger


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_logins_and_refusals_are_counted_by_address_with_their_moments():
    clock = Clock()
    ledger = Ledger(clock)
    for moment in (1.0, 2.0, 700.0):
        clock.now = moment
        ledger.login_tried("anna@a.example")
        ledger.login_rejected("anna@a.example")
    assert ledger.logins["anna@a.example"] == 3
    assert ledger.login_times("anna@a.example") == (1.0, 2.0, 700.0)
    assert ledger.login_times("nobody@a.example") == ()
    assert ledger.rejected_since(600) == 1
    assert ledger.totals()["rejected"] == 3


def test_the_busiest_window_is_the_worst_burst():
    clock = Clock()
    ledger = Ledger(clock)
    for clock.now in (0.0, 10.0, 10.5, 10.9, 11.2, 30.0):
        ledger.login_tried("anna@a.example")
    assert ledger.busiest(1.0) == 3
    assert ledger.busiest(100.0) == 6
    assert Ledger(clock).busiest(1.0) == 0


def test_sessions_at_once_are_kept_as_a_peak():
    ledger = Ledger(Clock())
    with ledger.session("anna@a.example", "imap"):
        with ledger.session("anna@a.example", "imap"), ledger.session("anna@a.example", "smtp"):
            assert ledger.sessions["imap:anna@a.example"].now == 2
        assert ledger.sessions["imap:anna@a.example"].now == 1
    assert ledger.sessions["imap:anna@a.example"].peak == 2
    assert ledger.sessions["smtp:anna@a.example"].peak == 1
    assert ledger.accepted["anna@a.example"] == 3


def test_moments_are_bounded_and_counts_are_not():
    ledger = Ledger(Clock())
    for _ in range(3 * KEPT):
        ledger.login_tried("anna@a.example")
    assert KEPT <= len(ledger.login_times("anna@a.example")) <= 1.25 * KEPT + 1
    assert ledger.logins["anna@a.example"] == 3 * KEPT
