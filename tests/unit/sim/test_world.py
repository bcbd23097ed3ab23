"""The world: scripts, owners, the same story for the same seed."""

import asyncio

from mailwatch.sim import ActionKind, Fault, FaultKind, Script, Step

ANNA, GINA, MIA = "anna@hoster.example", "gina@google.example", "mia@ms.example"


async def test_a_script_begins_and_ends_its_faults_by_itself(world, client):
    script = Script.of([Step(0.0, FaultKind.ACCOUNT_DISABLED, "hoster", duration_seconds=3.0)])
    await world.play(script)
    assert "Login disabled" in await client.login(ANNA, "hoster")
    async with asyncio.timeout(60):
        while world.happenings[-1].begins:
            await asyncio.sleep(0.02)
    assert await client.login(ANNA, "hoster") == "OK"
    assert [(what.kind, what.begins) for what in world.happenings] == [
        (FaultKind.ACCOUNT_DISABLED, True),
        (FaultKind.ACCOUNT_DISABLED, False),
    ]


async def test_a_changed_password_is_refused_until_the_owner_sets_it_again(world, client):
    (address,) = await world.carry_out(Step(0, ActionKind.CHANGE_PASSWORD, "yahoo", count=1))
    old = "pw-old"
    assert "MBR1212" in await client.login(address, "yahoo", old)
    world.set_password(address, old)
    assert await client.login(address, "yahoo", old) == "OK"


async def test_a_revoked_consent_is_dead_until_the_owner_consents_again(world, client):
    token = world.consent(GINA)
    await world.carry_out(Step(0, ActionKind.REVOKE_GRANT, "google", addresses=frozenset({GINA})))
    assert (await client.token("google", token))[0] == 400
    assert (await client.token("google", world.consent(GINA)))[0] == 200


async def test_expired_tokens_leave_the_consent_alive(world, client):
    token = world.consent(GINA)
    _, document, _ = await client.token("google", token)
    await world.carry_out(Step(0, ActionKind.EXPIRE_TOKENS, "google", addresses=frozenset({GINA})))
    assert world["google"].tokens.owner_of_access(document["access_token"]) is None
    assert (await client.token("google", token))[0] == 200


async def test_no_mailbox_is_picked_twice(world):
    first = await world.carry_out(Step(0, ActionKind.CHANGE_PASSWORD, "hoster", count=1))
    second = await world.carry_out(Step(0, ActionKind.CHANGE_PASSWORD, "hoster", count=5))
    assert len(first) == len(second) == 1
    assert first != second
    assert await world.carry_out(Step(0, FaultKind.ACCOUNT_DISABLED, "hoster", count=1)) == ()
    assert not [*world["hoster"].faults]


async def test_heal_ends_all_faults_of_a_provider(world, client):
    await world.begin(Fault(FaultKind.OUTAGE, "hoster"))
    await world.begin(Fault(FaultKind.ACCOUNT_DISABLED, "hoster"))
    await world.carry_out(Step(0, ActionKind.HEAL, "hoster"))
    assert await client.login(ANNA, "hoster") == "OK"


async def test_it_is_known_whom_a_fault_hinders(world):
    assert not world.hinders(ANNA)
    await world.begin(Fault(FaultKind.SMTP_AUTH_DISABLED, "microsoft", domain="tenant.example"))
    assert world.hinders("theo@tenant.example")
    assert not world.hinders(MIA)
