"""What a verification of the audit chain says, in the reader's words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FAULTS: dict[str, str | Promise] = {
    "missing": _("Rows are missing here"),
    "edited": _("The row was changed after it was written"),
    "moved": _("The row was written under another number"),
    "unlinked": _("It does not link to the row before it"),
    "backdated": _("It is dated before the row before it"),
    "tail_cut": _("Rows that an exported head covers are gone: the tail was cut"),
    "head_wrong": _("An exported head says otherwise: the chain was written anew"),
    "head_foreign": _("The exported head was not signed by this node's machine"),
    "head_order": _("A head is missing from the exported files, or they are out of order"),
}
