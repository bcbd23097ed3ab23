"""A believable fleet: five providers, and as many mailboxes as asked for, the same for the same seed.

All names are invented and all domains end in `.example` (RFC 2606).
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from mailwatch.core.mailbox import AuthKind, Mailbox, Protocol, TlsMode
from mailwatch.ports import NewMailbox
from mailwatch.sim.dialects import Dialect
from mailwatch.sim.provider import ProviderSpec
from mailwatch.sim.world import World

PROVIDERS: Final = (
    ProviderSpec(
        "google",
        Dialect.GOOGLE,
        ("nordwind-travel.example", "lumen-studio.example", "kestrel-labs.example"),
        AuthKind.OAUTH,
        token_lifetime_seconds=40,
    ),
    ProviderSpec(
        "microsoft365",
        Dialect.MICROSOFT,
        ("harbour-legal.example", "brightpath.example", "oakline-homes.example"),
        AuthKind.OAUTH,
        token_lifetime_seconds=50,
    ),
    ProviderSpec("yahoo", Dialect.YAHOO, ("yahoo.example",), sessions_per_account=5),
    ProviderSpec("hoster-a", Dialect.HOSTER, ("atelier-rossi.example", "pixelgarten.example"), sessions_per_account=10),
    ProviderSpec("hoster-b", Dialect.HOSTER, ("moulin-bleu.example", "fjordkaffe.example"), sessions_per_account=10),
)
#: How the mailboxes are spread over the providers, in percent.
_SHARES: Final = {"google": 35, "microsoft365": 30, "yahoo": 10, "hoster-a": 15, "hoster-b": 10}
_FIRST: Final = """
    anna ben chiara david elif farid greta hugo ines jonas katja luca mara nils olga pavel quinn rosa samir tilda
    uma viktor wanda xaver yara zoe amir bella carlos dana emil freya goran hana ivan julia kian lena milo nora
""".split()  # noqa: SIM905  # forty quoted names are harder to read
_LAST: Final = """
    adler bauer costa dubois eriksen fischer garcia haas ivanov jansen keller lindqvist moreau novak okafor petit quast
    rossi silva tanaka ulrich vogel weber xu young zeller
""".split()  # noqa: SIM905  # forty quoted names are harder to read


def specs(names: Sequence[str] = (), *, own_addresses: bool = False) -> tuple[ProviderSpec, ...]:
    """The providers called *names* (all when empty).

    With *own_addresses* each listens on a loopback address of its own (127.0.0.11 and up, on Linux), so that what is counted
    by server is counted apart, as it is with real providers.
    """
    chosen = [spec for spec in PROVIDERS if not names or spec.name in names]
    if not own_addresses:
        return tuple(chosen)
    return tuple(replace(spec, host=f"127.0.0.{10 + number}") for number, spec in enumerate(chosen, 1))


#: A campaign sends through so many mailboxes, all of one provider.
_PER_CAMPAIGN: Final = 8
_CAMPAIGNS: Final = ("spring-launch", "webinar", "follow-up", "newsletter", "survey", "renewals")


def _names(rng: random.Random) -> Iterator[str]:
    pairs = [f"{first}.{last}" for first in _FIRST for last in _LAST]
    rng.shuffle(pairs)
    yield from pairs
    number = 2
    while True:
        yield from (f"{pair}{number}" for pair in pairs)
        number += 1


def populate(world: World, count: int) -> tuple[str, ...]:
    """Open *count* accounts, spread over the world's providers; their addresses."""
    rng = random.Random(f"{world.seed}:fleet")  # noqa: S311  # repeatable; guards nothing real
    names = _names(rng)
    weights = {name: _SHARES.get(name, 10) for name in world.providers}
    total = sum(weights.values())
    addresses: list[str] = []
    owed = dict.fromkeys(weights, 0.0)
    for _ in range(count):
        for name, weight in weights.items():
            owed[name] += weight / total
        chosen = max(owed, key=lambda name: owed[name])
        owed[chosen] -= 1
        domains = world[chosen].spec.domains
        domain = rng.choices(domains, [2 ** (len(domains) - place) for place in range(len(domains))])[0]  # tenants differ in size
        addresses.append(world.open_account(f"{next(names)}@{domain}", chosen).address)
    return tuple(addresses)


def mailboxes(world: World, created_at: datetime, *, tls_mode: TlsMode | None = None) -> tuple[NewMailbox, ...]:
    """Every account of *world* as a mailbox to be watched, with its secret; half of the hosters' use STARTTLS by default."""
    made: list[NewMailbox] = []
    seats = dict.fromkeys(world.providers, 0)
    for number, account in enumerate(world.accounts):
        provider = world[account.provider]
        batch = seats[account.provider] // _PER_CAMPAIGN
        seats[account.provider] += 1
        starttls = provider.spec.dialect is Dialect.HOSTER and number % 2 == 1
        mode = tls_mode or (TlsMode.STARTTLS if starttls else TlsMode.IMPLICIT)
        mailbox = Mailbox(
            id=f"mb_{number:06d}",
            address=account.address,
            username=account.address,
            auth=account.auth,
            imap=provider.endpoint(Protocol.IMAP, mode),
            smtp=provider.endpoint(Protocol.SMTP, mode),
            provider=account.provider,
            created_at=created_at,
            oauth_app=account.provider if account.auth is AuthKind.OAUTH else None,
            campaigns=(f"{_CAMPAIGNS[batch % len(_CAMPAIGNS)]}-{account.provider}-{batch + 1}",),
        )
        made.append(NewMailbox(mailbox, world.secret_of(account.address)))
    return tuple(made)
