"""Every word of the screens has its Chinese, and every word of a template is one that can be translated."""

from __future__ import annotations

import re
from collections import defaultdict
from string import Formatter

import pytest
from tests.support.words import SOURCE, catalogues, key_of, sources, words_of

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
TEMPLATES = [
    path for path in sources() if path.suffix == ".html" and path.name not in ("400.html", "500.html", "plain.html")
]
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_every_word_has_a_chinese_that_is_neither_missing_nor_fuzzy():
    """A clerk would find English on a Chinese page."""
    known = {key_of(entry): entry for entries in catalogues().values() for entry in entries}
    missing = []
    for path in sources():
        for word in words_of(path):
            entry = known.get(word.key)
            said = [] if entry is None else [entry.string] if isinstance(entry.string, str) else list(entry.string)
            if not said or not all(said) or entry.fuzzy:
                missing.append(str(word))
    assert not missing, "\n".join(missing)


def test_the_words_are_found_at_all():
    """The check above would be silent if the extraction found nothing."""
    found = [word for path in sources() for word in words_of(path)]
    assert len(found) > 300
    texts = {word.text for word in found}
    assert {"Sign in", "%(n)s card of your city, by state", "Handed out, not activated", "Signed in"} <= texts
    assert any(word.plural for word in found)


def test_no_entry_is_left_over_or_says_two_things():
    used = {word.key for path in sources() for word in words_of(path)}
    said = defaultdict(set)
    for path, entries in catalogues().items():
        for entry in entries:
            assert key_of(entry) in used, f"{path.relative_to(SOURCE)}: {entry.id!r} is used nowhere"
            said[key_of(entry)].add(str(entry.string))
    assert {key for key, texts in said.items() if len(texts) > 1} == set()


def test_placeholders_are_the_same_in_both_languages_and_chinese_is_chinese():
    for path, entries in catalogues().items():
        for entry in entries:
            english, chinese = key_of(entry)[1], entry.string if isinstance(entry.string, str) else entry.string[0]
            where = f"{path.relative_to(SOURCE)}: {english!r}"
            assert set(PLACEHOLDER.findall(english)) == set(PLACEHOLDER.findall(chinese)), where
            if re.search(r"[A-Za-z]", PLACEHOLDER.sub("", english)):
                assert HAN.search(chinese), where
            assert not any(field for _, field, _, _ in Formatter().parse(chinese)), where


MARKUP = re.compile(
    r"<code\b.*?</code>|<(script|style|svg|!doctype).*?>|</?[a-z][^>]*>|<!--.*?-->", re.IGNORECASE | re.DOTALL
)
"""What is no word: tags, and commands and addresses, which are set as code."""
TAGS = re.compile(r"{%-?\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}|{%.*?%}|{{.*?}}|{#.*?#}|&\w+;", re.DOTALL)
SPOKEN = re.compile(r"\b(aria-label|placeholder|title|alt)=\"([^\"]*)\"")
PROPER = re.compile(r"\b(SM4|3DES)\b|社会保障卡|中文|社|English")
"""Names of things, the print on the card's surface, and the languages by their own names."""


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_word_outside_of_a_translation(path):
    text = TAGS.sub(" ", path.read_text("utf-8"))
    bare = MARKUP.sub(" ", re.sub(r"<head>.*?</head>", " ", text, flags=re.DOTALL))
    spoken = " ".join(value for _, value in SPOKEN.findall(text))
    left = PROPER.sub(" ", f"{bare} {spoken}")
    assert not re.findall(r"[A-Za-z]{2,}|[\u4e00-\u9fff]+", left)


def test_the_look_for_bare_words_sees_one(tmp_path):
    template = tmp_path / "x.html"
    template.write_text('<p class="a">{% translate "Yes" %} {{ value }} No</p><input placeholder="Name">')
    with pytest.raises(AssertionError):
        test_a_template_holds_no_word_outside_of_a_translation(template)
    template.write_text('<p class="a">{% translate "Yes" %} {{ value }}</p>')
    test_a_template_holds_no_word_outside_of_a_translation(template)


def test_every_state_verb_and_rule_of_the_systems_has_its_word():
    """A page would fail, or show a code, on the first card that comes to a state without a word."""
    from sheka.faces.console.cards.verbs import VERBS_HERE
    from sheka.faces.console.words import CARD_TONES, CAUSES, DOCUMENTS, EXCHANGE_TONES, REQUEST_WORDS, WORDS
    from sheka.office.approvals.states import PROPOSAL
    from sheka.systems.cards.documents import DocumentKind
    from sheka.systems.cards.fees import Cause
    from sheka.systems.cards.labels import EXCHANGE_STATES, STATES, VERBS
    from sheka.systems.cards.states import CARD, EXCHANGE
    from sheka.systems.clearing.states import DAY

    assert set(CARD_TONES) == set(CARD.states) == set(STATES)
    assert set(EXCHANGE_TONES) == set(EXCHANGE.states) == set(EXCHANGE_STATES)
    assert set(DAY.states) <= set(WORDS)
    assert set(PROPOSAL.states) == set(REQUEST_WORDS)
    assert {kind.value for kind in DocumentKind} <= set(DOCUMENTS)
    assert {cause.value for cause in Cause} == set(CAUSES)
    assert set(VERBS_HERE) <= set(VERBS)
