"""The examination as the node sees it: what the content is, and the child that makes something clean of it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from dataclasses import dataclass

from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.office.documents.kinds import MEDIA_TYPES, Kind

AT_ONCE = 2
PATIENCE_SECONDS = 20
SECONDS = 30
CHILD = "sheka.office.documents.examination.child"
MARKS = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png", b"%PDF-": "pdf"}
FOUND = {
    "script": Term("脚本", "a script"),
    "action": Term("自动动作", "an automatic action"),
    "attachment": Term("附件", "an attachment"),
    "media": Term("多媒体", "multimedia"),
    "form": Term("动态表单", "a form that sends or fetches"),
    "outside": Term("对其他文件的引用", "a way to another file"),
    "filter": Term("不常见的压缩方式", "an unusual packing"),
}
"""What DOCUMENT_ACTIVE names, in words."""
log = logging.getLogger("sheka.documents")
_places = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Examined:
    """What is kept of a file. `pages` is None for a picture; a PDF's size is that of its first page in points."""

    content: bytes
    media_type: str
    width: int
    height: int
    pages: int | None


def examine(content: bytes, kind: Kind) -> Examined:
    """The clean form of a file that is to be kept as `kind`. Its name is not asked.

    Raises Refused: DOCUMENT_EMPTY, DOCUMENT_TOO_BIG, DOCUMENT_TYPE, DOCUMENT_BUSY, DOCUMENT_EXAMINATION, and every
    refusal of images.py and pdfs.py.
    """
    if not content:
        raise Refused(Code.DOCUMENT_EMPTY)
    if len(content) > kind.max_bytes:
        raise Refused(Code.DOCUMENT_TOO_BIG, got=len(content) // 1024, limit=kind.max_kb, kind=kind.title)
    form = next((form for mark, form in MARKS.items() if content.startswith(mark)), "")
    if form not in kind.types:
        raise Refused(Code.DOCUMENT_TYPE, kind=kind.title, accepted=kind.accepted)
    asked = {"form": form, "pixels": kind.max_pixels * 1_000_000, "pages": kind.max_pages, "photo": kind.photo}
    head, clean = _ask_child(asked, content)
    if "unfit" in head:
        facts = {name: FOUND.get(value, value) for name, value in head["facts"].items()}
        raise Refused(Code[head["unfit"]], **facts)
    media_type = MEDIA_TYPES["jpeg" if kind.photo else form]
    return Examined(clean, media_type, head["width"], head["height"], head["pages"])


def _ask_child(asked: dict[str, object], content: bytes) -> tuple[dict[str, object], bytes]:  # type: ignore[type-arg]
    """The child's answer. A crash, a hang and an answer that is none are the same to the upload: it is refused."""
    if not _places.acquire(timeout=PATIENCE_SECONDS):
        raise Refused(Code.DOCUMENT_BUSY)
    try:
        command = [sys.executable, "-I", "-m", CHILD, json.dumps(asked)]
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=SECONDS, env={}, cwd="/", check=False
        )
    except subprocess.TimeoutExpired:
        raise _no_result(Term("超时", "it took too long")) from None
    finally:
        _places.release()
    line, _mark, clean = done.stdout.partition(b"\n")
    if done.returncode != 0 or not line:
        log.warning("the examination of a file ended with status %s", done.returncode)
        raise _no_result(Term("检查进程异常终止", "the examining process broke off"))
    return json.loads(line), clean


def _no_result(why: Term) -> Refused:
    return Refused(Code.DOCUMENT_EXAMINATION, why=why)
