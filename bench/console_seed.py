"""What the console bench puts into its database: people with cards, their words, items of work, audit rows.

Made by the database itself: names from a table of surnames and given names whose words come from the product's own
`search_terms`. Every person is invented; the numbers have the shape of the one that foreigners get and no holder.
"""

from __future__ import annotations

from itertools import product

import psycopg

from sheka.office.work.names import search_terms

HAINAN, HAIKOU, OUTLET, CENTRE = "460000", "460100", "460100-01", "460100-CC"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗曾单仇解任查区尉迟 欧阳 司马"
GIVEN = (
    "晓霞 国强 秀英 伟 芳 敏 静 磊 洋 勇 艳 杰 娟 涛 明 超 霞 平 刚 桂英 建华 文 丽 志强 海燕 子涵 梓萱 浩然 宇轩 一诺"
)

_PEOPLE = """
INSERT INTO cards_person (organisation_id, social_security_number, name, sex, birth, ethnic_group, birthplace, phone,
        address, registered_at)
    SELECT %(city)s, 'B' || lpad(n::text, 17, '0'), names.name, 1, '1990-01-01', '01', '', '', '', now()
    FROM generate_series(1, %(people)s) n JOIN bench_name names ON names.id = n %% (SELECT count(*) FROM bench_name);
INSERT INTO work_search_term (kind, key, organisation_id, term)
    SELECT 'person', person.id::text, %(city)s, word
    FROM cards_person person JOIN bench_name USING (name), unnest(words) word;
INSERT INTO cards_issuingright (organisation_id, number, quantity, layout_digest, valid_from, valid_to, taken_at)
    VALUES (%(city)s, 'bench', %(people)s, repeat('ab', 32), '2026-01-01', '2036-01-01', now());
INSERT INTO cards_productionbatch (organisation_id, right_id, outlet_id, algorithm, specification, quantity, reason,
        by, at)
    SELECT %(city)s, id, %(outlet)s, 3, '3.00', %(people)s, 'order', 'bench', now() FROM cards_issuingright;
INSERT INTO cards_card (number, identification_code, person_id, organisation_id, outlet_id, batch_id, right_id, state,
        version, algorithm, specification, key_version, card_class, factor, issued_on, expires_on)
    SELECT 'X' || lpad(person.id::text, 8, '0'), lpad(to_hex(person.id), 32, '0'), person.id, %(city)s, %(outlet)s,
        batch.id, batch.right_id, 'active', 1, 3, '3.00', 1, '3', '', '2026-01-01', '2036-01-01'
    FROM cards_person person, cards_productionbatch batch;
"""
_WORK = """
INSERT INTO work_workitem (kind, subject, number, organisation_id, permission, title_zh, title_en, assignee_id, state,
        due_on, returned, waiting_until, waiting_reason, opened_at, opened_by, closed_at, closed_by)
    SELECT kind, 'bench:' || n, n::text, place, permission, '新卡待领取，收回旧卡', 'Hand the new card over',
        CASE WHEN n %% 50 IN (1, 2) THEN %(clerk)s END,
        CASE WHEN n %% 5 = 0 THEN 'done' WHEN n %% 50 = 1 THEN 'waiting' ELSE 'open' END,
        current_date - 20 + (n::bigint * 7919 %% 120)::int, n %% 500 = 2,
        CASE WHEN n %% 50 = 1 THEN current_date + 3 END, '',
        now() - n * interval '1 second', 'bench',
        CASE WHEN n %% 5 = 0 THEN now() - n * interval '1 second' END, CASE WHEN n %% 20 = 0 THEN %(clerk)s END
    FROM generate_series(1, %(items)s) n
    JOIN (VALUES (0, 'exchange.collect', 'exchange.collect', %(outlet)s), (1, 'exchange.collect', 'exchange.collect',
            %(outlet)s), (2, 'batch.stock', 'card.stock', %(outlet)s), (3, 'old_card.send', 'old_card.return',
            %(outlet)s), (4, 'exchange.make', 'card.produce', %(city)s), (5, 'batch.make', 'card.produce', %(city)s),
            (6, 'clearing.reconcile', 'clearing.import', %(city)s), (7, 'old_card.destroy', 'old_card.destroy',
            %(centre)s), (8, 'approval.decide', 'issuance.examine', %(province)s), (9, 'key.import', 'key.import',
            %(province)s)) AS kinds (place_of, kind, permission, place) ON place_of = n / 7 %% 10;
"""
_AUDIT = """
INSERT INTO audit_event (sequence, at, staff_id, actor, organisation_id, event, subject, facts, previous, hash)
    SELECT last + n, now() - (%(events)s - n) * interval '1 second', NULL, 'bench', %(outlet)s, 'card.viewed',
        'card:X' || lpad(n::text, 8, '0'), '{}', sha256('b'), sha256('b')
    FROM generate_series(1, %(events)s) n, (SELECT coalesce(max(sequence), 0) AS last FROM audit_event) head;
"""


def seed(connection: psycopg.Connection[object], *, items: int, people: int, events: int) -> None:
    """Everything, with statistics. The connection is the administrator's: it passes by row-level security, and as a
    replica does it does not look every foreign key up again.
    """
    connection.cursor_factory = psycopg.ClientCursor
    connection.execute("SET session_replication_role = replica")
    row = connection.execute("SELECT id FROM staff_staffmember WHERE login = 'longhua-clerk'").fetchone()
    assert row is not None
    values = {
        "city": HAIKOU,
        "outlet": OUTLET,
        "centre": CENTRE,
        "province": HAINAN,
        "clerk": row[0],  # type: ignore[index]
        "items": items,
        "people": people,
        "events": events,
    }
    names = [f"{surname}{given}" for surname, given in product(_surnames(), GIVEN.split())]
    connection.execute("CREATE TEMPORARY TABLE bench_name (id int, name text, words text[])")
    with connection.cursor() as cursor, cursor.copy("COPY bench_name FROM STDIN") as copy:
        for number, name in enumerate(names):
            copy.write_row((number, name, search_terms(name)))
    for statement in (_PEOPLE + _WORK + _AUDIT).split(";\n"):
        if statement.strip():
            connection.execute(statement, values)  # type: ignore[arg-type]
    connection.execute("VACUUM ANALYZE")


def _surnames() -> list[str]:
    single, *double = SURNAMES.split()
    return [*single.removesuffix("尉迟"), "尉迟", *double]
