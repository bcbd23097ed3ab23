"""What people read about accounts, and about pauses of our own making."""

import pytest

from mailwatch.core.acts import HOLD_REASONS
from mailwatch.core.causes import Cause
from mailwatch.core.texts_access import ACCESS
from mailwatch.core.texts_account import ACCOUNT, PLATFORM
from mailwatch.core.texts_technical import TECHNICAL


def test_every_cause_has_its_words_in_one_place_only():
    tables = (ACCESS, ACCOUNT, PLATFORM, TECHNICAL)
    assert sum(map(len, tables)) == len(set().union(*tables)) == len(Cause)


@pytest.mark.parametrize("cause", [*HOLD_REASONS, Cause.OPERATOR_DISCONNECT, Cause.LOCAL_NETWORK_DOWN])
def test_what_we_do_ourselves_is_not_laid_at_the_customers_door(cause):
    customer = PLATFORM[cause].customer
    assert "your password" not in customer.lower()
    assert "contact your" not in customer.lower()


def test_a_full_mailbox_is_told_to_be_emptied():
    texts = ACCOUNT[Cause.MAILBOX_FULL]
    assert "full" in texts.customer
    assert texts.remedy
