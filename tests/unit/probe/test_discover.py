"""From an address to its servers."""

from fakes.name_server import NameServer
from mailwatch.probe.discover import discover
from mailwatch.probe.resolve import Resolver

RECORDS = {
    ("hosted.example", "MX"): ["1 aspmx.l.google.com."],
    ("own.example", "MX"): ["1 mx.own.example."],
    ("_imaps._tcp.own.example", "SRV"): ["0 1 993 imap.own.example."],
    ("_submission._tcp.own.example", "SRV"): ["0 1 587 smtp.own.example."],
    ("mixed.example", "MX"): ["1 mixed-example.mail.protection.outlook.com."],
    ("_imaps._tcp.mixed.example", "SRV"): ["0 1 993 imap.mixed.example."],
    ("nothing.example", "MX"): ["1 mx.nothing.example."],
    ("_imaps._tcp.xn--mller-kva.example", "SRV"): ["0 1 993 imap.example."],
}


async def found_for(address: str) -> tuple[str, str | None, str | None]:
    async with NameServer(RECORDS).running() as names:
        found = await discover(address, Resolver([names.address], timeout_seconds=10))
        return found.found_by, found.imap and found.imap.url, found.smtp and found.smtp.url


async def test_a_known_provider_needs_no_question() -> None:
    found = await discover("anna@gmail.com", Resolver([]))
    assert (found.found_by, found.imap and found.imap.host) == ("known_provider", "imap.gmail.com")


async def test_a_domain_tells_its_servers_by_srv_records() -> None:
    assert await found_for("anna@own.example") == ("srv", "imaps://imap.own.example:993", "smtp+starttls://smtp.own.example:587")


async def test_a_domain_hosted_by_a_provider_is_known_by_its_mail_exchanger() -> None:
    assert await found_for("anna@hosted.example") == ("mx", "imaps://imap.gmail.com:993", "smtps://smtp.gmail.com:465")


async def test_what_srv_records_leave_out_the_provider_fills_in() -> None:
    assert await found_for("anna@mixed.example") == (
        "srv",
        "imaps://imap.mixed.example:993",
        "smtp+starttls://smtp.office365.com:587",
    )


async def test_an_international_domain_is_asked_for_in_its_ascii_form() -> None:
    assert await found_for("anna@müller.example") == ("srv", "imaps://imap.example:993", None)


async def test_nothing_is_made_up() -> None:
    assert await found_for("anna@nothing.example") == ("nothing", None, None)
    assert await found_for("anna@nowhere.example") == ("nothing", None, None)
