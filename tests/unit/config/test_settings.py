"""The settings as a whole, and where HTTP is served."""

import pytest
from pydantic import ValidationError

from mailwatch.config import Settings
from mailwatch.config.settings import Web


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        Settings().web.listen = "x:1"


@pytest.mark.parametrize(
    ("listen", "host", "port"), [("127.0.0.1:9725", "127.0.0.1", 9725), ("[::1]:0", "::1", 0), ("localhost:80", "localhost", 80)]
)
def test_the_listening_address_is_taken_apart(listen, host, port):
    web = Web(listen=listen)
    assert (web.host, web.port, web.is_loopback) == (host, port, True)


@pytest.mark.parametrize("listen", ["", "9725", ":9725", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1", "[::1:80", "a b:1", "x:٣"])
def test_what_is_no_address_is_refused(listen):
    with pytest.raises(ValidationError):
        Web(listen=listen)
