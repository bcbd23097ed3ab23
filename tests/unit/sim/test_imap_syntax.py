"""Commands as clients write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailwatch.sim.imap_syntax import MAX_LITERAL, SyntaxFaultError, read_command, sequence, tokens


class Lines:
    """A wire that has all its bytes already."""

    def __init__(self, content):
        self.content, self.sent = content, []

    async def line(self):
        line, _, self.content = self.content.partition(b"\r\n")
        return line

    async def exactly(self, count):
        data, self.content = self.content[:count], self.content[count:]
        return data

    def send(self, text):
        self.sent.append(text)


async def test_quoted_strings_lose_their_quotes_and_escapes():
    command = await read_command(Lines(b'a1 login "anna \\"x\\"" "p\\\\w"\r\n'))
    assert (command.tag, command.name, command.arguments) == ("a1", "LOGIN", ('anna "x"', "p\\w"))


async def test_a_literal_is_asked_for_and_taken_by_its_length():
    wire = Lines(b'a1 LOGIN {4}\r\nan"a {6}\r\np w\r\n!\r\n')
    command = await read_command(wire)
    assert command.arguments == ('an"a', "p w\r\n!")
    assert wire.sent == ["+ OK", "+ OK"]


async def test_a_literal_that_waits_for_nothing_is_not_asked_for():
    wire = Lines(b"a1 LOGIN {4+}\r\nanna pw\r\n")
    assert (await read_command(wire)).arguments == ("anna", "pw")
    assert wire.sent == []


async def test_a_uid_command_is_one_name():
    command = await read_command(Lines(b"a1 UID fetch 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n"))
    assert command.name == "UID FETCH"
    assert command.arguments == ("1:*", "(", "FLAGS", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]", ")")


@pytest.mark.parametrize("line", [b"\r\n", b"a1\r\n", b"a1 LOGIN \xff\r\n", f"a1 X {{{MAX_LITERAL + 1}}}\r\n".encode()])
async def test_what_cannot_be_read_is_said_to_be_so(line):
    with pytest.raises(SyntaxFaultError):
        await read_command(Lines(line))


async def test_no_argument_shows_in_a_repr():
    assert "hidden" not in repr(await read_command(Lines(b"a1 LOGIN anna hidden\r\n")))


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
def test_any_quoted_string_survives(text):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert tokens(f'"{quoted}"') == [text]


@pytest.mark.parametrize(
    ("text", "numbers"), [("1", {1}), ("2:4", {2, 3, 4}), ("4:2", {2, 3, 4}), ("1,3:*", {1, 3, 4, 5}), ("*", {5})]
)
def test_sequence_sets_are_understood(text, numbers):
    assert sequence(text, 5) == numbers


def test_a_huge_sequence_costs_no_more_than_the_folder():
    assert sequence("1:999999999", 3) == {1, 2, 3}
