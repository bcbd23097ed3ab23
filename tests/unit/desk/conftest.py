"""`rig`: a desk, accounts and the rest over a real database of the test's own."""

import pytest

from fakes.web import make_rig


@pytest.fixture
async def rig(tmp_path):
    rig = await make_rig(tmp_path / "mailwatch.db")
    yield rig
    await rig.store.close()
