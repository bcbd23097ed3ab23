"""Strings of IMAP."""

import pytest

from mailwatch.probe.failures import ImpairedError
from mailwatch.probe.imap_text import folder, quoted


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("INBOX", '"INBOX"'),
        ("Entwürfe", '"Entw&APw-rfe"'),
        ("~peter/mail/台北/日本語", '"~peter/mail/&U,BTFw-/&ZeVnLIqe-"'),
        ("R&D", '"R&-D"'),
        ('a "b" \\c', '"a \\"b\\" \\\\c"'),
        ("😀", '"&2D3eAA-"'),
        ("", '""'),
    ],
)
def test_folders_go_out_in_modified_utf_7(name: str, written: str) -> None:
    assert folder(name) == written


@pytest.mark.parametrize("name", ["a\r\nb", "a\0b", "a\x7fb", "\x1b"])
def test_a_folder_with_control_characters_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="control"):
        folder(name)


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b", "ä"])
def test_what_no_quoted_string_can_hold_is_not_sent(text: str) -> None:
    with pytest.raises(ImpairedError):
        quoted(text)
