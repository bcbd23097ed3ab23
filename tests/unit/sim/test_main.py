"""The simulation as a process of its own."""

import imaplib
import json
import signal
import ssl
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from mailwatch.sim.__main__ import main

COMMAND = [sys.executable, "-m", "mailwatch.sim"]


def test_it_prints_where_it_listens_serves_and_ends_with_its_totals():
    arguments = [*COMMAND, "--providers", "hoster-a,google", "--mailboxes", "4", "--accounts"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        document = json.loads(process.stdout.readline())
        assert set(document["providers"]) == {"hoster-a", "google"}
        assert document["providers"]["google"]["token_url"].startswith("https://127.0.0.1:")
        mailbox = next(row for row in document["mailboxes"] if row["provider"] == "hoster-a")
        place = urlsplit(document["providers"]["hoster-a"]["imap"])
        context = ssl.create_default_context(cafile=document["ca_file"])
        with imaplib.IMAP4_SSL(place.hostname, place.port, ssl_context=context, timeout=60) as client:
            assert client.login(mailbox["username"], mailbox["secret"])[0] == "OK"
        process.send_signal(signal.SIGTERM)
        totals = json.loads(process.stdout.readline())["totals"]
        assert totals["hoster-a"]["accepted"] == 1
        assert process.wait(120) == 0


def test_an_unknown_provider_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        main(["--providers", "nobody"])
    assert "hoster-a" in capsys.readouterr().err


def test_a_broken_script_is_refused_with_its_fault(tmp_path, capsys):
    script = tmp_path / "script.json"
    script.write_text('[{"at": 1, "kind": "explode", "provider": "yahoo"}]')
    assert main(["--script", str(script)]) == 2
    assert "explode" in capsys.readouterr().err
