"""The scanner finds the line and column of everything tomllib finds."""

import tomllib

import pytest

from mailwatch.config.lines import Place, places

TEXT = '''# a comment = with an equals sign
top = 1

[web]   # the page
  listen = "a#b"   # not the end
"quoted key" = 'x'

[store.inner]
a.b = """
[not.a.table]
c = 1
"""
d = 2

[[list]]
one = [1, 2,
  # a comment, with a comma ]
  3]
two = { x = 1, y = { z = "}" } }
[[list]]
[list.sub]
end = 1979-05-27T07:32:00Z
'''


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("top",), (2, 1)),
        (("web",), (4, 1)),
        (("web", "listen"), (5, 3)),
        (("web", "quoted key"), (6, 1)),
        (("store",), (8, 1)),
        (("store", "inner"), (8, 1)),
        (("store", "inner", "a"), (9, 1)),
        (("store", "inner", "a", "b"), (9, 1)),
        (("store", "inner", "d"), (13, 1)),
        (("list", 0, "one", 1), (16, 11)),
        (("list", 0, "one", 2), (18, 3)),
        (("list", 0, "two", "x"), (19, 9)),
        (("list", 0, "two", "y", "z"), (19, 22)),
        (("list", 1), (20, 1)),
        (("list", 1, "sub"), (21, 1)),
        (("list", 1, "sub", "end"), (22, 1)),
    ],
)
def test_every_key_table_and_item_is_placed(path, place):
    tomllib.loads(TEXT)
    assert places(TEXT)[path] == Place(*place)


def test_what_stands_inside_a_multi_line_text_is_no_key():
    assert not any("c" in path or "not" in path for path in places(TEXT))


@pytest.mark.parametrize(
    "value",
    [
        '"""a""""',
        "'''b'''''",
        '"""\\""""',
        '"\\\\"',
        '"\\""',
        "''",
        '""',
        '""""""',
        "''''''",
        "-inf",
        "0x_f".replace("_", ""),
        "1e5",
    ],
)
def test_the_key_behind_a_value_is_found_however_the_value_ends(value):
    text = f"a = {value}\nb = 1\n"
    tomllib.loads(text)
    assert places(text)["b",].line == 2


def test_windows_line_ends_count_as_one():
    assert places("a = 1\r\n\r\n[t]\r\nb = 2\r\n")["t", "b"] == Place(4, 1)


def test_escapes_in_a_key_are_understood():
    assert places('"\\u0061b" = 1') == {("ab",): Place(1, 1)}


def test_a_table_written_after_its_children_gets_its_own_header():
    assert places("[a.b]\nx = 1\n[a]\ny = 2\n")["a",] == Place(3, 1)


def test_columns_count_characters():
    assert places("a = ['ü', 'ö']")["a", 1].column == 11
