"""HTTP towards servers that others name: judged addresses, bounded answers, no detours."""

import asyncio
import socket

import pytest

from fakes.certificates import Certificates
from fakes.dialogues import flood, mute, reset, then
from fakes.probing import LOOPS, dialer, run_on
from fakes.token_server import TokenServer, answer
from mailwatch.ports.delivery import HttpError
from mailwatch.probe.egress import EgressPolicy
from mailwatch.probe.failures import ImpairedError, TargetDeniedError
from mailwatch.probe.http import MAX_BODY, JudgedHttp, root_of

OK = answer(200, b"fine", X_Kind="good")


async def post(http: JudgedHttp, url: str, body: bytes = b"a=1", seconds: float = 2.0) -> object:
    try:
        return await http.post(url, {"Content-Type": "application/x-www-form-urlencoded"}, body, timeout_seconds=seconds)
    finally:
        await http.close()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_post_brings_status_headers_and_body(loop: str) -> None:
    async def test() -> None:
        async with TokenServer(OK).running() as server:
            got = await post(JudgedHttp(dialer(), allow_cleartext=True), server.url)
            assert (got.status, got.headers["x-kind"], got.body) == (200, "good", b"fine")
            assert server.forms == [{"a": "1"}]

    run_on(loop, test)


async def test_tls_is_verified_by_name_and_by_authority(certificates: Certificates) -> None:
    async with TokenServer(OK, tls=certificates.server()).running() as server:
        assert (await post(JudgedHttp(dialer(certificates.ca_file)), server.url)).status == 200
    for fault, words in (("wrong_host", "certificate is not valid for"), ("stranger", "unable to get local issuer certificate")):
        async with TokenServer(OK, tls=certificates.server(fault)).running() as server:
            with pytest.raises(HttpError, match=words):
                await post(JudgedHttp(dialer(certificates.ca_file)), server.url)
            assert not server.forms


async def test_cleartext_needs_leave() -> None:
    with pytest.raises(HttpError, match="use https://"):
        await post(JudgedHttp(dialer()), "http://127.0.0.1:1/")
    with pytest.raises(ImpairedError):
        await JudgedHttp(dialer(), allow_cleartext=True).fetch("POST", "ftp://127.0.0.1/")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
async def test_no_spelling_of_a_private_address_is_connected_to(host: str) -> None:
    async with TokenServer(OK).running() as server:
        port = server.url.rpartition(":")[2]
        http = JudgedHttp(dialer(allow_private_hosts=False), allow_cleartext=True)
        with pytest.raises(HttpError):
            await post(http, f"http://{host}:{port}")
        assert not server.forms


async def test_a_name_that_resolves_elsewhere_the_second_time_is_judged_by_where_it_leads() -> None:
    class Rebinding:
        """Public when the policy could ask, private when it is connected to."""

        def __init__(self) -> None:
            self.answers = [["192.0.2.1"], ["127.0.0.1"]]

        async def addresses(self, _host: str) -> list[str]:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    dial = dialer(resolver=Rebinding(), allow_private_hosts=False)
    await dial.resolver.addresses("rebind.example")
    async with TokenServer(OK).running() as server:
        port = server.url.rpartition(":")[2]
        with pytest.raises(HttpError, match="egress policy"):
            await post(JudgedHttp(dial, allow_cleartext=True), f"http://rebind.example:{port}")
        assert not server.forms


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with TokenServer(answer(307, b"", Location="http://127.0.0.1:1/")).running() as server:
        assert (await post(JudgedHttp(dialer(), allow_cleartext=True), server.url)).status == 307


async def test_an_endless_answer_is_cut() -> None:
    async with TokenServer(then(b"HTTP/1.1 200 OK\r\n\r\n", flood(b"x" * 4096, 100_000))).running() as server:
        got = await post(JudgedHttp(dialer(), allow_cleartext=True), server.url, seconds=10.0)
        assert len(got.body) == MAX_BODY


async def test_a_server_that_hangs_costs_its_time_and_no_more() -> None:
    async with TokenServer(mute).running() as server:
        with pytest.raises(HttpError, match=r"no answer within 0\.2 s"):
            await post(JudgedHttp(dialer(), allow_cleartext=True), server.url, seconds=0.2)


async def test_nobody_there_is_told_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(HttpError, match="Connect"):
            await post(JudgedHttp(dialer(), allow_cleartext=True), f"http://127.0.0.1:{taken.getsockname()[1]}/")


async def test_a_connection_that_breaks_off_is_told_in_words() -> None:
    async with TokenServer(reset).running() as server:
        with pytest.raises(HttpError) as caught:
            await post(JudgedHttp(dialer(), allow_cleartext=True), server.url)
        assert str(caught.value)


async def test_what_stands_in_the_environment_changes_no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with TokenServer(OK).running() as server:
        assert (await post(JudgedHttp(dialer(), allow_cleartext=True), server.url)).status == 200


async def test_two_at_once_to_one_host_do_not_exceed_its_connections() -> None:
    async with TokenServer(OK, delay_seconds=0.05).running() as server:
        http = JudgedHttp(dialer(), allow_cleartext=True, connections_per_host=1)
        answers = await asyncio.gather(*(http.fetch("POST", server.url, body=b"a=1") for _ in range(3)))
        await http.close()
        assert [got.status for got in answers] == [200, 200, 200]


def test_the_networks_own_error_is_found_below_the_clients() -> None:
    denied = TargetDeniedError()
    assert root_of(denied) is denied
    assert EgressPolicy().allows_host("127.0.0.1") is False
