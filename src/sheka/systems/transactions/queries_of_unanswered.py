"""What the exceptions desk asks of the journal (S10): requests without an answer, requests that were said again, and
bookings whose switch died before it could answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.utils import timezone

from sheka.systems.transactions.line_models import TerminalFault
from sheka.systems.transactions.models import Terminal, Transaction

#: The index of exceptions 0004 holds the rows without an answer.
_UNANSWERED = """
SELECT s.id, s.came_at, s.type, i.code, i.organisation_id, s.terminal, s.day, s.stan, coalesce(s.refusal, 0), s.process
FROM transactions_message s
JOIN transactions_terminal m ON m.number = s.terminal JOIN transactions_institution i ON i.id = m.institution_id
WHERE (s.went_at IS NULL OR s.refusal = 4430) AND s.stan IS NOT NULL AND substr(s.type, 2, 1) IN ('2', '4')
    AND s.came_at BETWEEN now() - make_interval(secs => %(back)s) AND now() - make_interval(secs => %(patience)s)
    AND s.day >= current_date - 4 AND i.test_of_id IS NULL
ORDER BY s.came_at, s.id LIMIT %(limit)s
"""
#: The first repeat (0201, 0221, 0401, 0421) of what had been answered, when it got the same answer: its sender had no
#: answer in time. Who did not prove to be the terminal (4408, 4410, 4703) has repeated nothing, and who was told to
#: send it again (91, 77) lost no answer.
_REPEATED = """
SELECT * FROM (
    SELECT DISTINCT ON (s.terminal, s.day, s.stan, substr(s.type, 1, 3)) s.id, s.came_at, s.type, i.code,
        i.organisation_id, s.terminal, s.day, s.stan, s.refusal, s.process
    FROM transactions_message s
    JOIN transactions_terminal m ON m.number = s.terminal JOIN transactions_institution i ON i.id = m.institution_id
    WHERE substr(s.type, 4, 1) = '1' AND s.stan IS NOT NULL AND substr(s.type, 2, 1) IN ('2', '4')
        AND s.came_at BETWEEN now() - make_interval(secs => %(back)s) AND now() - make_interval(secs => %(patience)s)
        AND s.day >= current_date - 4 AND i.test_of_id IS NULL AND s.went_at IS NOT NULL
        AND s.refusal NOT IN (4408, 4410, 4703, 4431, 4458, 4459, 4702, 4718)
        AND EXISTS (SELECT FROM transactions_message e
            WHERE e.terminal = s.terminal AND e.stan = s.stan AND e.day = s.day
                AND e.came_at < s.came_at AND e.refusal = s.refusal AND substr(e.type, 1, 3) = substr(s.type, 1, 3))
    ORDER BY s.terminal, s.day, s.stan, substr(s.type, 1, 3), s.came_at, s.id
) found (number, at) ORDER BY at, number LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request whose requester has no answer (`refusal` 0), one that was told that the outcome is not known (4430), or
    a repeat of one that had been answered.
    """

    number: int
    at: datetime
    type: str
    institution: str
    organisation: str
    terminal: str
    business_date: date
    stan: int
    refusal: int
    process: str


def unanswered(*, back: int, patience: int, limit: int = 1000) -> list[Unanswered]:
    """Requests of the last `back` seconds that were not answered within `patience` seconds, the earliest first."""
    return _read(_UNANSWERED, back, patience, limit)


def repeated(*, back: int, patience: int, limit: int = 1000) -> list[Unanswered]:
    """Repeats of the last `back` seconds of what had been answered, the earliest first."""
    return _read(_REPEATED, back, patience, limit)


def _read(query: str, back: int, patience: int, limit: int) -> list[Unanswered]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"back": back, "patience": patience, "limit": limit})
        return [Unanswered(*row) for row in cursor.fetchall()]


#: A reversal after the repeat says that the answer was not believed.
_APPROVED_AGAIN = """
SELECT s.type, s.came_at FROM transactions_message s
WHERE s.terminal = %(terminal)s AND s.stan = %(stan)s AND s.day = %(day)s AND s.came_at > %(since)s
    AND s.went_at IS NOT NULL AND s.refusal = 0 AND substr(s.type, 4, 1) = '1' AND substr(s.type, 2, 1) <> '4'
    AND NOT EXISTS (SELECT FROM transactions_message r
        WHERE r.terminal = s.terminal AND r.stan = s.stan AND r.day = s.day
            AND r.came_at > s.came_at AND substr(r.type, 2, 1) = '4')
ORDER BY s.came_at LIMIT 1
"""


def approved_again(terminal: str, day: date, stan: int, since: datetime) -> tuple[str, datetime] | None:
    """The first repeat under a key that came after a moment and was answered with the approval, when no reversal came
    behind it: its type and when.
    """
    with connection.cursor() as cursor:
        cursor.execute(_APPROVED_AGAIN, {"terminal": terminal, "day": day, "stan": stan, "since": since})
        row: tuple[str, datetime] | None = cursor.fetchone()
    return row


#: A process writes a pulse each second, also when it has nothing to do. `since`: epoch seconds.
_ENDED = """
SELECT process, max(at + (span - 1) * interval '1 second') AS last, bool_and(span = 1)
FROM transactions_pulse_process WHERE at > to_timestamp(%(since)s) - interval '2 minutes' GROUP BY process
HAVING max(at + (span - 1) * interval '1 second') > to_timestamp(%(since)s)
    AND max(at + (span - 1) * interval '1 second') <= now() - make_interval(secs => %(quiet)s)
    AND (sum(requests) < 100 OR sum(kept) > 0) -- one that keeps no journal says nothing by it
ORDER BY last
"""
#: What was booked about a moment and of which the journal has no answer: a message under its number that was refused,
#: with a wrong MAC or before it, told nobody of it. Numbers rise with time: the last booking before the moment bounds
#: the search.
_UNTOLD = """
WITH bound AS (
    SELECT coalesce(
        (SELECT t.id FROM transactions_transaction t WHERE t.business_date = %(today)s AND t.booked_at < %(begin)s
            ORDER BY t.id DESC LIMIT 1),
        (SELECT t.id FROM transactions_transaction t WHERE t.business_date = %(today)s - 1 AND t.booked_at < %(begin)s
            ORDER BY t.id DESC LIMIT 1), 0) AS id
)
SELECT t.id, t.booked_at, i.code, i.organisation_id, m.number, t.business_date, t.stan, t.kind, t.amount
FROM bound, transactions_transaction t
JOIN transactions_institution i ON i.id = t.institution_id AND i.test_of_id IS NULL
JOIN transactions_terminal m ON m.id = t.terminal_id
WHERE t.business_date BETWEEN %(today)s - 40 AND %(today)s + 1 AND t.id > bound.id
    AND t.booked_at BETWEEN %(begin)s AND %(end)s AND t.refusal = 0 AND t.account_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM transactions_message s WHERE s.terminal = m.number AND s.stan = t.stan
        AND s.day = t.business_date AND (substr(s.type, 2, 1) = '4') = (t.kind = 2) AND s.came_at < %(end)s
        AND (s.went_at IS NULL OR s.refusal IN (0, 4430)))
ORDER BY t.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class EndedProcess:
    """A switch process that shows no sign of life. `exact`: its last sign is known to the second, else the minute."""

    process: str
    last: datetime
    exact: bool


@dataclass(frozen=True, slots=True)
class Untold:
    """A booking about which its terminal was told nothing: the switch died between the commit and the answer."""

    number: int
    at: datetime
    institution: str
    organisation: str
    terminal: str
    business_date: date
    stan: int
    kind: int
    amount: int


def ended_processes(*, since: int, quiet: int) -> list[EndedProcess]:
    """Processes whose last sign came after `since` (epoch seconds) and at least `quiet` seconds ago, the earliest
    first.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, {"since": since, "quiet": quiet})
        return [EndedProcess(*row) for row in cursor.fetchall()]


def booked_untold(begin: datetime, end: datetime, today: date, limit: int = 1000) -> list[Untold]:
    """What was booked between two moments and never answered, as far as the journal knows; `today` at the node."""
    with connection.cursor() as cursor:
        cursor.execute(_UNTOLD, {"begin": begin, "end": end, "today": today, "limit": limit})
        return [Untold(*row) for row in cursor.fetchall()]


def terminal_numbered(number: str) -> Terminal | None:
    """A terminal by its number."""
    return Terminal.objects.filter(number=number).first()


def last_fault(number: str, kind: str) -> datetime | None:
    """When a message of a terminal was last wrong in this way (mac, proof, clock); None: never."""
    rows = TerminalFault.objects.filter(terminal__number=number, kind=kind)
    return rows.values_list("last_at", flat=True).first()


def booked_since(number: str, moment: datetime) -> bool:
    """Whether a terminal was answered about money after a moment."""
    day = timezone.localdate(moment)
    rows = Transaction.objects.filter(terminal__number=number, booked_at__gt=moment, business_date__gte=day)
    return rows.exists()
