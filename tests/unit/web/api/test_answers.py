"""ETags and versions."""

import pytest

from mailwatch.web.api.answers import NO_VERSION, wanted_version


@pytest.mark.parametrize(
    ("if_match", "present", "wanted"),
    [
        (None, 3, None),
        ("*", 3, None),
        ('"3"', 3, 3),
        ('"3.0123456789abcdef"', 4, 3),
        ('W/"3.ab"', 3, 3),
        ('"1.ab", "3.ab"', 3, 3),
        ('"1.ab"', 3, 1),
        ('"abc"', 3, NO_VERSION),
        ("3", 3, NO_VERSION),
        ("", 3, NO_VERSION),
        ('"99999999999999999999"', 3, NO_VERSION),
    ],
)
def test_the_version_an_act_insists_on(if_match, present, wanted):
    assert wanted_version(if_match, present) == wanted
