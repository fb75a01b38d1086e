"""The words by which a name is found: itself, its pinyin whole and by initials (issue 3: zhangsan, zs).

A surname is read as a surname (曾 zēng, 单 shàn, 尉迟 yùchí), and also as the character is usually read, since a clerk
may type either. Written when a name is written, so that a search only compares beginnings.
"""

from __future__ import annotations

import re
import unicodedata

MOST = 8
LONGEST = 200
_MARKS = re.compile(r"[\W_]+")
_HAN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KNOWN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff]+")

SURNAMES = {
    "曾": "zeng",
    "单": "shan",
    "仇": "qiu",
    "解": "xie",
    "任": "ren",
    "查": "zha",
    "区": "ou",
    "朴": "piao",
    "盖": "ge",
    "缪": "miao",
    "纪": "ji",
    "乐": "yue",
    "尹": "yin",
    "宁": "ning",
    "翟": "zhai",
    "逄": "pang",
    "员": "yun",
    "祭": "zhai",
    "秘": "bi",
    "洗": "xian",
    "冼": "xian",
    "繁": "po",
    "折": "she",
    "黑": "he",
    "种": "chong",
    "召": "shao",
    "晁": "chao",
    "尉迟": "yu chi",
    "万俟": "mo qi",
    "澹台": "tan tai",
    "长孙": "zhang sun",
    "令狐": "ling hu",
    "单于": "chan yu",
    "宰父": "zai fu",
}
"""Readings that a character has in a surname and (mostly) nowhere else."""
_LONGEST_SURNAME = max(map(len, SURNAMES))


def folded(text: str) -> str:
    """A word as it is stored and looked for: small letters without blanks, dots and accents; ü is v.

    >>> folded("Lü Bu"), folded("阿依古丽·买买提"), folded("Ｚｈａｎｇ")
    ('lvbu', '阿依古丽买买提', 'zhang')
    """
    small = unicodedata.normalize("NFKC", text).casefold().replace("ü", "v")
    plain = "".join(sign for sign in unicodedata.normalize("NFD", small) if not unicodedata.combining(sign))
    return _MARKS.sub("", unicodedata.normalize("NFC", plain))[:LONGEST]


def search_terms(name: str) -> list[str]:
    """The words by which this name is found, at most MOST.

    >>> search_terms("曾见微")
    ['曾见微', 'zengjianwei', 'cengjianwei', 'zjw', 'cjw']
    >>> search_terms("Li Na")
    ['lina']
    """
    whole = folded(name)
    if not _HAN.search(name):
        return [whole] if whole else []
    readings = [[folded(one) for one in reading] for reading in _readings(name)]
    spelt = ["".join(reading) for reading in readings]
    initials = ["".join(one[:1] for one in reading) for reading in readings]
    return [term for term in dict.fromkeys([whole, *spelt, *initials]) if term][:MOST]


def _readings(name: str) -> list[list[str]]:
    """How the name may be read: its surname as a surname, and as the character is usually read."""
    plain = re.sub(r"[\s·•・.]+", "", name)
    for length in range(_LONGEST_SURNAME, 0, -1):
        if special := SURNAMES.get(plain[:length]):
            return [[*special.split(), *_usual(plain[length:])], _usual(plain)]
    return [_usual(plain)]


def _usual(text: str) -> list[str]:
    """Each character as it is usually read; one that pypinyin does not know is left out."""
    from pypinyin import lazy_pinyin  # a quarter of a second and 40 MB, for processes that write a name only

    return [one for run in _KNOWN.findall(text) for one in lazy_pinyin(run, errors="ignore")]
