"""Fixtures of the probe's tests."""

import pytest

from fakes.certificates import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A root and what it (or a stranger) signs."""
    return Certificates(tmp_path_factory.mktemp("certificates"))
