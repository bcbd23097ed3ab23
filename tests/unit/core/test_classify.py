"""What a reply means: the corpus, the traps that real replies set, and totality at the edges."""

import base64
import json

import pytest

from mailwatch.core.causes import WIRE_CAUSES, Cause, Owner
from mailwatch.core.classify import Classifier, diagnose, owner_of
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.signatures import PHRASES
from mailwatch.core.standing import Confidence
from replies_corpus import rows, score


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("replies.jsonl", 0.995),
        ("more.jsonl", 0.985),
        ("fresh-1.jsonl", 0.985),
        ("fresh-2.jsonl", 0.985),
        ("fresh-3.jsonl", 0.985),
        ("fresh-4.jsonl", 0.985),
        ("fresh-5.jsonl", 0.985),
        ("fresh-6.jsonl", 0.985),
        ("fresh-7.jsonl", 0.985),
        ("fresh-8.jsonl", 0.985),
        ("fresh-9.jsonl", 0.985),
        ("siblings.jsonl", 0.985),
        ("handed-on.jsonl", 0.97),
    ],
)
def test_the_labelled_replies_are_understood(name, least):
    found = score(rows(name), diagnose)
    assert found.cause >= least, "\n".join(found.misses)
    assert found.recall >= least - 0.005
    assert found.disposition >= 0.99
    assert found.kept_retrying <= 0.005
    assert found.parked <= 0.0075


def test_the_general_layers_alone_understand_most_replies():
    """Wordings of providers and programs left out: what is left is what an unknown server meets."""
    groups = {rule.group for rule in PHRASES} - {"stack"}
    found = score(rows("replies.jsonl"), Classifier(without=groups).diagnose)
    assert found.cause >= 0.97, "\n".join(found.misses)
    assert found.disposition >= 0.99
    assert found.kept_retrying <= 0.005
    assert found.parked <= 0.005


def smtp(text, phase=Phase.AUTH, **more):
    return diagnose(Evidence("smtp", phase, text, **more))


def imap(text, phase=Phase.AUTH, **more):
    return diagnose(Evidence("imap", phase, text, **more))


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("basic authentication is disabled", Cause.BASIC_AUTH_DISABLED),
        ("SmtpClientAuthentication is disabled for the Tenant", Cause.PROTOCOL_DISABLED),
        ("SmtpClientAuthentication is disabled for the Mailbox", Cause.PROTOCOL_DISABLED),
        ("user is locked by your organization's security defaults policy", Cause.BASIC_AUTH_DISABLED),
        ("federated STS service was unreachable", Cause.SERVER_UNAVAILABLE),
        ("the user credentials were incorrect", Cause.INVALID_CREDENTIALS),
        ("the user password has expired", Cause.PASSWORD_EXPIRED),
    ],
)
def test_one_enhanced_code_has_the_cause_of_its_words(words, cause):
    assert smtp(f"535 5.7.139 Authentication unsuccessful, {words}.").cause is cause


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("Temporary authentication failure", Cause.SERVER_UNAVAILABLE),
        ("Too many login attempts, please try again later", Cause.RATE_LIMITED),
        ("TLS not available due to local problem", Cause.TLS_HANDSHAKE_FAILED),
    ],
)
def test_454_is_read_by_its_words(words, cause):
    assert smtp(f"454 4.7.0 {words}").cause is cause


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("NO [OVERQUOTA] Account exceeded command or bandwidth limits", Cause.RATE_LIMITED),
        ("NO [OVERQUOTA] Quota exceeded", Cause.MAILBOX_FULL),
        ("NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded", Cause.CONNECTION_LIMIT),
        ("NO [AUTHENTICATIONFAILED] Login not accepted from this IP", Cause.IP_BLOCKED),
        ("NO [AUTHORIZATIONFAILED] Service temporarily unavailable, try again later", Cause.SERVER_UNAVAILABLE),
        ("NO [LIMIT] At most 32 flags in one mailbox supported", Cause.UNKNOWN),
    ],
)
def test_words_decide_where_they_disagree_with_the_code(reply, cause):
    assert imap(reply).cause is cause


def test_an_announced_end_is_planned_only_when_the_session_had_worked():
    bye = "* BYE Autologout; idle for too long"
    assert imap(bye, Phase.IDLE, session_worked=True).cause is Cause.SESSION_EXPIRED
    assert imap(bye, Phase.AUTH).cause is Cause.CONNECTION_DROPPED
    assert imap("* BYE Server shutting down.", Phase.IDLE, session_worked=True).cause is Cause.SERVER_UNAVAILABLE
    assert imap("* BYE Too many connections", Phase.GREETING).cause is Cause.CONNECTION_LIMIT


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"http_status": 429}, Cause.RATE_LIMITED),
        ({"http_status": 500, "response": '{"error":"invalid_grant"}'}, Cause.SERVER_UNAVAILABLE),
        ({"http_status": 503, "response": "<html>busy</html>"}, Cause.SERVER_UNAVAILABLE),
        ({"http_status": 200, "response": "<html>portal</html>"}, Cause.SERVER_UNAVAILABLE),
        ({"http_status": 200, "response": '{"token_type":"bearer"}'}, Cause.SERVER_UNAVAILABLE),
        ({"exception": "TimeoutError"}, Cause.CONNECTION_TIMEOUT),
        ({"http_status": 400, "response": '{"error":"invalid_grant"}'}, Cause.OAUTH_GRANT_REVOKED),
        ({"http_status": 400, "oauth_error": "invalid_grant"}, Cause.OAUTH_GRANT_REVOKED),
        (
            {"http_status": 401, "oauth_error": "invalid_client", "oauth_description": "AADSTS7000222: expired"},
            Cause.OAUTH_MISCONFIGURED,
        ),
    ],
)
def test_only_a_clear_word_of_the_token_endpoint_ends_a_grant(answer, cause):
    assert diagnose(Evidence("oauth", Phase.TOKEN, **answer)).cause is cause


@pytest.mark.parametrize(
    ("exception", "phase", "cause"),
    [
        ("asyncio.TimeoutError", Phase.CONNECT, Cause.CONNECTION_TIMEOUT),
        ("ConnectionResetError", Phase.TLS, Cause.CONNECTION_DROPPED),
        ("ssl.SSLEOFError", Phase.TLS, Cause.TLS_HANDSHAKE_FAILED),
        ("ssl.SSLEOFError", Phase.IDLE, Cause.CONNECTION_DROPPED),
        ("socket.gaierror", Phase.RESOLVE, Cause.DNS_FAILURE),
        ("some.StrangeError", Phase.RESOLVE, Cause.DNS_FAILURE),
        ("some.StrangeError", Phase.TLS, Cause.TLS_HANDSHAKE_FAILED),
        ("some.StrangeError", Phase.IDLE, Cause.UNKNOWN),
    ],
)
def test_an_exception_without_words_is_judged_by_class_and_phase(exception, phase, cause):
    assert diagnose(Evidence("network", phase, exception=exception)).cause is cause


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (10, Cause.TLS_CERTIFICATE_EXPIRED),
        (9, Cause.TLS_CERTIFICATE_EXPIRED),
        (18, Cause.TLS_CERTIFICATE_UNTRUSTED),
        (62, Cause.TLS_CERTIFICATE_UNTRUSTED),
        (23, Cause.TLS_CERTIFICATE_UNTRUSTED),
    ],
)
def test_openssls_verify_code_decides(number, cause):
    assert diagnose(Evidence("network", Phase.TLS, exception="ssl.SSLCertVerificationError", verify_code=number)).cause is cause


@pytest.mark.parametrize(("status", "cause"), [("400", Cause.OAUTH_TOKEN_EXPIRED), ("401", Cause.OAUTH_TOKEN_EXPIRED)])
def test_a_sasl_challenge_is_decoded(status, cause):
    challenge = json.dumps({"status": status, "schemes": "Bearer", "scope": "https://mail.google.com/"})
    coded = base64.b64encode(challenge.encode()).decode()
    assert smtp(f"334 {coded}").cause is cause
    assert imap(f"+ {coded}").cause is cause
    assert imap("NO SASL authentication failed", challenge=challenge).cause is cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("535 5.7.8 Ihr Passwort ist abgelaufen", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 Le mot de passe a expiré", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 La contraseña ha caducado", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 A senha expirou", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 La password è scaduta", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 Пароль истек", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 Hasło wygasło", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 Het wachtwoord is verlopen", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 Şifrenizin süresi doldu: şifre", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 密码已过期", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 パスワードの有効期限が切れています", Cause.PASSWORD_EXPIRED),
        ("535 5.7.8 Konto gesperrt", Cause.ACCOUNT_DISABLED),
        ("535 5.7.8 Votre compte est suspendu", Cause.ACCOUNT_DISABLED),
        ("421 Wartungsarbeiten, bitte später erneut versuchen", Cause.SERVER_UNAVAILABLE),
        ("421 Demasiadas conexiones simultáneas", Cause.CONNECTION_LIMIT),
    ],
)
def test_replies_in_many_languages_are_understood(text, cause):
    assert smtp(text).cause is cause


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("421 4.7.0 Too many connections, try again in 10 minutes", 600.0),
        ("454 4.7.0 Too many login attempts, wait 2 hours", 7200.0),
        ("450 4.7.1 Rate limit exceeded, retry after 90 seconds", 90.0),
        ("421 4.3.2 going down for maintenance, try again in 30 minutes", 1800.0),
        ("421 4.7.0 Too many login attempts", None),
    ],
)
def test_the_time_a_server_names_is_told(text, seconds):
    assert smtp(text).retry_after_seconds == seconds


def test_exchanges_backoff_in_milliseconds_is_told():
    found = imap("NO Request is throttled. Suggested Backoff Time: 299961 milliseconds", Phase.SELECT)
    assert (found.cause, found.retry_after_seconds) == (Cause.RATE_LIMITED, pytest.approx(299.961))


@pytest.mark.parametrize(("header", "told"), [(120.0, 120.0), (-5.0, 0.0), (1e12, 7 * 86400.0), (float("nan"), None)])
def test_retry_after_is_kept_within_reason(header, told):
    found = diagnose(Evidence("oauth", Phase.TOKEN, "", http_status=429, retry_after_seconds=header))
    assert found.retry_after_seconds == told


def test_no_wait_is_named_where_only_a_person_helps():
    assert smtp("535 5.7.8 Password expired, change it within 3 days").retry_after_seconds is None


def test_the_quote_is_the_servers_own_words():
    text = (
        "535-5.7.8 Username and Password not accepted. For more information, go to 535 5.7.8 https://support.google.com/x - gsmtp"
    )
    found = smtp(text)
    assert found.quote
    assert found.quote in text


def test_a_code_that_agrees_with_the_words_leaves_them_the_rule_and_the_quote():
    alone = diagnose(Evidence("imap", Phase.AUTH, "NO Invalid credentials (Failure)"))
    both = diagnose(Evidence("imap", Phase.AUTH, "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"))
    assert (both.cause, both.rule, both.quote) == (alone.cause, alone.rule, alone.quote)
    assert both.rule.startswith("words.")


@pytest.mark.parametrize(
    ("evidence", "confidence"),
    [
        (Evidence("imap", Phase.AUTH, "NO [EXPIRED] x"), Confidence.HIGH),
        (Evidence("imap", Phase.AUTH, "NO Konto gesperrt"), Confidence.MEDIUM),
        (Evidence("smtp", Phase.AUTH, "535 nope"), Confidence.LOW),
        (Evidence("network", None), Confidence.LOW),
        # words and a code that say the same are as sure as the code alone
        (Evidence("imap", Phase.AUTH, "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"), Confidence.HIGH),
        (Evidence("imap", Phase.AUTH, "NO [AUTHENTICATIONFAILED] Authentication failed."), Confidence.HIGH),
        (Evidence("imap", Phase.AUTH, "NO Invalid credentials (Failure)"), Confidence.MEDIUM),
        (Evidence("smtp", Phase.AUTH, "535 5.7.8 Wrong password for this user"), Confidence.HIGH),
        (Evidence("smtp", Phase.AUTH, "535 Wrong password for this user"), Confidence.MEDIUM),
        (Evidence("smtp", Phase.SUBMIT, "452 4.2.2 over quota"), Confidence.HIGH),
        (Evidence("smtp", Phase.SUBMIT, "452 over quota"), Confidence.MEDIUM),
        (Evidence("smtp", Phase.AUTH, "535 5.7.8 Konto gesperrt"), Confidence.MEDIUM),
        (Evidence("imap", Phase.AUTH, "NO [AUTHENTICATIONFAILED] Konto gesperrt"), Confidence.MEDIUM),
    ],
)
def test_confidence_tells_what_decided(evidence, confidence):
    assert diagnose(evidence).confidence is confidence


def test_a_bare_code_is_read_in_its_place():
    assert smtp("550 no", Phase.GREETING).cause is Cause.IP_BLOCKED
    assert smtp("502 x", Phase.STARTTLS).cause is Cause.TLS_REQUIRED
    assert smtp("502 x", Phase.AUTH).cause is Cause.MECHANISM_UNSUPPORTED
    assert smtp("502 x", Phase.SUBMIT).cause is Cause.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("command", "text", "cause"),
    [
        ("mail", "550 no", Cause.ACCESS_DENIED),
        ("rcpt", "550 no", Cause.MAILBOX_MISSING),
        ("data", "550 no", Cause.SENDING_BLOCKED),
        ("rcpt", "550 5.7.1 no", Cause.ACCESS_DENIED),
        ("rcpt", "452 no", Cause.SENDING_LIMIT),
        ("mail", "452 no", Cause.SERVER_UNAVAILABLE),
    ],
)
def test_a_bare_code_of_a_submission_is_read_by_its_command(command, text, cause):
    assert smtp(text, Phase.SUBMIT, command=command).cause is cause


@pytest.mark.parametrize(
    "reply",
    [
        "503 MAIL FROM REJECTED - PLEASE SAY HELO FIRST",
        "503 Sender already specified, connection blocked",
        "555 MAIL FROM parameters not recognized, access denied",
    ],
)
def test_a_server_that_blames_the_command_refuses_nobody(reply):
    assert smtp(reply, Phase.SUBMIT, command="mail").cause is Cause.PROTOCOL_ERROR


def test_a_bad_login_command_is_no_wrong_password():
    assert imap("BAD Missing required argument to LOGIN").cause is Cause.PROTOCOL_ERROR
    assert imap("BAD LOGIN is disabled").cause is Cause.TLS_REQUIRED


@pytest.mark.parametrize(
    ("words", "phase", "cause"),
    [
        ("Cannot find out the address of that name: resolver failed", Phase.CONNECT, Cause.DNS_FAILURE),
        ("The certificate's name does not match", Phase.TLS, Cause.TLS_CERTIFICATE_UNTRUSTED),
        ("no common TLS version", Phase.TLS, Cause.TLS_HANDSHAKE_FAILED),
        ("could not connect", Phase.CONNECT, Cause.CONNECTION_REFUSED),
        ("anything", Phase.RESOLVE, Cause.DNS_FAILURE),
    ],
)
def test_an_unknown_network_stack_is_understood_by_its_words_and_its_phase(words, phase, cause):
    assert diagnose(Evidence("network", phase, words)).cause is cause


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("refresh token not found", Cause.OAUTH_GRANT_REVOKED),
        ("the client secret is wrong", Cause.OAUTH_MISCONFIGURED),
        ("502 Bad Gateway", Cause.SERVER_UNAVAILABLE),
    ],
)
def test_a_token_endpoint_that_speaks_in_words_alone_is_understood(words, cause):
    assert diagnose(Evidence("oauth", Phase.TOKEN, words, http_status=400)).cause is cause


@pytest.mark.parametrize(
    ("text", "cause", "quote"),
    [
        ("535 AccountSuspended", Cause.ACCOUNT_DISABLED, "AccountSuspended"),
        ("535 x PasswordHasExpired!", Cause.PASSWORD_EXPIRED, "PasswordHasExpired"),
    ],
)
def test_words_written_in_one_are_taken_apart(text, cause, quote):
    found = smtp(text)
    assert found.cause is cause
    assert quote in found.quote or found.quote in quote


def test_nothing_at_all_is_unknown():
    found = diagnose(Evidence("smtp", None))
    assert found.cause is Cause.UNKNOWN
    assert found.quote == ""


def test_no_platform_cause_is_ever_found():
    causes = {diagnose(Evidence("imap", Phase.AUTH, row["response"])).cause for row in rows()}
    assert causes <= WIRE_CAUSES


def test_a_resolver_that_is_broken_is_ours_and_a_missing_name_is_the_providers():
    ours = diagnose(Evidence("network", Phase.RESOLVE, exception="dns.resolver.NoNameservers"))
    theirs = diagnose(Evidence("network", Phase.RESOLVE, exception="dns.resolver.NXDOMAIN"))
    assert (ours.cause, owner_of(ours)) == (Cause.DNS_FAILURE, Owner.US)
    assert (theirs.cause, owner_of(theirs)) == (Cause.DNS_FAILURE, Owner.PROVIDER)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Connection refused (os error 111)", Cause.CONNECTION_REFUSED),
        ("Resource temporarily unavailable (os error 11)", Cause.CONNECTION_TIMEOUT),
        ("errno: -4077, code: 'ESOCKET', syscall: 'read'", Cause.CONNECTION_DROPPED),
    ],
)
def test_error_numbers_are_read_as_rust_and_node_write_them(text, cause):
    assert diagnose(Evidence("network", Phase.CONNECT, text)).cause is cause


def test_the_last_of_several_microsoft_numbers_is_the_reason():
    text = '{"error":"invalid_grant","error_description":"AADSTS70002: Error validating. AADSTS70008: expired."}'
    assert diagnose(Evidence("oauth", Phase.TOKEN, text)).cause is Cause.OAUTH_GRANT_REVOKED


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (imap("* BYE Maximum session length reached", Phase.IDLE), Cause.CONNECTION_DROPPED),
        (imap("a NO [AUTHENTICATIONFAILED] OAuth is not configured"), Cause.MECHANISM_UNSUPPORTED),
        (smtp("535 5.7.8 XOAUTH2 is not supported"), Cause.MECHANISM_UNSUPPORTED),
        (smtp("535 5.7.8 OAuth authentication failed"), Cause.OAUTH_TOKEN_EXPIRED),
        (smtp("535 5.7.8 Login failed for user oauth@example.com"), Cause.INVALID_CREDENTIALS),
        (smtp("550 Too many connect"), Cause.CONNECTION_LIMIT),
        (smtp("451 SSLv3/TLS required", Phase.SUBMIT), Cause.TLS_REQUIRED),
        (smtp("550 TLSv1.2 or higher required", Phase.SUBMIT), Cause.TLS_HANDSHAKE_FAILED),
        (smtp("550 5.1.8 You must log in to send mail", Phase.SUBMIT, command="mail"), Cause.INVALID_CREDENTIALS),
        (smtp("501 Connection rejected by policy", Phase.GREETING), Cause.IP_BLOCKED),
        (smtp("501 HELO rejected: invalid hostname", Phase.GREETING), Cause.PROTOCOL_ERROR),
        (smtp("501 5.7.1 Sender IP must resolve", Phase.SUBMIT, command="mail"), Cause.IP_BLOCKED),
        (smtp("550 User has too many messages in the mailbox", Phase.SUBMIT, command="rcpt"), Cause.MAILBOX_FULL),
        (smtp("452 This message contains too many recipients", Phase.SUBMIT, command="rcpt"), Cause.SENDING_LIMIT),
    ],
)
def test_what_is_said_at_an_odd_code_is_read_by_its_meaning(found, cause):
    assert found.cause is cause


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("User account is found to be in service abuse mode.", Cause.ACCOUNT_DISABLED),
        ("The provided value for the 'code' parameter is not valid.", Cause.OAUTH_GRANT_REVOKED),
        ("Provided grant is invalid or malformed.", Cause.OAUTH_GRANT_REVOKED),
    ],
)
@pytest.mark.parametrize("form", ['{{"error":"invalid_grant","error_description":"AADSTS70000: {}"}}', "AADSTS70000: {}"])
def test_microsofts_number_for_any_dead_grant_is_read_by_its_words(form, words, cause):
    assert diagnose(Evidence("oauth", Phase.TOKEN, form.format(words), http_status=400)).cause is cause


def test_a_link_to_a_blocklist_is_a_reason():
    assert smtp("550 5.7.0 Blocked - see https://dnsbl.example.org/lookup", Phase.SUBMIT).cause is Cause.IP_BLOCKED
    assert smtp("550 5.7.0 Blocked - see https://help.example.org/faq", Phase.SUBMIT).cause is not Cause.IP_BLOCKED


def test_a_code_of_policy_at_a_recipient_is_no_missing_mailbox():
    denied = "<user@example.com>: Recipient address rejected: Access denied"
    assert smtp(f"554 5.7.1 {denied}", Phase.SUBMIT, command="rcpt").cause is Cause.ACCESS_DENIED
    assert smtp(f"550 5.4.1 {denied}", Phase.SUBMIT, command="rcpt").cause is Cause.MAILBOX_MISSING


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("Mail from 192.0.2.1 refused, see our DNSBL", Cause.IP_BLOCKED),
        ("Mail from user@example.com refused, see our DNSBL", Cause.SENDING_BLOCKED),
        ("[192.0.2.1] Message contains a URL listed in SURBL", Cause.SENDING_BLOCKED),
        ("Client host [127.0.0.1] sender is on our blacklist", Cause.IP_BLOCKED),
    ],
)
def test_a_list_that_names_an_address_in_figures_is_about_addresses(words, cause):
    assert smtp(f"550 5.7.1 {words}", Phase.SUBMIT, command="mail").cause is cause


def test_a_code_about_an_address_is_about_ours_at_mail_and_about_theirs_at_rcpt():
    assert smtp("550 5.1.0 no", Phase.SUBMIT, command="mail").cause is Cause.ACCESS_DENIED
    assert smtp("550 5.1.0 no", Phase.SUBMIT, command="rcpt").cause is Cause.MAILBOX_MISSING


def test_504_at_a_login_is_about_the_mechanism_whatever_its_enhanced_code():
    assert smtp("504 5.5.4 no").cause is Cause.MECHANISM_UNSUPPORTED
    assert smtp("504 5.5.4 no", Phase.SUBMIT).cause is Cause.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("552 Nachricht zu groß", Cause.PROTOCOL_ERROR),
        ("552 Сообщение слишком большое", Cause.PROTOCOL_ERROR),
        ("552 邮件过大", Cause.PROTOCOL_ERROR),
        ("552 Message trop volumineux", Cause.PROTOCOL_ERROR),
        ("554 Virus détecté", Cause.SENDING_BLOCKED),
        ("450 Серый список, повторите позже", Cause.RATE_LIMITED),
    ],
)
def test_a_message_refused_in_another_language_is_understood(text, cause):
    assert smtp(text, Phase.SUBMIT, command="data").cause is cause


@pytest.mark.parametrize(
    ("exception", "cause"),
    [("Net::IMAP::ByeResponseError", Cause.SERVER_UNAVAILABLE), ("OSError", Cause.CONNECTION_REFUSED)],
)
def test_an_exception_that_carries_a_servers_status_shows_that_a_server_spoke(exception, cause):
    assert diagnose(Evidence("imap", Phase.AUTH, "proxy: cannot connect to the store", exception=exception)).cause is cause


def test_parts_of_a_path_are_names_and_no_words():
    folder = Evidence("imap", Phase.SELECT, "a NO cannot open /var/mail/blocked/spam/disabled: input/output error")
    assert diagnose(folder).cause is Cause.SERVER_UNAVAILABLE
    fatal = "Fatal error: Uncaught Exception: invalid_grant in /srv/www/public_html/index.php:1"
    assert diagnose(Evidence("oauth", Phase.TOKEN, fatal)).cause is Cause.OAUTH_GRANT_REVOKED


@pytest.mark.parametrize("text", [r"(-1, b'\x15\x03\x03\x00\x02\x01\x00')", r"bad greeting: \u0016\u0003\u0001"])
def test_a_tls_record_where_words_should_stand_is_a_failed_handshake(text):
    assert diagnose(Evidence("network", Phase.TLS, text)).cause is Cause.TLS_HANDSHAKE_FAILED


def test_a_tls_record_that_a_server_quotes_is_a_command_it_does_not_know():
    assert smtp(r'500 5.5.1 Unknown command "\x16\x03\x01"', Phase.GREETING).cause is Cause.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("MSIS3125: The password for a@example.com has expired.", Cause.PASSWORD_EXPIRED),
        ("MSIS7012: An error occurred while processing the request.", Cause.SERVER_UNAVAILABLE),
        ("The password has expired.", Cause.SERVER_UNAVAILABLE),
    ],
)
def test_a_500_with_a_number_of_ad_fs_is_read_by_its_words_and_no_other(text, cause):
    assert diagnose(Evidence("oauth", Phase.TOKEN, text, http_status=500)).cause is cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("550 Check your mail first, then send", Cause.INVALID_CREDENTIALS),
        ("550 Bitte zuerst per POP3 anmelden", Cause.INVALID_CREDENTIALS),
        ("550 Prima di inviare occorre scaricare la posta", Cause.INVALID_CREDENTIALS),
        ("550 Check your mail server, your address has no reverse DNS", Cause.IP_BLOCKED),
        ("501 sender is non-local", Cause.ACCESS_DENIED),
        ("451 Transient reject, spam behaviour", Cause.RATE_LIMITED),
    ],
)
def test_a_sender_is_told_what_to_do_first(text, cause):
    assert smtp(text, Phase.SUBMIT, command="mail").cause is cause
