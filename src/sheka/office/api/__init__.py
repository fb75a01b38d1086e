"""The frame of every operation of the API: declare it, and the rest of the convention comes with it.

An app's `api.py` makes a Router and declares its operations with `reads`, `asks` or `changes`; it calls actions and
queries and answers with shapes, nothing else.
"""

from sheka.office.api.conditions import must_be_version, tag_version
from sheka.office.api.operations import Request, Router, asks, changes, reads
from sheka.office.api.pages import Listed, PageQuery, page_of
from sheka.office.api.shapes import Fen, Moment, Shape

__all__ = [
    "Fen",
    "Listed",
    "Moment",
    "PageQuery",
    "Request",
    "Router",
    "Shape",
    "asks",
    "changes",
    "must_be_version",
    "page_of",
    "reads",
    "tag_version",
]
