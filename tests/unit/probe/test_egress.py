"""Which addresses may be connected to."""

import pytest

from mailwatch.probe.egress import EgressPolicy, is_global
from mailwatch.probe.failures import TargetDeniedError

LOOPBACK_IN_DISGUISE = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
]
PRIVATE = [
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fd12::1",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "0.0.0.0",
    "::",
    "192.0.2.1",
]
NEVER = ["169.254.169.254", "::ffff:169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"]
GROUPS = ["224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1"]
PUBLIC = ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", [*LOOPBACK_IN_DISGUISE, *PRIVATE, *NEVER, *GROUPS, "nonsense", "", "2130706433", "0x7f.1"])
def test_what_is_no_public_address_is_denied_in_every_spelling(address: str) -> None:
    assert not EgressPolicy().allows(address, 993)
    with pytest.raises(TargetDeniedError, match=TargetDeniedError.TEXT):
        EgressPolicy().check(address, 993)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed_on_mail_ports(address: str) -> None:
    policy = EgressPolicy()
    assert all(policy.allows(address, port) for port in (25, 143, 465, 587, 993, 2525))
    assert not any(policy.allows(address, port) for port in (22, 80, 443, 6379))
    assert policy.allows_host(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "fd12::1", "::1"])
def test_an_operator_may_allow_private_hosts_but_never_metadata_services(address: str) -> None:
    policy = EgressPolicy(allow_private_hosts=True, allowed_ports=None)
    assert policy.allows(address, 10993)
    assert not any(policy.allows(never, 993) for never in (*NEVER, *GROUPS))


def test_an_operator_may_allow_networks_one_by_one() -> None:
    policy = EgressPolicy(allowed_networks=["10.0.0.0/8", "fd12::/16"])
    assert policy.allows("10.9.9.9", 993)
    assert policy.allows("::ffff:10.9.9.9", 993)
    assert policy.allows("fd12::7", 993)
    assert not policy.allows("192.168.1.1", 993)
    assert not EgressPolicy(allowed_networks=["0.0.0.0/0"]).allows("169.254.169.254", 993)


def test_ports_where_mailwatch_listens_are_denied() -> None:
    policy = EgressPolicy(
        allow_private_hosts=True, allowed_ports=None, denied_listen=[("127.0.0.1", 9725), ("0.0.0.0", 9726), ("localhost", 9727)]
    )
    assert not policy.allows("127.0.0.1", 9725)
    assert policy.allows("127.0.0.2", 9725)
    assert not policy.allows("10.0.0.1", 9726)
    assert not policy.allows("::1", 9727)
    assert policy.allows("127.0.0.1", 9999)


def test_verdicts_are_kept_within_bounds() -> None:
    policy = EgressPolicy()
    for number in range(5000):
        policy.allows(f"8.8.{number // 256}.{number % 256}", 993)
    assert len(policy._verdicts) <= 4096


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_lies_out_there(address: str) -> None:
    assert is_global(address)


@pytest.mark.parametrize("address", [*LOOPBACK_IN_DISGUISE, *PRIVATE, "nonsense"])
def test_every_other_address_lies_in_here(address: str) -> None:
    assert not is_global(address)
