"""The reader's own finding on a chip (R7): what it did, what the chip answered, and whether the chip can be read.

The grounds for an exchange "chip damaged" rest on this record, not on anybody's word. It holds no personal data: of the
files only status words are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sheka.equipment.card_reader.channel import meaning
from sheka.equipment.card_reader.reader import Reader
from sheka.equipment.card_reader.session import HOLDER_FILE, ISSUER_FILE, CardSession
from sheka.foundation.chip.apdu import StatusWord
from sheka.foundation.chip.profile import CardProfile
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term

_READER_AT_FAULT = frozenset(
    {
        Code.READER_EXTRA_MISSING,
        Code.READER_SERVICE_ABSENT,
        Code.READER_NOT_FOUND,
        Code.READER_NO_CARD,
        Code.READER_BUSY,
        Code.READER_SERVICE_FAILED,
        Code.CHIP_STORAGE_IN_USE,
        Code.CHIP_STORAGE_ABSENT,
        Code.CHIP_PROFILE_MISMATCH,
    }
)
"""The equipment's side failed: that says nothing about the chip, so it is a refusal and no finding."""


@dataclass(frozen=True, slots=True)
class StepFinding:
    """One step: what was tried, the status word (empty when the chip did not answer), whether it is as it should be."""

    step: Term
    status: str
    ok: bool
    remark: Term


@dataclass(frozen=True, slots=True)
class ReaderFinding:
    """What the equipment found. `readable` is the verdict that R7 asks for."""

    reader: str
    atr: str
    steps: tuple[StepFinding, ...]
    card_number: str = ""
    """The number that the chip gave, empty when it gave none: compare it with the card's surface."""

    @property
    def readable(self) -> bool:
        """Every step was as it should be."""
        return bool(self.steps) and all(step.ok for step in self.steps)

    @property
    def sentence(self) -> Term:
        """The finding in a sentence, for the record and the receipt."""
        if self.readable:
            return Term("芯片读写正常。", "The chip reads and answers as it should.")
        step = next(step for step in self.steps if not step.ok)
        zh, en = step.remark.zh.rstrip("。"), step.remark.en.rstrip(".")
        if step.status:
            zh, en = f"{zh}（{step.status}）", f"{en} ({step.status})"
        return Term(
            f"芯片在读卡设备上不能正常读写：{step.step.zh}——{zh}。",
            f"The chip cannot be read and written in the equipment: {step.step.en}: {en}.",
        )

    def as_record(self) -> dict[str, Any]:
        """The finding as plain values, to be kept with the application."""
        return {
            "reader": self.reader,
            "atr": self.atr,
            "readable": self.readable,
            "sentence": {"zh": self.sentence.zh, "en": self.sentence.en},
            "steps": [
                {"zh": step.step.zh, "en": step.step.en, "status": step.status, "ok": step.ok} for step in self.steps
            ],
        }


@dataclass(slots=True)
class _Examination:
    session: CardSession
    steps: list[StepFinding] = field(default_factory=list)
    card_number: str = ""

    def run(self) -> None:
        """The steps in order; the first that fails ends it: what follows could only fail too."""
        session = self.session
        if not self._try(Term("上电复位", "power up"), session.open):
            return
        steps: list[tuple[Term, Callable[[], object], bool]] = [
            (Term("复位应答格式", "form of the answer to reset"), lambda: session.historical, False),
            (Term("选择社会保障应用", "select the social security application"), session.select_sse, False),
            (Term("读发卡机构数据", "read the issuer data"), self._read_issuer_file, False),
            (Term("读持卡人基本信息", "read the holder's basic data"), lambda: session.read_file(HOLDER_FILE), True),
            (Term("取随机数", "get challenge"), session.challenge, False),
            (Term("内部认证应答", "answer an internal authentication"), self._internal, False),
        ]
        for step, action, may_be_protected in steps:
            if not self._try(step, action, may_be_protected=may_be_protected):
                return

    def _read_issuer_file(self) -> None:
        self.card_number = str(self.session.read_file(ISSUER_FILE)["card_number"])
        self.session.read_public_identity()

    def _internal(self) -> None:
        self.session.internal_authenticate(self.session.factor, bytes(8))

    def _try(self, step: Term, action: Callable[[], object], *, may_be_protected: bool = False) -> bool:
        try:
            action()
        except Refused as error:
            if error.code in _READER_AT_FAULT:
                raise
            answered = error.code is Code.CARD_ANSWERED
            status = str(error.facts["status"]) if answered else ""
            remark = meaning(int(status, 16)) if answered else Term(error.text("zh-Hans"), error.text("en"))
            ok = may_be_protected and status == f"{StatusWord.NOT_AUTHORISED:04X}"
            self.steps.append(StepFinding(step, status, ok, remark))
            return ok
        self.steps.append(StepFinding(step, f"{StatusWord.OK:04X}", True, meaning(StatusWord.OK)))
        return True


def examine(reader: Reader, profile: CardProfile | None = None) -> ReaderFinding:
    """Examine the chip in a reader: power up, select, read the free files, challenge, internal authentication.

    A chip that is mute, answers badly or holds damaged data gives a finding with `readable` false. A file that the card
    protects (6982, the holder's data on 3.00 cards) is as it should be. When the equipment itself fails (no reader, no
    card, service not running) its refusal is raised: that is no finding on a chip.
    """
    session = CardSession(reader, profile)
    examination = _Examination(session)
    try:
        examination.run()
    finally:
        session.close()
    return ReaderFinding(
        reader=reader.name,
        atr=session.atr.hex().upper(),
        steps=tuple(examination.steps),
        card_number=examination.card_number,
    )
