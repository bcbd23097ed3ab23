"""The list, and rows alone."""

from mailwatch.ports import Act

BY = Act("cli:test", "test")


async def test_the_front_page_leads_to_the_list(rig):
    status, headers, _ = await rig.ask("GET", "/")
    assert (status, headers["Location"]) == (303, "/mailboxes")


async def test_a_cursor_of_nobodys_leads_to_the_first_page(rig):
    status, headers, _ = await rig.ask("GET", "/mailboxes?q=a&cursor=made-up")
    assert (status, headers["Location"]) == (303, "/mailboxes?q=a")


async def test_a_row_carries_what_its_menu_and_the_api_need(rig):
    await rig.fill(1)
    _, _, text = await rig.ask("GET", "/mailboxes")
    assert 'id="row-mb_0000" data-mailbox="mb_0000" data-address="user0@example.org" data-version="&#34;0&#34;"' in text
    assert 'data-acts="disconnect remove"' in text
    _, _, text = await rig.ask("GET", "/mailboxes", role="act")
    assert 'data-acts="disconnect"' in text
    _, _, text = await rig.ask("GET", "/mailboxes", role="read")
    assert 'data-acts=""' in text


async def test_the_menu_follows_the_state(rig):
    await rig.fill(1)
    await rig.surface.desk.disconnect("mb_0000", BY)
    _, _, text = await rig.ask("GET", "/mailboxes")
    assert 'data-acts="reconnect remove"' in text
    assert 'href="/mailboxes?state=inactive"' in text


async def test_rows_alone_are_those_asked_for_with_the_counters_of_the_filter(rig):
    await rig.fill(3)
    status, _, text = await rig.ask("GET", "/mailboxes/rows?id=mb_0001&id=mb_gone&state=pending")
    assert status == 200
    assert text.count("<tr ") == 1
    assert 'id="row-mb_0001"' in text
    assert 'id="counter-pending"' in text
    assert "<nav" not in text
    _, _, text = await rig.ask("GET", "/mailboxes/rows")
    assert text.count("<tr ") == 0


async def test_an_empty_fleet_is_told_how_to_begin_and_an_empty_search_how_to_go_on(rig):
    assert "No mailboxes yet" in (await rig.ask("GET", "/mailboxes"))[2]
    assert "No mailbox matches" in (await rig.ask("GET", "/mailboxes?q=nobody"))[2]


async def test_a_filter_that_means_nothing_is_not_left_aside_in_silence(rig):
    await rig.fill(1)
    assert "There is no" not in (await rig.ask("GET", "/mailboxes?state=connected"))[2]
    _, _, text = await rig.ask("GET", "/mailboxes?state=%3Cfoo%3E&lable=x")
    assert "There is no state “&lt;foo&gt;”, only" in text
    assert "There is no filter “lable”; perhaps “label” is meant." in text
    assert text.count("It is left aside, and narrows nothing.") == 2
