"""What the key system puts before deciders: each step in the life of keys, and certificates of machines (K2-K4, K6)."""

from __future__ import annotations

from typing import Any

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.terms import Term
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.approvals.seats import place_term
from sheka.office.staff.permissions import Permission
from sheka.systems.keys import certificates, retirement

GENERATE, EXPORT, ACTIVATE = "keys.generate", "keys.export", "keys.activate"
RETIRE, DESTROY = "keys.retire", "keys.destroy"
CERTIFY, WITHDRAW = certificates.CERTIFY, certificates.WITHDRAW


def _summary(payload: dict[str, Any]) -> Term:
    name, version, count = Algorithm(payload["algorithm"]).name, payload["version"], len(payload["names"])
    return Term(f"{name} 第 {version} 版，{count} 个", f"{name}, version {version}, {count} keys")


def _export(payload: dict[str, Any]) -> Term:
    place, what = place_term(payload["to"]), _summary(payload)
    return Term(f"发往{place.zh}：{what.zh}", f"to {place.en}: {what.en}")


KEYS = (
    Field("algorithm", Term("算法", "Algorithm"), show=lambda value: Algorithm(value).name),
    Field("version", Term("密钥版本", "Version of the keys")),
    Field("names", Term("密钥", "Keys"), code=True, long=True),
)
ASKED = Field("asked", Term("申请日期", "Asked on"))
REASON = Field("reason", Term("理由", "Reason"), long=True)


def _of_keys(kind: str, title: Term, *more: Field, **given: Any) -> None:
    given = {"proposes": Permission.KEY_PROPOSE, "summary": _summary, **given}
    register(Matter(kind=kind, title=title, views=Permission.KEY_VIEW, fields=(*more, *KEYS), **given))


_of_keys(GENERATE, Term("生成密钥", "Generation of keys"))
_of_keys(
    EXPORT,
    Term("导出子密钥", "Export of sub-keys"),
    Field("to", Term("接收机构", "Recipient"), show=place_term),
    ASKED,
    proposes=Permission.KEY_DISTRIBUTE,
    summary=_export,
)
_of_keys(ACTIVATE, Term("启用密钥", "Activation of keys"), ASKED)
_of_keys(RETIRE, Term("停止使用密钥", "Retirement of keys"), ASKED, REASON, carry_out=retirement.retire)
_of_keys(DESTROY, Term("销毁密钥", "Destruction of keys"), ASKED, REASON)

register(
    Matter(
        kind=CERTIFY,
        title=Term("登记加密机证书", "Certificate of an encryption machine"),
        proposes=Permission.MACHINE_MANAGE,
        views=Permission.MACHINE_VIEW,
        summary=lambda payload: Term(
            f"{payload['certificate']}，至 {payload['valid_until']}",
            f"{payload['certificate']}, until {payload['valid_until']}",
        ),
        carry_out=certificates.certify,
        fields=(
            Field("model", Term("型号", "Model")),
            Field("serial", Term("序列号", "Serial number"), code=True),
            Field("fingerprint", Term("设备密钥指纹", "Fingerprint of the device key"), code=True),
            Field("place", Term("安放地点", "Where it stands")),
            Field("supplier", Term("供应商", "Supplier")),
            Field("certificate", Term("商用密码产品认证证书编号", "Product type certificate"), code=True),
            Field("level", Term("安全等级", "Security level")),
            Field("valid_from", Term("有效期自", "Valid from")),
            Field("valid_until", Term("有效期至", "Valid until")),
            Field("document", Term("证书副本", "Copy of the certificate"), code=True),
        ),
    )
)
register(
    Matter(
        kind=WITHDRAW,
        title=Term("加密机退役", "Retirement of an encryption machine"),
        proposes=Permission.MACHINE_MANAGE,
        views=Permission.MACHINE_VIEW,
        carry_out=certificates.withdraw,
        fields=(
            Field("serial", Term("序列号", "Serial number"), code=True),
            Field("fingerprint", Term("设备密钥指纹", "Fingerprint of the device key"), code=True),
            REASON,
        ),
    )
)
