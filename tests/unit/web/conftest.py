"""`rig`: the application over a database of its own, served on a real socket."""

import pytest

from fakes.web import served


@pytest.fixture
async def rig(tmp_path, no_task_left_behind):
    async with served(tmp_path / "mailwatch.db") as rig:
        yield rig
