"""The rules as data: well formed, documented, alive, and none in another's shadow."""

from collections import Counter

import pytest

from mailwatch.core.causes import WIRE_CAUSES, Cause
from mailwatch.core.classify import Classifier, diagnose
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.raw_text import evidence_of_row
from mailwatch.core.replies import words_of
from mailwatch.core.signatures import PHRASES
from mailwatch.core.signatures.mail_codes import DECISIVE_ENHANCED, DECISIVE_IMAP_CODES, ENHANCED, IMAP_CODES, VAGUE_ENHANCED
from mailwatch.core.signatures.meanings import STRONG, WEAK
from mailwatch.core.signatures.oauth_codes import AADSTS, AADSTS_NAMES, DESCRIPTIONS, ERRORS
from mailwatch.core.signatures.rule import PLACES, place_bits
from mailwatch.core.wordings import LANGUAGES, Lexicon, MeaningTable, PhraseIndex, ideas_in
from replies_corpus import accepted, rows

PLACED = [(bits, name) for name, bits in PLACES.items()]


def _phase_place(rule):
    """A place in which *rule* may fire."""
    return rule.need_place


class _Read:
    """What `PhraseIndex.find` looks at."""

    def __init__(self, tokens, place):
        self.tokens, self.place = tuple(tokens), place


def test_rule_ids_are_unique():
    ids = Counter(rule.id for rule in (*PHRASES, *STRONG, *WEAK))
    assert [name for name, count in ids.items() if count > 1] == []


def test_every_rule_names_a_source_and_a_wire_cause():
    assert all(rule.source and rule.cause in WIRE_CAUSES for rule in (*PHRASES, *STRONG, *WEAK))


def test_every_phrase_fires_its_own_rule_or_one_of_the_same_cause():
    """A phrase that an earlier rule of another cause always takes is dead, or contradicts it."""
    index = PhraseIndex(PHRASES)
    dead = []
    for rule in PHRASES:
        for wording in rule.wants:
            hit = index.find(_Read(words_of(wording), _phase_place(rule)))
            if hit is None or hit[0].cause is not rule.cause:
                dead.append(f"{rule.id}: {wording!r} is taken by {hit[0].id if hit else 'nobody'}")
    assert dead == []


def test_no_phrase_is_written_twice_in_one_place():
    seen = Counter((tuple(words_of(wording)), rule.need_place, rule.bar_place) for rule in PHRASES for wording in rule.wants)
    assert [" ".join(words) for (words, *_), count in seen.items() if count > 1] == []


def test_every_meaning_can_fire():
    """One word for each idea it wants, side by side: the rule itself, or an earlier one, must answer."""
    lexicon = Lexicon(LANGUAGES)
    for table in (STRONG, WEAK):
        for rule in table:
            alone = MeaningTable([rule], lexicon)
            terms = [term for term in "|".join(rule.wants).split() if not term.startswith("-")]
            bars = {term[1:] for term in "|".join(rule.wants).split() if term.startswith("-")}
            assert not bars & {idea for term in terms for idea in term.split("|")}, rule.id
            tokens = [word for term in terms for word in _clean_word(lexicon, term.split("|")[0], bars)]
            assert alone.find(ideas_in(lexicon, tuple(tokens)), rule.need_place) is not None, rule.id


def _clean_word(lexicon, idea, bars):
    """A word of *idea* that stands for none of *bars*."""
    barred = sum(lexicon.bits[bar] for bar in bars)
    for language in LANGUAGES:
        for word in language.get(idea, "").split():
            tokens = tuple(words_of(word.replace("_", " ").rstrip("*"))) or (word,)
            mask = ideas_in(lexicon, tokens).mask
            if mask & lexicon.bits[idea] and not mask & barred:
                return tokens
    raise AssertionError(f"no word of {idea} without {bars}")


def test_the_rules_that_fire_on_the_corpus_do_not_contradict_it():
    """A rule that is wrong as often as it is right is a bad rule."""
    right, wrong = Counter(), Counter()
    for row in rows():
        found = diagnose(evidence_of_row(row))
        (right if found.cause in accepted(row) else wrong)[found.rule] += 1
    assert [rule for rule, count in wrong.items() if count >= max(1, right[rule])] == []


@pytest.mark.parametrize("idea", sorted({idea for language in LANGUAGES for idea in language}))
def test_every_idea_has_an_english_word(idea):
    assert LANGUAGES[0].get(idea), f"{idea} is in another language only"


def test_every_language_speaks_of_passwords_and_what_is_wrong_with_them():
    for language in LANGUAGES:
        assert {"PASSWORD", "WRONG", "EXPIRED", "USER"} <= set(language) | {"USER"}


def test_place_names_are_checked():
    assert place_bits("auth !imap") == (PLACES["auth"], PLACES["imap"])
    with pytest.raises(KeyError):
        place_bits("nowhere")


@pytest.mark.parametrize("table", [DECISIVE_ENHANCED, ENHANCED, VAGUE_ENHANCED])
def test_enhanced_codes_are_well_formed(table):
    for code, cause in table.items():
        kind, subject, detail = code.split(".")
        assert kind in {"4", "5", "x"}
        assert 0 <= int(subject) <= 7
        assert 0 <= int(detail) <= 999
        assert cause in WIRE_CAUSES


def test_no_enhanced_code_stands_in_two_tables():
    assert not set(DECISIVE_ENHANCED) & set(ENHANCED)
    assert not set(VAGUE_ENHANCED) & (set(ENHANCED) | set(DECISIVE_ENHANCED))


def test_every_response_code_of_rfc_5530_is_known():
    registry = (
        "UNAVAILABLE AUTHENTICATIONFAILED AUTHORIZATIONFAILED EXPIRED PRIVACYREQUIRED CONTACTADMIN NOPERM INUSE EXPUNGEISSUED CORRUPTION"
        " SERVERBUG CLIENTBUG CANNOT LIMIT OVERQUOTA ALREADYEXISTS NONEXISTENT"
    )
    assert set(registry.split()) <= set(IMAP_CODES) | set(DECISIVE_IMAP_CODES)


def test_every_error_of_rfc_6749_is_known():
    registry = "invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope access_denied server_error"
    assert set(registry.split()) | {"temporarily_unavailable", "invalid_token", "insufficient_scope"} <= set(ERRORS)


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (700082, Cause.OAUTH_GRANT_REVOKED),
        (50173, Cause.OAUTH_GRANT_REVOKED),
        (70008, Cause.OAUTH_GRANT_REVOKED),
        (65001, Cause.OAUTH_MISCONFIGURED),
        (7000215, Cause.OAUTH_MISCONFIGURED),
        (7000222, Cause.OAUTH_MISCONFIGURED),
        (50076, Cause.MFA_REQUIRED),
        (50079, Cause.MFA_REQUIRED),
        (53003, Cause.MFA_REQUIRED),
        (50057, Cause.ACCOUNT_DISABLED),
        (90033, Cause.SERVER_UNAVAILABLE),
    ],
)
def test_microsofts_numbers_have_their_documented_cause(number, cause):
    assert AADSTS[number] is cause


def test_microsofts_names_stand_for_numbers_that_are_known():
    assert set(AADSTS_NAMES.values()) <= set(AADSTS) | {16000}
    assert all(name == "".join(words_of(name)) for name in AADSTS_NAMES)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("InvalidPasswordExpiredOnPremPassword", Cause.PASSWORD_EXPIRED),
        ("DeviceAuthenticationRequired", Cause.MFA_REQUIRED),
        ("OnPremisePasswordValidatorRequestTimedout", Cause.SERVER_UNAVAILABLE),
        ("EntitlementGrantsNotFound", Cause.ACCESS_DENIED),
    ],
)
def test_a_name_of_microsofts_list_says_what_its_number_says(name, cause):
    reply = Evidence("oauth", Phase.TOKEN, f"{name} - the text of the list in any language")
    assert diagnose(reply).cause is cause


def test_a_permanent_refusal_by_a_number_nobody_knows_is_read_by_its_place():
    assert diagnose(Evidence("smtp", Phase.SUBMIT, "597 not this one", command="data")).cause is Cause.SENDING_BLOCKED
    assert diagnose(Evidence("smtp", Phase.AUTH, "597 not this one")).cause is Cause.INVALID_CREDENTIALS
    assert diagnose(Evidence("smtp", Phase.QUIT, "597 not this one")).cause is Cause.UNKNOWN


def test_551_is_about_a_recipient_only():
    assert diagnose(Evidence("smtp", Phase.SUBMIT, "551 Server use forbidden", command="mail")).cause is Cause.ACCESS_DENIED
    assert diagnose(Evidence("smtp", Phase.SUBMIT, "551 User not local", command="rcpt")).cause is Cause.MAILBOX_MISSING


def test_an_exception_of_ruby_is_known_by_the_last_part_of_its_name():
    assert diagnose(Evidence("network", Phase.CONNECT, "", exception="Net::OpenTimeout")).cause is Cause.CONNECTION_TIMEOUT
    assert diagnose(Evidence("network", None, "", exception="Errno::ECONNRESET")).cause is Cause.CONNECTION_DROPPED


def test_descriptions_are_well_formed():
    assert all(cause in WIRE_CAUSES and phrases for _, cause, phrases in DESCRIPTIONS)


def test_leaving_a_group_out_silences_it():
    reply = Evidence("smtp", None, "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant")
    assert diagnose(reply).rule.startswith("microsoft.")
    assert not Classifier(without=["microsoft"]).diagnose(reply).rule.startswith("microsoft.")
