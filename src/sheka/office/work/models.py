"""What waits for whom (console.md §4.2.1), notices to people, and the words by which things are found.

Both first tables are made to be read at a million rows: every queue of the console has its partial index.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sheka.office.organisations.models import Organisation
from sheka.office.staff.models import StaffMember
from sheka.office.work.states import NOT_DONE

_OPEN = Q(state="open")
_TO_DO = ~Q(state="done")
_POOL = ("organisation", "permission", "due_on", "id")
_KIND_IN_POOL = ("organisation", "kind", "permission", "due_on", "id")


def _both(one: Q, other: Q) -> Q:
    """Both hold, or neither does."""
    return (one & other) | (~one & ~other)


class WorkItem(models.Model):
    """Something that a person has to do next about `subject`.

    Nobody's yet (`assignee` is null), it lies in the pool of its organisation: everybody there who holds `permission`
    may take it. `number` is that of the case as people say it. `due_on` is a day of the working calendar, or nothing. A
    kind has one item a subject that is not done.
    """

    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    number = models.CharField(max_length=120, db_collation="C")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", db_index=False)
    permission = models.CharField(max_length=60)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200)
    assignee = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="work", db_index=False)
    state = models.CharField(max_length=10, default="open", choices=[(state, state) for state in (*NOT_DONE, "done")])
    due_on = models.DateField(null=True)
    returned = models.BooleanField(default=False)
    waiting_until = models.DateField(null=True)
    waiting_reason = models.CharField(max_length=200, default="", blank=True)
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=80)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("due_on", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "subject", "organisation"), condition=_TO_DO, name="work_item_once"
            ),
            models.CheckConstraint(
                condition=_both(Q(state="done"), Q(closed_at__isnull=False)), name="work_item_closed"
            ),
            models.CheckConstraint(
                condition=_both(Q(state="waiting"), Q(waiting_until__isnull=False)), name="work_item_waits"
            ),
        )
        indexes = (
            models.Index(fields=_POOL, condition=_OPEN & Q(assignee__isnull=True), name="work_item_pool"),
            models.Index(fields=_POOL, condition=_OPEN, name="work_item_open"),
            models.Index(fields=_KIND_IN_POOL, condition=_OPEN, name="work_item_pool_kind"),
            models.Index(fields=("organisation", "due_on", "id"), condition=_TO_DO, name="work_item_office"),
            models.Index(fields=("organisation", "kind", "due_on", "id"), condition=_TO_DO, name="work_item_kind"),
            models.Index(
                fields=("organisation", "due_on", "id"),
                condition=_TO_DO & Q(assignee__isnull=False),
                name="work_item_given",
            ),
            models.Index(
                fields=("assignee", "due_on", "id"), include=("organisation",), condition=_OPEN, name="work_item_mine"
            ),
            models.Index(
                fields=("assignee", "due_on", "id"), condition=_OPEN & Q(returned=True), name="work_item_returned"
            ),
            models.Index(
                fields=("assignee", "waiting_until", "id"), condition=Q(state="waiting"), name="work_item_wait"
            ),
            models.Index(fields=("number",), condition=_TO_DO, name="work_item_number"),
            models.Index(fields=("closed_by", "-closed_at", "-id"), condition=Q(state="done"), name="work_item_recent"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    def title(self, language: str) -> str:
        """What is to be done, in the reader's language."""
        return self.title_zh if language.startswith("zh") else self.title_en


class WorkNotice(models.Model):
    """Something that a person should know. Nobody else reads it: row-level security asks for the person too."""

    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+", db_index=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    text_zh = models.CharField(max_length=300)
    text_en = models.CharField(max_length=300)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "work_notice"
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("staff", "-id"), name="work_notice_of"),
            models.Index(fields=("staff",), condition=Q(read_at__isnull=True), name="work_notice_unread"),
            models.Index(
                fields=("kind", "at"),
                condition=Q(read_at__isnull=True, escalated_at__isnull=True),
                name="work_notice_late",
            ),
        )

    def text(self, language: str) -> str:
        """What happened, in the reader's language."""
        return self.text_zh if language.startswith("zh") else self.text_en


class SearchTerm(models.Model):
    """A word by which something is found: a name, its pinyin, the initials of its pinyin (`work.names`).

    `kind` and `key` say what it is ("person", its row's key). The term is in the order of its bytes ("C"), since only
    such an index finds beginnings, and only a comparison that gives nothing away is used below row-level security.
    """

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=40)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", db_index=False)
    term = models.CharField(max_length=200, db_collation="C")

    class Meta:
        db_table = "work_search_term"
        ordering = ("term", "pk")
        indexes = (models.Index(fields=("kind", "term"), name="work_search_term_found"),)
        constraints = (models.UniqueConstraint(fields=("kind", "key", "term"), name="work_search_term_once"),)
