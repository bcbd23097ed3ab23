"""Mail providers that everybody knows: how their mailboxes are recognised, where their servers are, how fast they may be asked.

The names here are the values of the metric label `provider`, together with those of the configuration and `other`.  Endpoints are
those in the providers' own set-up pages; paces are our choice, far below published limits where there are any.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mailwatch.core.mailbox import Endpoint
from mailwatch.core.pacing import Pace

OTHER: Final = "other"  #: the provider of hosts that nobody here knows

#: Limits by account, not by address, and a fleet's largest share: as fast as a node can go.
_LARGEST: Final = Pace(max_connections=256, logins_per_minute=6000.0, burst=64, per_address_bans=False)
_LARGE: Final = Pace(max_connections=32, logins_per_minute=600.0, burst=16, per_address_bans=False)
_HOSTER: Final = Pace(max_connections=8, logins_per_minute=240.0, burst=8)


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider.

    *domains* are those of its own addresses, *mx* ends the names of its mail exchangers, *hosts* ends the names of its servers
    (besides those of its endpoints).
    """

    name: str
    imap: Endpoint | None
    smtp: Endpoint | None
    domains: frozenset[str]
    mx: tuple[str, ...]
    hosts: tuple[str, ...]
    pace: Pace


def _provider(
    name: str, imap: str | None, smtp: str | None, *, domains: str = "", mx: str = "", hosts: str = "", pace: Pace = _HOSTER
) -> Provider:
    return Provider(
        name,
        None if imap is None else Endpoint.parse(imap if "://" in imap else f"imaps://{imap}"),
        None if smtp is None else Endpoint.parse(smtp if "://" in smtp else f"smtps://{smtp}"),
        frozenset(domains.split()),
        tuple(mx.split()),
        tuple(hosts.split()),
        pace,
    )


_TABLE: Final = (
    _provider(
        "google",
        "imap.gmail.com",
        "smtp.gmail.com",
        pace=_LARGEST,
        domains="gmail.com googlemail.com",
        mx="google.com googlemail.com psmtp.com",
        hosts="gmail.com googlemail.com google.com",
    ),
    _provider(
        "microsoft",
        "outlook.office365.com",
        "smtp+starttls://smtp.office365.com",
        pace=_LARGEST,
        domains="outlook.com hotmail.com live.com msn.com outlook.de outlook.fr hotmail.co.uk hotmail.fr hotmail.de live.co.uk",
        mx="protection.outlook.com olc.protection.outlook.com mx.microsoft",
        hosts="office365.com outlook.com hotmail.com office.com",
    ),
    _provider(
        "yahoo",
        "imap.mail.yahoo.com",
        "smtp.mail.yahoo.com",
        pace=_LARGE,
        domains="yahoo.com ymail.com rocketmail.com yahoo.co.uk yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.ca yahoo.com.br",
        mx="yahoodns.net",
        hosts="yahoo.com yahoodns.net bizmail.yahoo.com",
    ),
    _provider("aol", "imap.aol.com", "smtp.aol.com", pace=_LARGE, domains="aol.com aim.com verizon.net", hosts="aol.com"),
    _provider(
        "icloud",
        "imap.mail.me.com",
        "smtp+starttls://smtp.mail.me.com",
        pace=_LARGE,
        domains="icloud.com me.com mac.com",
        mx="mail.icloud.com",
        hosts="mail.me.com icloud.com",
    ),
    _provider(
        "zoho",
        "imap.zoho.com",
        "smtp.zoho.com",
        pace=_LARGE,
        domains="zoho.com zohomail.com",
        mx="zoho.com zohomail.com",
        hosts="zoho.com zohomail.com zoho.com.au zohocloud.ca",
    ),
    _provider(
        "zoho-eu",
        "imap.zoho.eu",
        "smtp.zoho.eu",
        pace=_LARGE,
        domains="zohomail.eu",
        mx="zoho.eu zohomail.eu",
        hosts="zoho.eu zohomail.eu",
    ),
    _provider(
        "zoho-in",
        "imap.zoho.in",
        "smtp.zoho.in",
        pace=_LARGE,
        domains="zohomail.in",
        mx="zoho.in zohomail.in",
        hosts="zoho.in zohomail.in",
    ),
    _provider(
        "fastmail",
        "imap.fastmail.com",
        "smtp.fastmail.com",
        pace=_LARGE,
        domains="fastmail.com fastmail.fm",
        mx="messagingengine.com",
        hosts="fastmail.com messagingengine.com",
    ),
    _provider(
        "gmx", "imap.gmx.net", "mail.gmx.net", pace=_LARGE, domains="gmx.net gmx.de gmx.at gmx.ch", mx="gmx.net", hosts="gmx.net"
    ),
    _provider("gmx-com", "imap.gmx.com", "mail.gmx.com", pace=_LARGE, domains="gmx.com gmx.us gmx.co.uk gmx.fr", hosts="gmx.com"),
    _provider("mail-com", "imap.mail.com", "smtp.mail.com", pace=_LARGE, domains="mail.com email.com", hosts="mail.com"),
    _provider("web-de", "imap.web.de", "smtp.web.de", pace=_LARGE, domains="web.de", mx="web.de", hosts="web.de"),
    _provider(
        "t-online",
        "secureimap.t-online.de",
        "securesmtp.t-online.de",
        domains="t-online.de magenta.de",
        mx="t-online.de",
        hosts="t-online.de",
    ),
    _provider(
        "ionos", "imap.ionos.com", "smtp.ionos.com", mx="ionos.com 1and1.com perfora.net", hosts="ionos.com 1and1.com perfora.net"
    ),
    _provider(
        "ionos-de", "imap.ionos.de", "smtp.ionos.de", mx="kundenserver.de ionos.de", hosts="ionos.de 1und1.de kundenserver.de"
    ),
    _provider("strato", "imap.strato.de", "smtp.strato.de", mx="rzone.de", hosts="strato.de strato.com rzone.de"),
    _provider("mailbox-org", "imap.mailbox.org", "smtp.mailbox.org", domains="mailbox.org", mx="mailbox.org", hosts="mailbox.org"),
    _provider(
        "posteo", "posteo.de", "posteo.de", domains="posteo.de posteo.net posteo.org posteo.eu", mx="posteo.de", hosts="posteo.de"
    ),
    _provider(
        "godaddy",
        "imap.secureserver.net",
        "smtpout.secureserver.net",
        mx="secureserver.net",
        hosts="secureserver.net titan.secureserver.net",
    ),
    _provider("namecheap", "mail.privateemail.com", "mail.privateemail.com", mx="privateemail.com", hosts="privateemail.com"),
    _provider("rackspace", "secure.emailsrvr.com", "secure.emailsrvr.com", mx="emailsrvr.com", hosts="emailsrvr.com"),
    _provider("ovh", "ssl0.ovh.net", "ssl0.ovh.net", mx="mail.ovh.net ovh.net", hosts="ovh.net ovh.ca mail.ovh.net"),
    _provider("gandi", "mail.gandi.net", "mail.gandi.net", mx="mail.gandi.net", hosts="gandi.net"),
    _provider(
        "infomaniak", "mail.infomaniak.com", "mail.infomaniak.com", domains="ik.me", mx="infomaniak.ch", hosts="infomaniak.com"
    ),
    _provider("hostinger", "imap.hostinger.com", "smtp.hostinger.com", mx="hostinger.com", hosts="hostinger.com"),
    _provider("titan", "imap.titan.email", "smtp.titan.email", mx="titan.email", hosts="titan.email flockmail.com"),
    _provider("migadu", "imap.migadu.com", "smtp.migadu.com", mx="migadu.com", hosts="migadu.com"),
    _provider("mxroute", None, None, mx="mxrouting.net mxlogin.com", hosts="mxrouting.net mxlogin.com"),
    _provider("dreamhost", "imap.dreamhost.com", "smtp.dreamhost.com", mx="dreamhost.com", hosts="dreamhost.com"),
    _provider("one-com", "imap.one.com", "send.one.com", mx="one.com", hosts="one.com"),
    _provider("aruba", "imaps.aruba.it", "smtps.aruba.it", mx="aruba.it", hosts="aruba.it"),
    _provider("libero", "imapmail.libero.it", "smtp.libero.it", domains="libero.it", mx="libero.it", hosts="libero.it"),
    _provider("orange", "imap.orange.fr", "smtp.orange.fr", domains="orange.fr wanadoo.fr", mx="orange.fr", hosts="orange.fr"),
    _provider("laposte", "imap.laposte.net", "smtp.laposte.net", domains="laposte.net", mx="laposte.net", hosts="laposte.net"),
    _provider("comcast", "imap.comcast.net", "smtp.comcast.net", domains="comcast.net", mx="comcast.net", hosts="comcast.net"),
    _provider(
        "yandex",
        "imap.yandex.com",
        "smtp.yandex.com",
        pace=_LARGE,
        domains="yandex.com yandex.ru ya.ru",
        mx="yandex.net yandex.ru",
        hosts="yandex.com yandex.ru yandex.net",
    ),
    _provider(
        "mail-ru",
        "imap.mail.ru",
        "smtp.mail.ru",
        pace=_LARGE,
        domains="mail.ru inbox.ru list.ru bk.ru internet.ru",
        mx="mail.ru",
        hosts="mail.ru",
    ),
    _provider("qq", "imap.qq.com", "smtp.qq.com", pace=_LARGE, domains="qq.com foxmail.com", mx="qq.com", hosts="qq.com"),
    _provider(
        "netease", "imap.163.com", "smtp.163.com", pace=_LARGE, domains="163.com", mx="netease.com", hosts="163.com netease.com"
    ),
    _provider("naver", "imap.naver.com", "smtp.naver.com", pace=_LARGE, domains="naver.com", mx="naver.com", hosts="naver.com"),
    _provider("amazon-ses", None, None, hosts="amazonaws.com awsapps.com", pace=_LARGE),
)

#: Every provider by name.
PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType({provider.name: provider for provider in _TABLE})
#: Their paces, by name.
PACES: Final[Mapping[str, Pace]] = MappingProxyType({provider.name: provider.pace for provider in _TABLE})


def _by_suffix(pairs: Iterable[tuple[str, Provider]]) -> dict[str, Provider]:
    found: dict[str, Provider] = {}
    for suffix, provider in pairs:
        found.setdefault(suffix, provider)
    return found


_BY_DOMAIN: Final = {domain: provider for provider in _TABLE for domain in provider.domains}
_BY_MX: Final = _by_suffix((suffix, provider) for provider in _TABLE for suffix in provider.mx)
_BY_HOST: Final = _by_suffix(
    (suffix, provider)
    for provider in _TABLE
    for suffix in (*(endpoint.host for endpoint in (provider.imap, provider.smtp) if endpoint), *provider.hosts)
)


def _look_up(table: Mapping[str, Provider], name: str) -> Provider | None:
    """The entry for *name* or the nearest of its parent domains."""
    rest = name.rstrip(".").lower()
    while rest:
        if rest in table:
            return table[rest]
        rest = rest.partition(".")[2]
    return None


def provider_for_host(host: str) -> str:
    """The name of the provider that runs the server *host*; `other` when none here does."""
    found = _look_up(_BY_HOST, host)
    return OTHER if found is None else found.name


def provider_for_mail_exchanger(host: str) -> Provider | None:
    """The provider whose mail exchanger *host* (from an MX record) is."""
    return _look_up(_BY_MX, host)


def endpoints_for_domain(domain: str) -> tuple[Endpoint | None, Endpoint | None] | None:
    """The IMAP and submission endpoints for addresses of a provider's own *domain*; None when it is no such domain."""
    found = _BY_DOMAIN.get(domain.rstrip(".").lower())
    return None if found is None else (found.imap, found.smtp)
