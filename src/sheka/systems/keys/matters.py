"""What the key system puts before deciders: the generation of root keys (K2, K3, K6)."""

from __future__ import annotations

from sheka.foundation.crypto.algorithms import Algorithm
from sheka.foundation.terms import Term
from sheka.office.approvals.matters import Field, Matter, register
from sheka.office.staff.permissions import Permission

GENERATE = "keys.generate"

register(
    Matter(
        kind=GENERATE,
        title=Term("生成密钥", "Generation of keys"),
        proposes=Permission.KEY_PROPOSE,
        views=Permission.KEY_VIEW,
        fields=(
            Field("algorithm", Term("算法", "Algorithm"), show=lambda value: Algorithm(value).name),
            Field("version", Term("密钥版本", "Version of the keys")),
            Field("names", Term("密钥", "Keys"), code=True, long=True),
        ),
    )
)
