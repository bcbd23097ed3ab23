"""The gate's columns: what is put in comes out, and what is gone leaves nothing."""

from builders import NOW, later
from fakes.sending import a_change
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.desk.sending_table import SendingTable

DAY = 86_400.0


def filled(*changes):
    table = SendingTable()
    for change in changes:
        table.put(change)
    return table


def test_every_state_and_cause_comes_out_as_it_went_in():
    for state in State:
        for cause in (None, *Cause):
            change = a_change(state=state.value, cause=cause, since_at=NOW, until_at=later(0.000001), outage_seconds=1.5)
            found = filled(change).find("mb_1")
            assert (found.state, found.cause, found.since_at) == (state, cause, NOW)
            assert (found.until_at, found.outage_seconds, found.sends) == (later(0.000001), 1.5, change.sends)


def test_a_mailbox_is_found_by_id_and_by_address_in_any_case():
    table = filled(a_change("mb_1"), a_change("mb_2", address_key="ünal@example.org"))
    assert table.find("MB_1@Example.org") == table.find("mb_1") == table.find(" mb_1@example.org ")
    assert table.find("Ünal@example.org") is not None
    assert table.find("mb_3") is None
    assert table.find("\ud800") is None


def test_what_is_removed_is_found_no_more_and_its_place_is_used_again():
    table = filled(a_change("mb_1"), a_change("mb_2"))
    table.put(a_change("mb_1", address_key="", removed=True))
    assert table.find("mb_1") is table.find("mb_1@example.org") is None
    table.put(a_change("mb_3", "held"))
    assert (len(table), table.find("mb_3").state, table.find("mb_2").state) == (2, "held", "connected")
    table.put(a_change("mb_9", removed=True))
    assert len(table) == 2


def test_an_address_that_went_to_another_mailbox_stays_with_it():
    table = filled(a_change("mb_1", address_key="a@x.org"), a_change("mb_2", "held", address_key="a@x.org"))
    table.put(a_change("mb_1", removed=True))
    assert table.find("a@x.org").state == "held"


def test_a_new_outage_has_its_own_ramp():
    table = filled(a_change(since_at=NOW, outage_seconds=2 * DAY), a_change(state="suspect", since_at=later(600)))
    table.put(a_change(state="reconnecting", since_at=later(700)))
    table.put(a_change(since_at=later(9000), outage_seconds=8300))
    assert (table.find("mb_1").since_at, table.find("mb_1").outage_seconds) == (later(9000), 8300)


def test_a_place_used_again_remembers_no_ramp():
    table = filled(a_change(since_at=NOW, outage_seconds=2 * DAY))
    table.put(a_change(removed=True))
    table.put(a_change("mb_2", since_at=later(5)))
    assert (table.find("mb_2").since_at, table.find("mb_2").outage_seconds) == (later(5), 0.0)


def test_a_round_forgets_what_it_did_not_see():
    table = filled(*(a_change(f"mb_{number}") for number in range(6)))
    for round_number in (1, 2, 3):
        table.begin_round()
        table.put(a_change("mb_new" + str(round_number)))
        for number in range(round_number, 6):
            table.put(a_change(f"mb_{number}"))
        gone = table.end_round()
        assert gone == (1 if round_number == 1 else 2)
        assert table.find(f"mb_{round_number - 1}") is None
    assert len(table) == 4
