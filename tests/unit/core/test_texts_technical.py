"""What people read about network, servers and limits."""

import pytest

from mailwatch.core.causes import Disposition, profile_of
from mailwatch.core.texts_technical import TECHNICAL


@pytest.mark.parametrize("cause", [cause for cause in TECHNICAL if profile_of(cause).disposition is not Disposition.HUMAN])
def test_what_passes_by_itself_says_that_mailwatch_goes_on_trying(cause):
    operator = TECHNICAL[cause].operator
    assert "mailwatch" in operator
    assert "must" not in TECHNICAL[cause].customer


@pytest.mark.parametrize("cause", list(TECHNICAL))
def test_no_step_asks_for_a_new_password(cause):
    assert not any("set-secret" in step for step in TECHNICAL[cause].remedy)
