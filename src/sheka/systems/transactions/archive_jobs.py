"""Jobs of the archive (S4): a day is written, proved or put back in the background, for who asked on its page."""

from __future__ import annotations

from datetime import date
from typing import Any

from sheka.foundation.terms import Term
from sheka.office.jobs.progress import Progress
from sheka.office.jobs.registry import job
from sheka.office.staff.actors import Actor
from sheka.office.staff.permissions import Permission
from sheka.systems.transactions.actions.archive_day import check_archive, restore_archive, write_archive
from sheka.systems.transactions.archive_models import Archive

WRITE_JOB, CHECK_JOB, RESTORE_JOB = "transactions.archive_write", "transactions.archive_check", "transactions.restore"
STEPS = {
    "copy": Term("读出数据行", "rows are copied"),
    "parquet": Term("写入Parquet文件", "the files are written"),
    "read back": Term("回读并比对", "the files are read back and compared"),
    "sign": Term("签名", "the manifest is signed"),
    "keep": Term("保存文件", "the files are kept"),
    "record": Term("登记", "it is recorded"),
}
"""The steps of `write_archive` in their order."""


@job(WRITE_JOB, title_zh="归档业务日", title_en="Archive of a day", permission=Permission.ARCHIVE_WRITE)
def write(actor: Actor, progress: Progress, *, day: str) -> dict[str, Any]:
    """All or nothing: a stopped run leaves a draft that the next removes."""
    order = list(STEPS)

    def tell(step: str) -> None:
        word = STEPS[step]
        progress(order.index(step), len(order), (word.zh, word.en))

    return _told(write_archive(actor, day=date.fromisoformat(day), step=tell))


@job(CHECK_JOB, title_zh="核验归档文件", title_en="Proof of an archived day", permission=Permission.TRANSACTION_VERIFY)
def check(actor: Actor, progress: Progress, *, day: str) -> dict[str, Any]:
    """Every row of the files, and of the table while it is there."""
    progress(0, None, ("核验", "it is proved"))
    return _told(check_archive(actor, day=date.fromisoformat(day)))


@job(
    RESTORE_JOB,
    title_zh="恢复归档业务日",
    title_en="Day put back from its archive",
    permission=Permission.ARCHIVE_WRITE,
)
def restore(actor: Actor, progress: Progress, *, day: str) -> dict[str, Any]:
    """In one transaction: a run that fails leaves the day detached as it was."""
    progress(0, None, ("恢复", "it is put back"))
    return _told(restore_archive(actor, day=date.fromisoformat(day)))


def _told(archive: Archive) -> dict[str, Any]:
    return {"day": str(archive), "rows": archive.rows, "SM3": archive.content, "bytes": archive.bytes}
