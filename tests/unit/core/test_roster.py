"""Rows of `mailbox import`: every fault at once, with its line and its cure, and never a secret."""

import itertools
import json
from datetime import UTC, datetime

import pytest

from mailwatch.core.mailbox import AuthKind, Endpoint
from mailwatch.core.roster import Rules, defused, parse_csv, parse_jsonl

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KNOWN = (Endpoint.parse("imaps://imap.known.example"), Endpoint.parse("smtps://smtp.known.example"))


def rules(**fields):
    numbers = itertools.count()
    defaults = {
        "now": NOON,
        "new_id": lambda: f"mb_{next(numbers)}",
        "endpoints_for_domain": lambda domain: KNOWN if domain == "known.example" else None,
        "provider_of": lambda domain, host: f"{domain}/{host}",
        "oauth_apps": frozenset({"outreach"}),
    }
    return Rules(**{**defaults, **fields})


def read_csv(text, **fields):
    return parse_csv(text.splitlines(keepends=True), rules(**fields))


def faults(roster):
    return [str(fault) for fault in roster.faults]


def test_a_full_row_becomes_a_mailbox_with_its_secret():
    roster = read_csv(
        "address,imap,smtp,username,auth,secret,campaigns,labels\n"
        'a@x.example,imaps://i.x.example,smtp+starttls://s.x.example,ann,password,"p,w ""1",spring; autumn,team=north; of = ann\n'
    )
    assert faults(roster) == []
    (entry,) = roster.entries
    mailbox = entry.mailbox
    assert (mailbox.id, mailbox.address, mailbox.username, mailbox.auth) == ("mb_0", "a@x.example", "ann", AuthKind.PASSWORD)
    assert (mailbox.imap.url, mailbox.smtp.url) == ("imaps://i.x.example:993", "smtp+starttls://s.x.example:587")
    assert (mailbox.campaigns, dict(mailbox.labels)) == (("spring", "autumn"), {"team": "north", "of": "ann"})
    assert (mailbox.provider, mailbox.created_at) == ("x.example/i.x.example", NOON)
    assert entry.secret.reveal() == 'p,w "1'
    assert 'p,w "1' not in repr(roster)


def test_servers_of_a_known_domain_are_filled_in():
    (entry,) = read_csv("address,secret\nAnn@Known.Example,x\n").entries
    assert (entry.mailbox.imap, entry.mailbox.smtp) == KNOWN
    assert entry.mailbox.username == "Ann@Known.Example"


def test_a_dash_leaves_a_channel_out():
    (entry,) = read_csv("address,imap,smtp,secret\na@known.example,,-,x\n").entries
    assert (entry.mailbox.imap, entry.mailbox.smtp) == (KNOWN[0], None)


def test_one_server_alone_is_enough():
    (entry,) = read_csv("address,smtp,secret\na@x.example,smtps://s.x.example,x\n").entries
    assert (entry.mailbox.imap, entry.mailbox.smtp.host) == (None, "s.x.example")


def test_an_oauth_application_makes_it_oauth():
    (entry,) = read_csv("address,oauth_app\na@known.example,outreach\n").entries
    assert (entry.mailbox.auth, entry.mailbox.oauth_app, entry.secret) == (AuthKind.OAUTH, "outreach", None)


def test_json_lines_may_hold_lists_and_objects():
    row = {"address": "a@known.example", "secret": "x", "campaigns": ["a", "b"], "labels": {"k": "v"}}
    roster = parse_jsonl([json.dumps(row), "", '{"address": "b@known.example", "secret_file": "b.txt"}'], rules())
    assert faults(roster) == []
    assert [(entry.line, entry.mailbox.campaigns, entry.secret_file) for entry in roster.entries] == [
        (1, ("a", "b"), None),
        (3, (), "b.txt"),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("bad,,,x,,,,", "line 2, address: 'bad' is no e-mail address; such as sales@example.org"),
        (",,,x,,,,", "line 2, address: no address; such as sales@example.org"),
        ("a@u.example,,,x,,,,", "line 2, imap: the servers of u.example are not known; fill imap and smtp"),
        ("a@known.example,-,-,x,,,,", "line 2, imap: the servers of known.example are not known"),
        ("a@known.example,ftp://x,,x,,,,", "line 2, imap: 'ftp://x'; the scheme must be one of imaps"),
        ("a@known.example,smtps://x.example,,x,,,,", "line 2, imap: "),
        ("a@known.example,imap://x.example,,x,,,,", "line 2, imap: imap://x.example would send the secret in clear; use imaps://"),
        ("a@known.example,,smtp://x.example,x,,,,", "line 2, smtp: smtp://x.example would send the secret in clear; use smtps://"),
        ("a@known.example,,,,,,,", "line 2, secret: no secret; give secret or secret_file"),
        ("a@known.example,,,x,kerberos,,,", "line 2, auth: 'kerberos' is unknown; password or oauth"),
        ("a@known.example,,,x,oauth,,,", "line 2, oauth_app: no OAuth application; name one"),
        ("a@known.example,,,x,,nobody,,", "line 2, oauth_app: 'nobody' is not in the configuration; [oauth.NAME] has: outreach"),
        ("a@known.example,,,x,password,outreach,,", "line 2, oauth_app: an OAuth application beside a password"),
        ("a@known.example,,,x,,,,novalue", "line 2, labels: 'novalue' is no label; such as team=north"),
        ("a@known.example,,,x,,,spring;a/b,", "line 2, campaigns: 'a/b' cannot be the id of a campaign; write it without /"),
        ("a@known.example,,,x,,,,,,", "line 2: 10 cells for 8 columns; quote cells"),
        ("a\x07@known.example,,,x,,,,", "line 2, address: has characters that cannot be shown"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_cure(row, said):
    roster = read_csv(f"address,imap,smtp,secret,auth,oauth_app,campaigns,labels\n{row}\n")
    assert any(fault.startswith(said) for fault in faults(roster)), faults(roster)
    assert roster.entries == []


def test_all_faults_of_all_rows_come_at_once():
    roster = read_csv("address,secret,labels\nbad,,q\na@known.example,x,\nworse,,\n")
    assert [(fault.line, fault.column) for fault in roster.faults] == [
        (2, "address"),
        (2, "labels"),
        (2, "secret"),
        (4, "address"),
        (4, "secret"),
    ]


def test_an_address_given_twice_names_both_lines():
    roster = read_csv("address,secret\na@known.example,x\nb@known.example,x\nA@KNOWN.example,y\n")
    assert faults(roster) == ["line 4, address: A@KNOWN.example stands in line 2 too; keep one"]


def test_an_address_of_a_faulty_row_that_is_given_again_is_told_at_once():
    roster = read_csv("address,secret\na@known.example,\nb@known.example,x\nA@known.example,y\n")
    assert [fault.partition(";")[0] for fault in faults(roster)] == [
        "line 2, secret: no secret",
        "line 4, address: A@known.example stands in line 2 too",
    ]


@pytest.mark.parametrize(("separator", "told"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_columns_parted_by_something_else_than_commas_are_told_as_such(separator, told):
    (fault,) = faults(read_csv(separator.join(["address", "secret"]) + "\n" + separator.join(["a@known.example", "x"]) + "\n"))
    assert fault.startswith(f"line 1: the columns are parted by {told}; ")


def test_cleartext_is_accepted_where_it_is_allowed():
    assert faults(read_csv("address,imap,secret\na@x.example,imap://i.x.example,x\n", allow_cleartext=True)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: no column address"),
        ("adress,secret\n", "line 1: unknown column 'adress'; did you mean 'address'?"),
        ("address,address\n", "line 1: a column stands there twice"),
        ('address,secret\n"a@known.example,x\n', "line 2: no valid CSV"),
    ],
)
def test_a_file_that_is_no_roster_is_told(text, said):
    assert any(fault.startswith(said) for fault in faults(read_csv(text)))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1: no valid JSON"),
        ("[" * 100_000, "line 1: no valid JSON"),
        ("[]", "line 1: not a JSON object"),
        ('{"adres": 1}', "line 1: unknown key 'adres'"),
        ('{"address": 5}', "line 1, address: not a text"),
        ('{"address": "a@known.example", "secret": 5}', "line 1, secret: not a text of one line"),
        ('{"address": "a@known.example", "secret": "x\\ny"}', "line 1, secret: not a text of one line"),
        ('{"address": "a@known.example", "secret": "\\ud800"}', "line 1, secret: not a text of one line"),
        ('{"address": "a@known.example", "secret": "x", "campaigns": [5]}', "line 1, campaigns: not a list of texts"),
        ('{"address": "a@known.example", "secret": "x", "labels": {"a": 1}}', "line 1, labels: not an object of texts"),
        ('{"address": "a@known.example", "secret": "hunter2", "secret_file": "f"}', "line 1, secret: a secret and a secret_file"),
    ],
)
def test_a_line_that_is_no_row_is_told_without_its_secret(line, said):
    roster = parse_jsonl([line], rules())
    assert any(fault.startswith(said) for fault in faults(roster)), faults(roster)
    assert "hunter2" not in repr(roster)


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "-2+3", "\t=1", "'=1", "''@x"])
def test_what_a_spreadsheet_would_run_is_exported_as_text_and_read_back_as_it_was(cell):
    assert defused(cell) == f"'{cell}"
    header, secret = "address,username,secret\n", "'=secret"
    quoted = defused(cell).replace('"', '""')
    (entry,) = read_csv(f'{header}a@known.example,"{quoted}","{secret}"\n').entries
    assert (entry.mailbox.username, entry.secret.reveal()) == (cell.strip(), secret)


@pytest.mark.parametrize("cell", ["-", "", "a@x.example", "imaps://i.x.example", "'quoted'", "it's"])
def test_what_is_no_formula_is_exported_as_it_is(cell):
    assert defused(cell) == cell
