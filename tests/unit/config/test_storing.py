"""Which databases the configuration takes."""

import pytest
from pydantic import ValidationError

from mailwatch.config.storing import Store


@pytest.mark.parametrize("url", ["sqlite:////var/lib/x.db", "sqlite:///x.db", "postgresql://u@h/d", "postgresql:///d?host=/run"])
def test_databases_that_can_be_used_are_taken(url):
    assert Store(url=url).url == url


@pytest.mark.parametrize("url", ["", "x.db", "sqlite:", "sqlite:///", "sqlite://x.db", "mysql://u@h/d", "/var/lib/x.db"])
def test_others_are_refused(url):
    with pytest.raises(ValidationError):
        Store(url=url)
