"""What is known about a document. Its content lies encrypted in the store; rows never change but for the end of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sheka.foundation.terms import Term
from sheka.office.documents.kinds import kinds
from sheka.office.organisations.models import Organisation


def spaced(code: str) -> str:
    """A verification code in groups of five.

    >>> spaced("0123456789ABCDEFGHJK")
    '01234-56789-ABCDE-FGHJK'
    """
    return "-".join(code[at : at + 5] for at in range(0, len(code), 5))


class Document(models.Model):
    """One document about one subject.

    `digest` is the SM3 of what is kept, `given_digest` of what was sent; `stored` names the encrypted file, `key` and
    `salt` lead to its key (store.py, keys.py). Disposed of, the salt is empty: nobody can read the file any more.
    """

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=120)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    label = models.CharField(max_length=100)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    pages = models.PositiveIntegerField(null=True)
    digest = models.CharField(max_length=64)
    given_digest = models.CharField(max_length=64)
    stored = models.CharField(max_length=64, unique=True)
    key = models.CharField(max_length=120)
    salt = models.BinaryField()
    state = models.CharField(max_length=10, default="kept")
    kept_by_id = models.BigIntegerField(null=True)
    kept_by = models.CharField(max_length=80)
    kept_at = models.DateTimeField()
    retain_until = models.DateField()
    disposed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-kept_at", "-pk")
        indexes = (
            models.Index(fields=("subject", "-kept_at"), name="documents_of_subject"),
            models.Index(fields=("organisation", "-kept_at"), name="documents_of_organisation"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "subject", "kind", "given_digest"),
                condition=Q(state="kept"),
                name="documents_once_a_subject",
            ),
        )

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def audit_subject(self) -> str:
        return f"document:{self.pk}"

    @property
    def title(self) -> Term:
        """The name of its kind; a kind that is declared no more is called by its code."""
        kind = kinds().get(self.kind)
        return kind.title if kind else Term(self.kind, self.kind)

    @property
    def kilobytes(self) -> int:
        return -(-self.size // 1024)

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


class Paper(models.Model):
    """A paper that the node made: what its QR code leads to. `shown` are the masked facts that a stranger sees."""

    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="paper")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    template = models.CharField(max_length=40)
    subject = models.CharField(max_length=120)
    number = models.CharField(max_length=60)
    code = models.CharField(max_length=20, unique=True)
    facts_digest = models.CharField(max_length=64)
    shown = models.JSONField()
    state = models.CharField(max_length=10, default="valid")
    made_at = models.DateTimeField()
    void_reason = models.CharField(max_length=200, default="")
    voided_by = models.CharField(max_length=80, default="")
    voided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "template", "subject"),
                condition=Q(state="valid"),
                name="documents_one_valid_paper",
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def spaced_code(self) -> str:
        """AAAAA-BBBBB-CCCCC-DDDDD, as it is printed and typed."""
        return spaced(self.code)


class Question(models.Model):
    """How often somebody asked the verify page in a window of time; of the address only a keyed digest."""

    asker = models.CharField(max_length=64)
    window = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("asker", "window"), name="documents_question_window"),)
