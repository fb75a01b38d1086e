"""What lies beside the transactions goes when it is kept no longer, and nothing that is needed goes with it (S4).

What is lost if this fails: a line whose key was thrown away, a partner's request that could be booked a second time, or
a database that grows for ever.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from tests.support.payments import CITY, HOSPITAL

from sheka.foundation.refusals import Code, Refused
from sheka.office.audit.models import Event
from sheka.office.staff.actors import Actor
from sheka.systems.transactions import jobs, retention
from sheka.systems.transactions.acquiring_models import PartnerRequest, TraceCounter
from sheka.systems.transactions.actions.drop_old_rows import drop_old_rows
from sheka.systems.transactions.line_models import WorkingKey
from sheka.systems.transactions.models import Institution, Terminal

pytestmark = pytest.mark.req("S4")
committing = pytest.mark.django_db(transaction=True)


@pytest.fixture
def today() -> date:
    return timezone.localdate()


def _keys(superuser, holder: int, terminal: int | None, days: list[int]) -> None:
    with superuser() as administrator:
        for age in days:
            administrator.execute(
                "INSERT INTO transactions_workingkey (institution_id, terminal_id, purpose, factor, check_value, asked,"
                " since) VALUES (%s, %s, 'mac', '00', '00', gen_random_uuid()::text, now() - %s * interval '1 day')",
                [holder, terminal, age],
            )


@committing
def test_old_keys_go_and_the_two_newest_of_a_line_stay(bank, superuser, today):
    holder = Institution.objects.get(code=HOSPITAL).pk
    first, second = Terminal.objects.order_by("number").values_list("pk", flat=True)[:2]
    days = retention.old_row_days()["working_keys"]
    _keys(superuser, holder, first, [days + 30, days + 20, days + 10, 1])
    _keys(superuser, holder, second, [days + 9, days + 8])
    _keys(superuser, holder, None, [days + 7, 70, 65])
    jobs.old_rows()

    def ages(terminal: int | None) -> list[int]:
        rows = WorkingKey.objects.filter(terminal=terminal).order_by("since")
        return [(timezone.now() - row.since).days for row in rows]

    assert (ages(first), ages(second), ages(None)) == ([days + 10, 1], [days + 9, days + 8], [70, 65])
    dropped = Event.objects.filter(event="old_rows.dropped", subject__startswith="working_keys:")
    assert sorted(json.loads(row.facts)["count"] for row in dropped) == [0, 3]
    with superuser() as administrator:
        for query in (
            "DELETE FROM transactions_workingkey WHERE since < now() - interval '300 days'",  # the newest two
            "DELETE FROM transactions_workingkey WHERE since > now() - interval '10 days'",
            "UPDATE transactions_workingkey SET factor = '01'",
        ):
            with pytest.raises(Exception, match="append-only"):
                administrator.execute(query)
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM transactions_workingkey")


@committing
def test_requests_of_partners_and_offline_numbers_go_but_never_what_is_unknown(bank, superuser, today):
    terminal = Terminal.objects.select_related("institution").order_by("number").first()
    old = today - timedelta(days=retention.old_row_days()["partner_requests"] + 1)

    def request(stan: int, day: date, state: str, original: PartnerRequest | None = None) -> PartnerRequest:
        return PartnerRequest.objects.create(
            institution=terminal.institution,
            terminal=terminal,
            client="x",
            key=f"key-{stan}",
            request="x",
            verb="purchase",
            card_number="x",
            scheme="310",
            currency="156",
            country="156",
            business_date=day,
            stan=stan,
            at=datetime.combine(day, datetime.min.time(), timezone.get_current_timezone()),
            state=state,
            original=original,
        )

    pair = request(1, old, "approved")
    request(2, old, "refused", pair)
    request(3, old, "sent")
    held = request(4, old, "approved")
    request(5, today, "approved", held)
    request(6, today - timedelta(days=100), "approved")
    for day in (old, today):
        TraceCounter.objects.create(terminal=terminal, business_date=day, last=9)
    holder = Institution.objects.get(code=HOSPITAL).pk
    row = "INSERT INTO transactions_offline VALUES (%s, 1, 'x', 1, %s, 1)"
    days = [today - timedelta(days=age) for age in (retention.old_row_days()["offline_numbers"] + 1, 63, 0)]
    with superuser() as administrator:
        for day in days:
            administrator.execute(row, [day, holder])
    jobs.old_rows()
    assert list(PartnerRequest.objects.order_by("stan").values_list("stan", flat=True)) == [3, 4, 5, 6]
    assert TraceCounter.objects.get().business_date == today
    with superuser() as administrator, pytest.raises(Exception, match="stays"):
        administrator.execute("DELETE FROM transactions_partnerrequest WHERE stan = 3")
    with superuser() as administrator:
        left = administrator.execute("SELECT business_date FROM transactions_offline ORDER BY 1").fetchall()
        assert left == [(days[1],), (days[2],)]
        administrator.execute("SELECT transactions_drop_offline_numbers(%s, 10)", [today + timedelta(days=9)])
        left = administrator.execute("SELECT business_date FROM transactions_offline").fetchall()
    assert left == [(today,)], "younger ones stay, whatever day is said"


@pytest.mark.django_db
def test_the_policy_must_keep_them_long_enough_and_the_right_is_needed(tmp_path, monkeypatch, tree, today):
    policy = retention.policy_file(retention.FILE).read_text("utf-8")
    path = tmp_path / "retention.toml"
    monkeypatch.setattr(retention, "policy_file", lambda name: path)
    for wrong in (
        policy.replace("[working_keys]\ndays = 400", "[working_keys]\ndays = 59"),
        policy.replace("[partner_requests]\ndays = 400", "[partner_requests]\ndays = 399"),
        policy.replace("[offline_numbers]", "[numbers]"),
    ):
        assert wrong != policy
        path.write_text(wrong, "utf-8")
        retention._old_row_days.cache_clear()
        with pytest.raises(Refused) as refusal:
            retention.old_row_days()
        assert refusal.value.code is Code.ARCHIVE_POLICY
    nobody = Actor(None, "process:nobody", CITY, "o000000.o460000.o460100", frozenset())
    with pytest.raises(Refused) as refusal:
        drop_old_rows(nobody, of="working_keys", today=today)
    assert refusal.value.code is Code.PERMISSION_MISSING
