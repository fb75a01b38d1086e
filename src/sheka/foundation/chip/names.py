"""A holder's name in the two items of the card: name (GBK, 30 bytes) and name extension (GB18030, 20 bytes).

The extension continues the name (public reading rules join the two). Where the name is cut is our choice: the first
item takes as much as is GBK and fits, the extension the rest, so that a name with a rare character survives whole
(design §2.7).
"""

from __future__ import annotations

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

NAME_BYTES = 0x1E
EXTENSION_BYTES = 0x14

_EXTENSION = Term("姓名扩展", "name extension")


def split_name(name: str) -> tuple[str, str]:
    """The texts of the items `name` and `name_extension`. Joined they are the name again.

    Raises Refused(CHIP_ITEM_TOO_LONG) when what does not fit the first item takes more than 20 bytes in GB18030.

    >>> split_name("张三")
    ('张三', '')
    >>> split_name("张𠮷三")
    ('张', '𠮷三')
    """
    used = kept = 0
    for character in name:
        try:
            used += len(character.encode("gbk"))
        except UnicodeEncodeError:
            break
        if used > NAME_BYTES:
            break
        kept += 1
    head, rest = name[:kept], name[kept:]
    try:
        length = len(rest.encode("gb18030"))
    except UnicodeEncodeError as error:
        reason = rest[error.start : error.end].encode("unicode_escape").decode("ascii")
        raise Refused(Code.CHIP_ITEM_NOT_ENCODABLE, item=_EXTENSION, encoding="gb18030", reason=reason) from None
    if length > EXTENSION_BYTES:
        raise Refused(Code.CHIP_ITEM_TOO_LONG, item=_EXTENSION, got=length, limit=EXTENSION_BYTES)
    return head, rest


def join_name(name: str, extension: str) -> str:
    """The holder's whole name from the two items as read."""
    return name + extension
