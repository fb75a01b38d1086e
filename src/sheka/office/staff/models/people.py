"""People who sign in, and the roles granted to them for a time."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q

from sheka.office.organisations.models import Organisation


class StaffMember(AbstractBaseUser):
    """One person in one organisation.

    `person_id` is the same for two accounts of one person (separation of duties): the keyed digest of the person's
    number (`office.staff.persons`), never the number. An account is closed, never deleted.
    """

    login = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    person_id = models.CharField(max_length=40)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="staff")
    language = models.CharField(max_length=10, default="zh-hans")
    is_active = models.BooleanField(default=True)
    failed_sign_ins = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    must_change_password = models.BooleanField(default=False)
    password_changed_at = models.DateTimeField(null=True)
    left_on = models.DateField(null=True)

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = BaseUserManager()

    class Meta:
        ordering = ("login",)

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """A role held from one day to another; the end day no longer counts. Grants are ended, never deleted."""

    staff = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=40)
    valid_from = models.DateField()
    valid_to = models.DateField()
    granted_by = models.CharField(max_length=80)
    end_reason = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(valid_to__gte=F("valid_from")), name="staff_grant_dates"),)

    @classmethod
    def on(cls, day: date) -> Q:
        """The condition that a grant counts on `day`."""
        return Q(valid_from__lte=day, valid_to__gt=day)
