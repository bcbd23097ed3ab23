"""`mailwatch classify` and `mailwatch explain`, run as programs run them: bytes in, lines and exit codes out."""

import json

import pytest
from typer.testing import CliRunner

from mailwatch.cli import build
from mailwatch.cli.classify import explanation
from mailwatch.core.cause_texts import remedy_for
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.lifecycle import State
from mailwatch.core.raw_text import evidence_of_text
from replies_corpus import FOLDER, rows


def run(*arguments, given=None):
    return CliRunner().invoke(build(arguments), list(arguments), input=given)


def judged(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_corpus_is_judged_line_by_line():
    result = run("classify", str(FOLDER / "replies.jsonl"))
    assert result.exit_code == 0
    told = judged(result)
    assert [row["id"] for row in told] == [row["id"] for row in rows("replies.jsonl")]
    assert {
        "id",
        "cause",
        "disposition",
        "category",
        "owner",
        "rule",
        "confidence",
        "sentence",
        "quote",
        "retry_after_seconds",
        "scope",
    } == set(told[0])


def test_stdin_is_read_without_a_file_and_with_a_dash():
    line = '{"id": 7, "protocol": "smtp", "stage": "auth", "response": "535 5.7.8 bad password", "unheard_of": 1}\n'
    for arguments in (("classify",), ("classify", "-")):
        result = run(*arguments, given=line)
        assert (result.exit_code, judged(result)[0]["id"], judged(result)[0]["cause"]) == (0, 7, "invalid_credentials")


def test_empty_input_is_fine():
    result = run("classify", given="")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_bad_lines_are_reported_with_their_number_and_the_rest_goes_on():
    given = '{"response": "421 busy"}\nnot json\n\n[1]\n{"response": 5}\n{"response": "550 x", "code": "five"}\n{"response": "* BYE Too many connections"}\n'
    result = run("classify", given=given)
    assert result.exit_code == 2
    assert [row["cause"] for row in judged(result)] == ["server_unavailable", "connection_limit"]
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines()] == ["line 2", "line 4", "line 5", "line 6"]


def test_bytes_that_are_no_utf8_do_not_end_the_run():
    result = run("classify", given=b'\xef\xbb\xbf{"response": "535 \xff\xfe falsch"}\r\n{"response": "535 Passwort abgelaufen"}')
    assert result.exit_code == 0
    assert [row["cause"] for row in judged(result)] == ["invalid_credentials", "password_expired"]


def test_a_file_that_is_not_there_is_named():
    result = run("classify", "/nowhere/at/all")
    assert result.exit_code == 2
    assert "/nowhere/at/all" in result.stderr


def test_the_stage_tells_whether_the_session_had_worked():
    bye = "* BYE Autologout; idle for too long"
    given = "\n".join(json.dumps({"protocol": "imap", "stage": stage, "response": bye}) for stage in ("idle", "login"))
    assert [row["cause"] for row in judged(run("classify", given=given))] == ["session_expired", "connection_dropped"]


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_is_explained(cause):
    result = run("explain", cause.value)
    assert result.exit_code == 0
    assert result.stdout.startswith(cause.value)
    assert "what to do" in result.stdout


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.", "protocol_disabled"),
        ("a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "invalid_credentials"),
        ("* BYE Too many connections", "connection_limit"),
        ('{"error":"invalid_grant","error_description":"AADSTS700082: expired"}', "oauth_grant_revoked"),
        ("AADSTS7000222: The provided client secret keys are expired.", "oauth_misconfigured"),
        ("+ eyJzdGF0dXMiOiI0MDEifQ==", "oauth_token_expired"),
        ("ConnectionRefusedError: [Errno 111] Connect call failed ('192.0.2.1', 993)", "connection_refused"),
        ('Traceback (most recent call last):\n  File "x"\nsocket.gaierror: [Errno -2] Name or service not known', "dns_failure"),
        ("TimeoutError", "connection_timeout"),
        ("ConnectionResetError(104, 'Connection reset by peer')", "connection_dropped"),
        ("ssl.SSLCertVerificationError: certificate verify failed: certificate has expired", "tls_certificate_expired"),
        ("x509: certificate signed by unknown authority", "tls_certificate_untrusted"),
    ],
)
def test_raw_text_is_explained_by_guessing_where_it_came_from(text, cause):
    result = run("explain", text, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["cause"] == cause
    assert {"rule", "quote", "confidence", "owner", "heals", "operator", "customer", "remedy"} <= set(told)


def test_protocol_and_phase_can_be_told():
    at_login = json.loads(run("explain", "550 no", "--json", "--protocol", "smtp", "--phase", "auth").stdout)
    at_greeting = json.loads(run("explain", "550 no", "--json", "--protocol", "smtp", "--phase", "greeting").stdout)
    assert (at_login["cause"], at_greeting["cause"]) == ("invalid_credentials", "ip_blocked")


def test_a_provider_shows_its_own_steps():
    told = run("explain", "protocol_disabled", "--provider", "microsoft365").stdout
    assert "aka.ms/smtp_auth_disabled" in told


def test_a_providers_own_wording_shows_its_own_steps():
    told = explanation(*_explained("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant"))
    assert told["remedy"] == list(remedy_for(Cause.PROTOCOL_DISABLED, "microsoft365"))
    told = explanation(*_explained("535 5.7.8 SMTP access is disabled for this account"))
    assert told["remedy"] == list(remedy_for(Cause.PROTOCOL_DISABLED))


def _explained(text):
    found = diagnose(evidence_of_text(text))
    return found.cause, "other", found


@pytest.mark.parametrize(
    "arguments", [("explain", "x", "--protocol", "pop"), ("explain", "x", "--phase", "nowhere"), ("explain", " ")]
)
def test_wrong_use_is_said(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr


def test_markup_in_a_servers_words_stays_words():
    result = run("explain", "535 [red]Passwort[/red] falsch [/]")
    assert result.exit_code == 0


@pytest.mark.parametrize("state", list(State))
def test_a_state_is_explained_as_a_state(state):
    said = run("explain", state.value.upper())
    assert said.exit_code == 0
    assert f"{state}  a state of a mailbox, not a cause: " in said.stdout
    assert f"mailwatch mailbox list --state {state}" in said.stdout
    assert judged(run("explain", state.value, "--json"))[0]["state"] == state


def test_a_provider_that_is_none_is_refused_with_the_nearest():
    said = run("explain", "rate_limited", "--provider", "gogle")
    assert (said.exit_code, "did you mean google?" in said.stderr) == (2, True)
    far = run("explain", "rate_limited", "--provider", "zzzzzz")
    assert (far.exit_code, "one of " in far.stderr) == (2, True)
    assert run("explain", "rate_limited", "--provider", "other").exit_code == 0
