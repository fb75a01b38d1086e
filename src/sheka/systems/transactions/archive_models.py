"""Archived days of transactions and their seals (S4), as Django reads them; the files are made by `archive_files`."""

from __future__ import annotations

from django.db import models


class Archive(models.Model):
    """A business day as Parquet (`archive_files`): over every organisation of the node, as its seals are.

    `attached`: written and proved, its rows are in the database as well; `detached`: the files are the only copy.
    `digest` is the SM3 of the manifest's file, `content` that of the rows as text; `moved` what its rows did to
    accounts, {entry kind: [entries, fen]}; `seal_root` the Merkle root over its seals. `amount` in fen.
    """

    business_date = models.DateField(unique=True)
    state = models.CharField(max_length=20, default="attached")
    rows = models.BigIntegerField()
    amount = models.BigIntegerField()
    moved = models.JSONField()
    content = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    seals = models.PositiveIntegerField()
    seal_root = models.BinaryField()
    public = models.BinaryField()
    manifest = models.CharField(max_length=60)
    bytes = models.BigIntegerField()
    made_by = models.CharField(max_length=80)
    made_at = models.DateTimeField()
    detached_at = models.DateTimeField(null=True)
    restored_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-business_date",)

    def __str__(self) -> str:
        return self.business_date.isoformat()


class ArchivedStretch(models.Model):
    """The seals of one stream that an archive holds the rows of: places `first` to `last`."""

    archive = models.ForeignKey(Archive, on_delete=models.PROTECT, related_name="stretches")
    stream = models.BigIntegerField()
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    class Meta:
        indexes = (models.Index(fields=("stream", "first"), name="transactions_archived_first"),)
