"""A DNS server over UDP on loopback: answers from a table, or is mute, or fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer(asyncio.DatagramProtocol):
    """*records*: (name, type) -> texts of records; *failing* / *mute* hold names (or `*`)."""

    def __init__(self, records: dict[tuple[str, str], list[str]] | None = None, *, ttl: int = 60) -> None:
        self.records = records or {}
        self.ttl = ttl
        self.mute: set[str] = set()
        self.failing: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if {name, f"{name} {kind}", "*"} & self.mute:
            return
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if {name, "*"} & self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in self.records:
            response.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", kind, *self.records[name, kind]))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(response.to_wire(), addr)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["NameServer"]:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = transport.get_extra_info("sockname")[1]
        try:
            yield self
        finally:
            transport.close()
            await asyncio.sleep(0)
