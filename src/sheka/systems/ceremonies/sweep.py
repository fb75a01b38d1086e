"""Rehearsals that are over leave nothing behind, also where a process ended before it could tidy up (K6)."""

from __future__ import annotations

from sheka.office.scope import whole_node
from sheka.systems.ceremonies.models import Ceremony
from sheka.systems.ceremonies.rehearsals import end_test_machine, folder_of
from sheka.systems.ceremonies.states import LIVE


def sweep_rehearsals() -> int:
    """End the test machines of rehearsals that are over, and remove their folders; how many."""
    root = folder_of("-").parent
    if not root.is_dir():
        return 0
    with whole_node("a folder on the node tells nothing but the number of its rehearsal"):
        live = set(Ceremony.objects.filter(state__in=LIVE, rehearsal=True).values_list("number", flat=True))
    left = [path.name for path in root.iterdir() if path.is_dir() and path.name not in live]
    for number in left:
        end_test_machine(number)
    return len(left)
