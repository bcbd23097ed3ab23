"""What people read when a login is refused."""

import re

import pytest

from mailwatch.core.causes import SECRET_REFUSALS, WIRE_CAUSES, Category, Cause, profile_of
from mailwatch.core.texts_access import ACCESS


def test_no_cause_has_its_words_here_but_those_of_a_login():
    assert set(ACCESS) <= set(WIRE_CAUSES)
    assert not any(profile_of(cause).category is Category.TECHNICAL for cause in ACCESS if cause in SECRET_REFUSALS)


@pytest.mark.parametrize("cause", [Cause.INVALID_CREDENTIALS, Cause.PASSWORD_EXPIRED, Cause.APP_PASSWORD_REQUIRED])
def test_whoever_needs_a_new_secret_is_told_where_it_goes(cause):
    for steps in (ACCESS[cause].remedy, *ACCESS[cause].provider_remedies.values()):
        assert re.search(r"mailwatch (mailbox set-secret|oauth login)|connect by OAuth", steps[-1])


def test_google_and_microsoft_have_their_own_steps_where_theirs_differ():
    assert {"google", "microsoft"} <= {family for texts in ACCESS.values() for family in texts.provider_remedies}
    assert "google" in ACCESS[Cause.APP_PASSWORD_REQUIRED].provider_remedies
