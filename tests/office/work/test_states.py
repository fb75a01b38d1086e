"""An item under any order of verbs: it is with one person or with nobody, and its state says what it is."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheka.foundation.refusals import Code, Refused
from sheka.office.work.actions.assign_work import assign_work
from sheka.office.work.actions.give_back_work import give_back
from sheka.office.work.actions.postpone_work import postpone, resume
from sheka.office.work.actions.take_work import take_work
from sheka.office.work.items import close_work
from sheka.office.work.models import WorkItem
from sheka.office.work.states import ITEM

VERBS = st.lists(
    st.tuples(st.sampled_from(("take", "give_back", "postpone", "resume", "assign", "close")), st.integers(0, 1)),
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VERBS)
def test_every_order_of_verbs_ends_as_the_model_says(clerk, colleague, supervisor, errands, errand, verbs):
    people = (clerk, colleague)
    WorkItem.objects.all().delete()
    item, state, owner = errands(), "open", None
    day = timezone.localdate() + timedelta(days=1)
    for verb, who in verbs:
        expected = _after(state, owner, verb, who)
        try:
            if verb == "take":
                take_work(people[who], item_id=item.pk)
            elif verb == "give_back":
                give_back(people[who], item_id=item.pk)
            elif verb == "postpone":
                postpone(people[who], item_id=item.pk, until=day, reason="等回函")
            elif verb == "resume":
                resume(people[who], item_id=item.pk)
            elif verb == "assign":
                assign_work(supervisor, item_ids=[item.pk], to=people[who].staff_id)
            else:
                close_work(people[who], errand, item.subject)
        except Refused as refusal:
            assert refusal.code in (Code.STATE_FORBIDS, Code.WORK_TAKEN, Code.WORK_NOT_YOURS)
            assert expected is None, f"{verb} refused in {state}"
        else:
            assert expected is not None, f"{verb} done in {state}"
            state, owner = expected
        item.refresh_from_db()
        assert (item.state, item.assignee_id) == (state, None if owner is None else people[owner].staff_id)


def _after(state, owner, verb, who):
    """What the model says: the state and the owner after the verb, None when it is refused."""
    if verb == "close":
        return ("done", owner)
    if (state, verb) not in {(row.source, row.verb) for row in ITEM.transitions}:
        return None
    if verb == "take":
        return None if owner is not None else ("open", who)
    if verb == "assign":
        return ("open", who)
    if owner != who:
        return None
    return {"give_back": ("open", None), "postpone": ("waiting", owner), "resume": ("open", owner)}[verb]
