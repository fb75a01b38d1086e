"""The head of the audit chain over the API, for whoever keeps it somewhere else; of an auditor's client."""

from __future__ import annotations

from pydantic import Field

from sheka.office.api import Request, Router, Shape, reads
from sheka.office.audit.trail import head
from sheka.office.staff.permissions import Permission

router = Router()


class AuditHead(Shape):
    """The last row of the chain. A later chain that does not hold this row with this hash was cut or rewritten."""

    sequence: int
    hash: str = Field(description="SM3, hexadecimal.")


@reads(router, "/audit/head", scope=Permission.AUDIT_READ, answer=AuditHead)
def get_audit_head(request: Request) -> AuditHead:
    """Number and hash of the last audit row of this node."""
    sequence, hash_ = head()
    return AuditHead(sequence=sequence, hash=hash_.hex())
