"""What the key system puts before deciders: the generation of root keys (K2, K3, K6)."""

from __future__ import annotations

from typing import Any

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.terms import Term
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.staff.permissions import Permission

GENERATE = "keys.generate"


def _summary(payload: dict[str, Any]) -> Term:
    name, version, count = Algorithm(payload["algorithm"]).name, payload["version"], len(payload["names"])
    return Term(f"{name} 第 {version} 版，{count} 个", f"{name}, version {version}, {count} keys")


register(
    Matter(
        kind=GENERATE,
        title=Term("生成密钥", "Generation of keys"),
        proposes=Permission.KEY_PROPOSE,
        views=Permission.KEY_VIEW,
        summary=_summary,
        fields=(
            Field("algorithm", Term("算法", "Algorithm"), show=lambda value: Algorithm(value).name),
            Field("version", Term("密钥版本", "Version of the keys")),
            Field("names", Term("密钥", "Keys"), code=True, long=True),
        ),
    )
)
