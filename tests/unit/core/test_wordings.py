"""Phrases and meanings are found where they stand, and nowhere else."""

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.replies import read, words_of
from mailwatch.core.signatures.rule import rules
from mailwatch.core.wordings import NEAR, Lexicon, MeaningTable, PhraseIndex, ideas_in

LEXICON = Lexicon(({"PASSWORD": "password mot_de_passe", "EXPIRED": "expired expir*", "NOT": "not"}, {"PASSWORD": "密码"}))


def phrases(*rows):
    return PhraseIndex(rules("test", "here", *rows))


def meanings(*rows):
    return MeaningTable(rules("test", "here", *rows), LEXICON)


def find(table, text, place=0):
    return table.find(ideas_in(LEXICON, tuple(words_of(text))), place)


def test_a_phrase_is_found_across_punctuation_and_case():
    hit = phrases(("one", Cause.UNKNOWN, "too many connections")).find(
        read(Evidence("imap", None, "Sorry: TOO  many-connections!"))
    )
    assert hit is not None
    assert (hit[0].id, hit[1], hit[2]) == ("test.one", 1, 3)


def test_part_of_a_word_is_no_phrase():
    assert phrases(("one", Cause.UNKNOWN, "lock")).find(read(Evidence("imap", None, "locked"))) is None


def test_the_rule_that_stands_first_in_the_table_wins():
    table = phrases(("first", Cause.UNKNOWN, "b c"), ("second", Cause.UNKNOWN, "a"))
    hit = table.find(read(Evidence("imap", None, "a b c")))
    assert hit is not None
    assert hit[0].id == "test.first"


def test_a_rule_fires_only_in_its_place():
    table = phrases(("one", Cause.UNKNOWN, "x", "auth !smtp"))
    assert table.find(read(Evidence("imap", Phase.AUTH, "x"))) is not None
    assert table.find(read(Evidence("smtp", Phase.AUTH, "x"))) is None
    assert table.find(read(Evidence("imap", Phase.SELECT, "x"))) is None


@pytest.mark.parametrize("text", ["password expired", "expiring soon: your password", "mot de passe expire", "密码 expired"])
def test_a_meaning_needs_no_order_and_no_language(text):
    assert find(meanings(("one", Cause.PASSWORD_EXPIRED, "PASSWORD EXPIRED")), text) is not None


def test_ideas_far_from_one_another_mean_nothing_together():
    table = meanings(("one", Cause.PASSWORD_EXPIRED, "PASSWORD EXPIRED"))
    assert find(table, "password " + "x " * (NEAR - 1) + "expired") is not None
    assert find(table, "password " + "x " * NEAR + "expired") is None


def test_a_barred_idea_silences_a_meaning():
    table = meanings(("one", Cause.PASSWORD_EXPIRED, "PASSWORD EXPIRED -NOT"))
    assert find(table, "password expired") is not None
    assert find(table, "password not expired") is None


def test_either_idea_is_enough_where_one_of_several_is_wanted():
    table = meanings(("one", Cause.UNKNOWN, "PASSWORD|NOT EXPIRED"))
    assert find(table, "not expired") is not None
    assert find(table, "expired") is None


def test_the_quote_spans_the_nearest_words():
    hit = find(meanings(("one", Cause.PASSWORD_EXPIRED, "PASSWORD EXPIRED")), "password x x x password expired")
    assert hit is not None
    assert hit[1:] == (4, 5)


def test_an_idea_that_does_not_exist_is_an_error():
    with pytest.raises(KeyError):
        meanings(("one", Cause.UNKNOWN, "NONSENSE"))


@pytest.mark.parametrize("slip", ["pasword", "passwordd", "passwrod"])
def test_one_letter_too_many_missing_or_swapped_is_forgiven(slip):
    assert ideas_in(LEXICON, (slip,)).mask == LEXICON.bits["PASSWORD"]


@pytest.mark.parametrize("other", ["qassword", "passxord", "nott", "passrwod"])
def test_another_word_stays_another_word(other):
    assert ideas_in(LEXICON, (other,)).mask == 0


def test_a_run_of_words_may_end_in_a_beginning():
    lexicon = Lexicon(({"OAUTH": "modern_auth*"},))
    assert ideas_in(lexicon, ("modern", "authentication")).mask == lexicon.bits["OAUTH"]
    assert ideas_in(lexicon, ("modern", "art")).mask == 0
    assert ideas_in(lexicon, ("modern",)).mask == 0


def test_the_meaning_that_stands_first_wins_however_many_ideas_it_wants():
    table = meanings(("first", Cause.UNKNOWN, "PASSWORD EXPIRED NOT"), ("second", Cause.UNKNOWN, "PASSWORD"))
    assert find(table, "password not expired")[0].id == "test.first"
    assert find(table, "password expired")[0].id == "test.second"
