"""ETags and versions."""

import pytest

from mailwatch.web.api.answers import NO_VERSION, wanted_version
from mailwatch.web.problems import Problem


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
        ('"1.ab" ,"3.ab" , ', 3, 3),
        ('"abc"', 3, NO_VERSION),
        ('"a,b", W/""', 3, NO_VERSION),
        ('"99999999999999999999"', 3, NO_VERSION),
    ],
)
def test_the_version_an_act_insists_on(if_match, present, wanted):
    assert wanted_version(if_match, present) == wanted


@pytest.mark.parametrize(
    "if_match", ["3", "", " ", ",", "abc", '"3', '3"', '"3" "4"', '"1", x', "*, *", 'w/"3"', '"3"; "4"', '"a b"']
)
def test_what_is_no_list_of_entity_tags_is_refused_as_such(if_match):
    with pytest.raises(Problem, match="If-Match") as refused:
        wanted_version(if_match, 3)
    assert refused.value.status == 400
