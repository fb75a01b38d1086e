"""The work and the notices that keys and machines give: imports, check values, rotations, certificates (K2, K4, K9)."""

from __future__ import annotations

from sheka.foundation.terms import Term
from sheka.office.work.kinds import Address, work_kind
from sheka.office.work.notices import notice_kind
from sheka.systems.keys.waiting import CERTIFICATE, CONFIRM, DIFFER, IMPORT, ROTATE


def _consignment(subject: str) -> Address:
    return ("console:keys_consignment", subject.partition(":")[2])


def _keys(subject: str) -> Address:
    return ("console:keys",)


def _machine(subject: str) -> Address:
    return ("console:machines_one", subject.partition(":")[2])


work_kind(IMPORT, Term("子密钥待导入", "Sub-keys to be imported"), address=_consignment)
work_kind(CONFIRM, Term("待对方确认", "To be confirmed by the recipient"), address=_consignment, tone="info")
work_kind(DIFFER, Term("校验值不一致", "Check values differ"), address=_consignment, tone="stop")
work_kind(ROTATE, Term("密钥待轮换", "Keys to be rotated"), address=_keys, tone="stop")
work_kind(CERTIFICATE, Term("证书待续期", "Certificate to be renewed"), address=_machine)
notice_kind(
    "machine.certificate_ends",
    Term("加密机证书即将到期", "Certificate of an encryption machine ends"),
    severity="wait",
    escalates_after=5,
    address=_machine,
)
