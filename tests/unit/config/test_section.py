"""The kinds of texts keys hold."""

import pytest
from pydantic import TypeAdapter, ValidationError

from mailwatch.config import section


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (section.Name, ["google", "my-host_1"], ["Google", "1x", "", "a" * 33, "a.b", "a\n"]),
        (
            section.Url,
            ["https://a.example/token", "https://a:8443/x?y=z"],
            ["http://a/b", "https://", "https://u@h/x", "https://a b"],
        ),
        (section.Host, ["a.b", "*.a.b", "xn--a.example"], ["A.b", "*", "*.", "a..b", "-a.b", "a b", "a.b\n", "*.*.b"]),
        (section.Domain, ["example.org"], ["*.example.org", "Example.org", ""]),
        (section.HostPort, ["a.b:1", "[::1]:2", "1.2.3.4:3"], ["a.b", "a.b:", "a.b:x", "*.b:1", ":1", "[x]:1"]),
        (section.Network, ["10.0.0.0/8", "fd00::/8", "10.1.2.3"], ["10.0.0.1/8", "x", "10.0.0.0/33"]),
        (section.Address, ["9.9.9.9", "2620:fe::fe"], ["dns.quad9.net", "9.9.9.9:53"]),
        (section.AbsolutePath, ["/a/b"], ["a/b", "", "/a\0"]),
    ],
)
def test_each_kind_of_text_takes_the_good_and_refuses_the_bad(kind, good, bad):
    adapter = TypeAdapter(kind)
    for text in good:
        assert adapter.validate_python(text) == text
    for text in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(text)
