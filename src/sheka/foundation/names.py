"""Names survive whole: screen, database, chip and back, rare characters included (design §2 rule 7).

The chip holds a name in two items, in GBK: 09 (30 bytes) and its extension 4E (20 bytes). GBK lacks thousands of
characters that stand in registers. Our own (local) rule for them, made so that a reader that knows only GBK shows a
visible mark instead of rubbish:

- in the running text each character that GBK lacks is replaced by the mark 〓 (U+3013, GBK A1FE);
- what does not fit into item 09 runs on in item 4E;
- after it, in item 4E, stand the characters that were replaced, in order, in GB 18030 (four bytes each, mostly).

`name_of_fields` puts them back: as many characters as there are marks are taken from the end of item 4E. A name that
fits in GBK, and a long name in GBK, are stored exactly as the notice of the V2.0 file structure says.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

from sheka.foundation.refusals import Code, Refused

MAIN_BYTES = 30
EXTENSION_BYTES = 20
MARK = "〓"
MIDDLE_DOT = "·"

_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・･", MIDDLE_DOT))
_FULL_WIDTH_LETTERS = str.maketrans({code: code - 0xFEE0 for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))})
_PUNCTUATION = frozenset(" ·-'’.〇")
_STANDARD_OF_PRIVATE = {
    0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7,
    0xE831: 0x215D7, 0xE832: 0x9FB8, 0xE83B: 0x2298F, 0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE855: 0x241FE, 0xE864: 0x9FBB,
    0xE7C7: 0x1E3F, 0xE7C8: 0x01F9,
}  # fmt: skip


class NameFields(NamedTuple):
    """The bytes of items 09 and 4E, filled with 00 to 30 and 20 bytes."""

    main: bytes
    extension: bytes


def normalise_name(text: str) -> str:
    """A name as it is kept: white space, full-width letters and middle dots made uniform, nothing else touched.

    Private-use code points of older fonts that GB 18030 has since given a code become the standard character. Combining
    accents are composed (NFC), but never a CJK compatibility ideograph: that would be another character than the one
    in the register. Refused: NAME_EMPTY, NAME_CHARACTER, NAME_PRIVATE_CHARACTER.

    >>> normalise_name(" 张\u3000三 "), normalise_name("古丽•热合曼"), normalise_name("Müller  Ann-Marie")
    ('张三', '古丽·热合曼', 'Müller Ann-Marie')
    """
    clean = text.translate(_DOTS).translate(_FULL_WIDTH_LETTERS).translate(_private_use())
    clean = _without_han_spaces(" ".join(clean.split()))
    if not clean:
        raise Refused(Code.NAME_EMPTY)
    for position, character in enumerate(clean, 1):
        _check_character(position, character)
    return _compose(clean)


def rare_characters(name: str) -> tuple[str, ...]:
    """The characters of a name that GBK lacks, in order.

    >>> rare_characters("王䶮")
    ('䶮',)
    """
    return tuple(character for character in name if not _in_gbk(character))


def gbk_fields(name: str) -> NameFields:
    """The bytes of items 09 and 4E for a name, which is normalised first. Refused: as `normalise_name`, NAME_TOO_LONG.

    >>> gbk_fields("张三").main[:6].hex(), gbk_fields("王䶮").extension[:3].hex()
    ('d5c5c8fd0000', 'fe9f00')
    """
    clean = normalise_name(name)
    rare = "".join(rare_characters(clean)).encode("gb18030")
    main, extension = b"", b""
    for character in clean:
        code = (character if _in_gbk(character) else MARK).encode("gbk")
        if extension or len(main) + len(code) > MAIN_BYTES:
            extension += code
        else:
            main += code
    extension += rare
    if len(extension) > EXTENSION_BYTES:
        needed, available = len(main) + len(extension), len(main) + EXTENSION_BYTES
        raise Refused(Code.NAME_TOO_LONG, needed=needed, available=available)
    return NameFields(main.ljust(MAIN_BYTES, b"\0"), extension.ljust(EXTENSION_BYTES, b"\0"))


def name_of_fields(main: bytes, extension: bytes = b"") -> str:
    """The name that items 09 and 4E hold, by this module's rule; a card without item 4E gives only the first.

    Marks whose characters are nowhere in the card (a card of another issuer) stay in the name as marks. Refused:
    NAME_FIELD when the bytes are not text or hold fewer characters than there are marks.

    >>> name_of_fields(*gbk_fields("王䶮"))
    '王䶮'
    """
    try:
        text, more = (part.rstrip(b"\0").decode("gb18030").translate(_private_use()) for part in (main, extension))
    except UnicodeDecodeError as error:
        raise Refused(Code.NAME_FIELD, problem=f"byte {error.start + 1}") from None
    marks = (text + more).count(MARK)
    if not marks or not more:
        return text + more
    if len(more) < marks or MARK in more[-marks:]:
        raise Refused(Code.NAME_FIELD, problem=f"{marks} × {MARK}")
    rare = iter(more[-marks:])
    return "".join(next(rare) if character == MARK else character for character in text + more[:-marks])


def _check_character(position: int, character: str) -> None:
    code = ord(character)
    category = unicodedata.category(character)
    if category == "Co":
        raise Refused(Code.NAME_PRIVATE_CHARACTER, position=position, character=f"U+{code:04X}")
    if category[0] in "LM" or character in _PUNCTUATION or _is_newer_ideograph(code):
        return
    raise Refused(Code.NAME_CHARACTER, position=position, character=f"U+{code:04X}")


def _is_newer_ideograph(code: int) -> bool:
    """A place in the two ideographic planes: Python's Unicode tables are older than the registers' characters."""
    return 0x20000 <= code < 0x40000 and code & 0xFFFE != 0xFFFE


def _is_han(character: str) -> bool:
    code = ord(character)
    return 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or _is_newer_ideograph(code) or character in "〇々"


def _is_compatibility(character: str) -> bool:
    code = ord(character)
    return 0xF900 <= code <= 0xFAFF or 0x2F800 <= code <= 0x2FA1F


def _without_han_spaces(text: str) -> str:
    """Drops the space with which a two-character name is set wide; spaces in foreign names stay."""
    kept = []
    for place, character in enumerate(text):
        if character == " " and _is_han(text[place - 1]) and _is_han(text[place + 1]):
            continue
        kept.append(character)
    return "".join(kept)


def _compose(text: str) -> str:
    """NFC of every stretch between CJK compatibility ideographs."""
    pieces, stretch = [], ""
    for character in text:
        if _is_compatibility(character):
            pieces += [unicodedata.normalize("NFC", stretch), character]
            stretch = ""
        else:
            stretch += character
    return "".join([*pieces, unicodedata.normalize("NFC", stretch)])


@cache
def _private_use() -> dict[int, str]:
    """Private-use code points that stood for FE50 to FEA0 in GBK fonts, and what GB 18030 means by those bytes.

    Source: GB 18030-2000 and its 2005 edition, which gave the last fourteen a code of their own.
    """
    table = {code: chr(standard) for code, standard in _STANDARD_OF_PRIVATE.items()}
    trail_bytes = [*range(0x50, 0x7F), *range(0x80, 0xA1)]
    for place, trail in enumerate(trail_bytes):
        standard = bytes((0xFE, trail)).decode("gb18030")
        if unicodedata.category(standard) != "Co":
            table[0xE815 + place] = standard
    return table


def _in_gbk(character: str) -> bool:
    try:
        character.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True
