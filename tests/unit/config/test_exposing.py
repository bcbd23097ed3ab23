"""[metrics]: single mailboxes are shown only when asked for."""

import pytest
from pydantic import ValidationError

from mailwatch.config.exposing import Metrics


def test_by_default_no_mailbox_is_shown_by_itself_and_none_by_its_address():
    metrics = Metrics()
    assert (metrics.mailboxes, metrics.address_label, metrics.web_config) == (False, False, None)


@pytest.mark.parametrize("values", [{"most": 0}, {"most": 100_001}, {"web_config": "web.yml"}])
def test_what_makes_no_sense_is_refused(values):
    with pytest.raises(ValidationError):
        Metrics(**values)
