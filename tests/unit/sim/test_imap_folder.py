"""Searching, reading and deleting in the inbox."""

import pytest

ANNA = "anna@hoster.example"


@pytest.fixture
def inbox(world):
    inbox = world.accounts[ANNA].inbox
    for number in (1, 2, 3):
        inbox.deliver(f"Subject: mail {number}\r\nX-Probe: p{number}\r\n\r\nbody {number}\r\n".encode())
    return inbox


@pytest.fixture
def ask(world, client):
    async def ask(use, *, readonly=False):
        def run(imap):
            imap.login(ANNA, world.accounts[ANNA].password)
            imap.select("INBOX", readonly=readonly)
            return use(imap)

        return await client.imap("hoster", run)

    return ask


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        (("HEADER", "X-Probe", "p2"), b"2"),
        (("SUBJECT", '"mail 3"'), b"3"),
        (("ALL",), b"1 2 3"),
        (("UNSEEN", "UID", "2:*"), b"2 3"),
        (("DELETED",), b""),
    ],
)
async def test_mails_are_found_by_header_subject_flag_and_uid(inbox, ask, criteria, found):
    assert await ask(lambda imap: imap.search(None, *criteria)) == ("OK", [found])


async def test_a_header_is_read_without_marking_the_mail_as_seen(inbox, ask):
    _, answer = await ask(lambda imap: imap.fetch("2", "(BODY.PEEK[HEADER])"))
    assert b"X-Probe: p2" in answer[0][1]
    assert b"body" not in answer[0][1]
    assert not inbox.messages[1].flags
    await ask(lambda imap: imap.fetch("2", "(BODY[])"))
    assert inbox.messages[1].flags == {"\\Seen"}


async def test_deleting_takes_a_flag_and_an_expunge(inbox, ask):
    def use(imap):
        imap.uid("STORE", "1,3", "+FLAGS", "(\\Deleted)")
        return imap.expunge()

    assert await ask(use) == ("OK", [b"3", b"1"])
    assert [message.uid for message in inbox.messages] == [2]


async def test_nothing_is_deleted_in_a_folder_that_was_examined(inbox, ask):
    def use(imap):
        imap.store("1", "+FLAGS", "(\\Deleted)")

    await ask(use, readonly=True)
    assert len(inbox.messages) == 3
    assert not inbox.messages[0].flags


async def test_an_unknown_search_key_is_bad(inbox, ask):
    def use(imap):
        with pytest.raises(imap.error, match="BAD"):
            imap.search(None, "COLOUR")

    await ask(use)
