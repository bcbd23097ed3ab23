"""Transitions, audit and troubles over the API."""

from fakes.web import BY


async def test_transitions_are_followed_by_their_numbers(rig):
    await rig.fill(2)
    for mailbox in ("mb_0000", "mb_0001"):
        await rig.surface.desk.disconnect(mailbox, BY)
    _, headers, first = await rig.ask("GET", "/api/v1/transitions?limit=1", role="read")
    assert [step["mailbox"] for step in first["transitions"]] == ["mb_0000"]
    _, _, second = await rig.ask("GET", headers["Link"].partition(">")[0].removeprefix("<"))
    assert [(step["mailbox"], step["to_state"]) for step in second["transitions"]] == [("mb_0001", "inactive")]
    _, headers, last = await rig.ask("GET", f"/api/v1/transitions?after={second['next']}")
    assert (last["transitions"], last["next"], "Link" in headers) == ([], second["next"], False)
    _, _, of_one = await rig.ask("GET", "/api/v1/transitions?mailbox=mb_0001")
    assert len(of_one["transitions"]) == 1


async def test_the_audit_log_is_for_admins_newest_first(rig):
    await rig.fill(1)
    await rig.ask("POST", "/api/v1/mailboxes/mb_0000/disconnect", role="act")
    assert (await rig.ask("GET", "/api/v1/audit", role="act"))[0] == 403
    _, headers, page = await rig.ask("GET", "/api/v1/audit?mailbox=mb_0000&limit=1")
    (row,) = page["audit"]
    assert (row["actor"], row["action"], row["origin"]) == ("token:act", "mailbox.disconnect", "127.0.0.1")
    assert (row["state_before"], row["state_after"]) == ("pending", "inactive")
    _, _, before = await rig.ask("GET", headers["Link"].partition(">")[0].removeprefix("<"))
    assert before["audit"][0]["id"] < row["id"]


async def test_troubles_are_counted(rig):
    await rig.fill(3)
    for number in range(2):
        await rig.surface.desk.disconnect(f"mb_000{number}", BY)
    _, _, found = await rig.ask("GET", "/api/v1/troubles", role="read")
    (trouble,) = found["troubles"]
    assert (trouble["provider"], trouble["state"], trouble["mailboxes"]) == ("other", "inactive", 2)
