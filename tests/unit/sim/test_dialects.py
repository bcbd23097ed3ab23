"""Every dialect has its manner, and its phrases can be filled in."""

import pytest

from mailwatch.sim.dialects import MANNERS, Dialect


@pytest.mark.parametrize("dialect", Dialect)
def test_every_phrase_can_be_filled_in(dialect):
    manner = MANNERS[dialect]
    facts = {"host": "mail.example", "address": "anna@a.example", "capabilities": "IMAP4rev1"}
    for phrase in (manner.imap_greeting, manner.imap_login_ok, manner.smtp_greeting, manner.smtp_hello, manner.smtp_accepted):
        assert "{" not in phrase.format(**facts)
    assert manner.smtp_login_ok.startswith("235 ")
    assert manner.smtp_bye.startswith("221 ")


def test_the_dialects_can_be_told_apart_by_their_greetings():
    assert len({manner.imap_greeting for manner in MANNERS.values()}) == len(Dialect)
