"""Every search of transactions that the console and the API offer reads few rows of few days, by an index (S4).

The plans are taken on a set that is small but laid out as a year is: days in partitions, analysed, an institution with
many terminals beside one with two. `sheka bench transaction_search --rows 3000000` times the same searches.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from bench.search_plans import Facts, plans, searches
from bench.switch_rows import make_days
from django.utils import timezone
from tests.support.payments import CITY, HOSPITAL

from sheka.faces.console.transactions.lists import BARE_DAYS, LOOKED_BACK, chosen_rows
from sheka.office.staff.actors import Actor
from sheka.systems.transactions.models import Institution, Terminal, Transaction
from sheka.systems.transactions.queries import FEW_TERMINALS, numbered

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("S4")]
DAYS, A_DAY, LARGE = 40, 2_000, 300
REST = "transactions_transaction_rest"
"""Empty: what stands there is moved into its day."""


@pytest.fixture
def year(bank, superuser):
    """Forty days of purchases at three hundred terminals of one institution, and a few at two of another."""
    hospital = Institution.objects.get(code=HOSPITAL)
    small = Institution.objects.create(
        code="P46010000009",
        name="small",
        organisation_id=CITY,
        account_id=hospital.account_id,
        mac_key="none",
        mac_check_value="",
        state="active",
        registered_at=timezone.now(),
    )
    rows = [
        Terminal(number=f"460100{number:06d}", institution=place, state="active", registered_at=timezone.now())
        for place, numbers in ((hospital, range(1_000, 1_000 + LARGE)), (small, (9_001, 9_002)))
        for number in numbers
    ]
    made = Terminal.objects.bulk_create(rows)
    with superuser() as administrator:
        for _done in make_days(
            administrator,
            timezone.localdate(),
            DAYS * A_DAY,
            A_DAY,
            institution=hospital.pk,
            terminal=made[0].pk,
            terminals=LARGE,
        ):
            pass
        administrator.execute(
            "INSERT INTO transactions_transaction SELECT (t).* FROM (SELECT jsonb_populate_record(t,"
            " jsonb_build_object('institution_id', %s::int, 'terminal_id', %s + t.stan %% 2, 'refusal', 4421)) AS t"
            " FROM transactions_transaction t WHERE t.terminal_id = %s) t",
            [small.pk, made[LARGE].pk, made[3].pk],
        )
        administrator.execute("VACUUM ANALYZE transactions_transaction")
    row = Transaction.objects.filter(business_date=timezone.localdate() - timedelta(days=12)).order_by("id").first()
    return Facts(row.business_date, row.card_number, small.code, "460100009001", row.id, row.rrn)


def test_each_search_looks_at_its_days_by_an_index(year):
    actor = Actor.process("test", CITY)
    seen = dict(plans(actor, year))
    assert set(seen) == set(searches(actor, year)) and all(seen.values())
    wrong = {
        name: [(plan.partitions, plan.whole, plan.statement) for plan in told if set(plan.whole) - {REST}]
        for name, told in seen.items()
    }
    assert not {name: told for name, told in wrong.items() if told}
    most = {
        "console.day": 1,
        "console.refused": 8,
        "console.response": 8,
        "console.kind": 8,
        "console.stan": BARE_DAYS + 3,
        "console.rrn": BARE_DAYS + 3,
        "console.amount": BARE_DAYS + 3,
        "console.institution": LOOKED_BACK.days + 4,
        "console.terminal": LOOKED_BACK.days + 4,
        "console.card.day": 8,
        "api.day": 1,
    }
    found = {name: max(plan.partitions for plan in seen[name]) for name in most}
    assert {name: found[name] for name in most if found[name] > most[name]} == {}


def test_the_searches_find_what_is_there(year):
    """Narrower plans lose no row: a number whatever its day, an institution through its few or many terminals."""
    rows = Transaction.objects.all()
    assert numbered(rows, year.number).get().business_date == year.day
    assert not numbered(rows, 2**60).exists()
    actor = Actor.process("test", CITY)
    since = timezone.localdate() - LOOKED_BACK
    for code in (HOSPITAL, year.institution):
        chosen = chosen_rows({"institution": code}, actor)[0]
        assert chosen.count() == rows.filter(institution__code=code, business_date__gte=since).count() > 0
    assert Terminal.objects.filter(institution__code=HOSPITAL).count() > FEW_TERMINALS
    day = {"day_from": str(year.day), "day_to": str(year.day)}
    assert chosen_rows({"terminal": year.terminal, **day}, actor)[0].count() > 0
    assert [row.id for row in chosen_rows({"rrn": year.rrn, **day}, actor)[0]] == [year.number]
    assert not chosen_rows({"terminal": "460100999999"}, actor)[0].exists()
    assert not chosen_rows({"institution": "X46010000001"}, actor)[0].exists()
