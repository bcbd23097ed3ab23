"""Costly answers: asked once by many at the same time, anew when they are old, and never kept when they failed."""

import asyncio

import pytest

from mailwatch.web.pages.shelf import KEPT_SECONDS, Shelf


class Source:
    """Answers with how often it was asked, once it is let to; fails while it is told to."""

    def __init__(self):
        self.asked, self.fails = 0, False
        self.free = asyncio.Event()
        self.free.set()

    async def __call__(self):
        self.asked += 1
        await self.free.wait()
        if self.fails:
            raise OSError("the database is away")
        return self.asked


async def test_an_answer_is_kept_for_seconds_and_asked_for_anew_after_them():
    shelf, source = Shelf(), Source()
    assert await shelf.get("a", 0.0, source) == 1
    assert await shelf.get("a", KEPT_SECONDS - 0.1, source) == 1
    assert await shelf.get("a", KEPT_SECONDS, source) == 2
    assert await shelf.get("b", KEPT_SECONDS, source) == 3


async def test_many_who_ask_at_once_are_answered_by_one_question_though_the_first_goes_away():
    shelf, source = Shelf(), Source()
    source.free.clear()
    waiting = [asyncio.ensure_future(shelf.get("a", 0.0, source)) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    source.free.set()
    assert await asyncio.gather(*waiting[1:]) == [1, 1, 1, 1]
    assert source.asked == 1
    assert waiting[0].cancelled()


async def test_a_failed_answer_is_not_kept():
    shelf, source = Shelf(), Source()
    source.fails = True
    with pytest.raises(OSError, match="the database is away"):
        await shelf.get("a", 0.0, source)
    source.fails = False
    assert await shelf.get("a", 0.1, source) == 2


async def test_what_is_old_or_too_many_is_forgotten():
    shelf, source = Shelf(), Source()
    for number in range(500):
        await shelf.get(number, 0.0, source)
    assert len(shelf._kept) <= 201
    await shelf.get("later", 60.0, source)
    assert len(shelf._kept) == 1
