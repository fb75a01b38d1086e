"""Two people at once: an item goes to one of them, and the next case is never the same for both."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from sheka.foundation.refusals import Code, Refused
from sheka.office.scope import whole_node
from sheka.office.work.actions.assign_work import assign_work
from sheka.office.work.actions.take_work import take_next, take_work
from sheka.office.work.models import WorkItem


def at_once(*verbs):
    """Each verb in a thread and on a connection of its own, all from one starting line; what each answered."""
    line, answers = threading.Barrier(len(verbs)), [None] * len(verbs)

    def run(place, verb):
        with whole_node("a test stands outside of every organisation"):
            line.wait(10)
            try:
                answers[place] = verb()
            except Refused as refusal:
                answers[place] = refusal.code
        connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(verbs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


@pytest.mark.django_db(transaction=True)
def test_one_item_goes_to_one_of_two(clerk, colleague, errands):
    item = errands()
    answers = at_once(
        lambda: take_work(clerk, item_id=item.pk).assignee_id, lambda: take_work(colleague, item_id=item.pk).assignee_id
    )
    assert Code.WORK_TAKEN in answers
    (winner,) = {clerk.staff_id, colleague.staff_id} & set(answers)
    assert WorkItem.objects.get().assignee_id == winner


@pytest.mark.django_db(transaction=True)
def test_the_next_case_is_another_for_each(clerk, colleague, appoint, errands):
    people = [clerk, colleague, appoint("third", "460100-01", "clerk"), appoint("fourth", "460100-01", "clerk")]
    for number in range(3):
        errands(f"case:{number}", due_on=timezone.localdate() + timedelta(days=number))
    answers = at_once(*(lambda person=person: take_next(person).subject for person in people))
    assert sorted(map(str, answers)) == sorted(["case:0", "case:1", "case:2", str(Code.WORK_NOTHING_NEXT)])


@pytest.mark.django_db(transaction=True)
def test_taking_and_assigning_leave_one_owner(clerk, colleague, supervisor, errands):
    item = errands()
    taken, given = at_once(
        lambda: take_work(clerk, item_id=item.pk).assignee_id,
        lambda: assign_work(supervisor, item_ids=[item.pk], to=colleague.staff_id)[0].assignee_id,
    )
    assert given == colleague.staff_id and taken in (clerk.staff_id, Code.WORK_TAKEN)
    assert WorkItem.objects.get().assignee_id == colleague.staff_id, "whoever was first, the supervisor's word stands"
