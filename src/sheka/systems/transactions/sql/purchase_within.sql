-- Purchases as in purchase.sql, now by what is available (balance less what is held), within limits, and beside requests of other
-- kinds: a STAN names one request, so a number that another kind took is refused (4424, field 3). The balance of an answer is what
-- is available; entries keep the balance of the ledger.

DROP FUNCTION switch_purchase_batch(date, integer[], integer[], integer[], text[], text[], bigint[], smallint[], smallint[], text[],
    integer[], bigint);
DROP FUNCTION switch_purchase_stored(date, integer[], integer[], integer[], text[], text[], bigint[], smallint[], smallint[], text[],
    integer[], integer[]);
DROP FUNCTION switch_purchase_settle(date, timestamptz, bigint[], integer[], integer[], bigint[], bigint[], bigint[], bigint[],
    bigint[]);

-- The stored answers of purchases whose keys are taken: the same request gets the same answer, another one is refused (4424)
-- with the number of the first field that differs. The date is written into the statement so that one partition is planned.
CREATE FUNCTION switch_purchase_stored(
    p_date date, p_institution integer[], p_terminal integer[], p_stan integer[], p_card text[], p_scheme text[],
    p_amount bigint[], p_currency smallint[], p_country smallint[], p_rrn text[], p_local_time integer[], p_pick integer[],
    OUT places integer[], OUT refusals integer[], OUT ids bigint[], OUT balances bigint[], OUT windows bigint[], OUT differs integer[]
) LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    EXECUTE format($q$
        SELECT array_agg(place), array_agg(CASE WHEN field IS NULL THEN refusal ELSE 4424 END),
            array_agg(id), array_agg(CASE WHEN field IS NULL THEN balance_after END), array_agg(window_id), array_agg(field)
        FROM (
            SELECT u.place, t.id, t.refusal, t.balance_after, t.window_id, CASE
                WHEN t.refusal = 4425 THEN NULL
                WHEN t.kind <> 1 THEN 3
                WHEN t.amount <> u.amount THEN 4
                WHEN t.card_number <> u.card THEN 62
                WHEN t.scheme <> u.scheme THEN 60
                WHEN t.currency <> u.currency THEN 49
                WHEN t.country <> u.country THEN 19
                WHEN t.rrn <> u.rrn THEN 37
                WHEN t.local_time <> u.local_time THEN 12 END AS field
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) WITH ORDINALITY
                AS u (institution, terminal, stan, card, scheme, amount, currency, country, rrn, local_time, place)
            JOIN transactions_transaction t ON t.business_date = %L AND t.terminal_id = u.terminal AND t.stan = u.stan
                AND t.kind <> 2 AND t.institution_id = u.institution
            WHERE u.place = ANY ($11)
        ) AS found $q$, p_date)
    INTO places, refusals, ids, balances, windows, differs
    USING p_institution, p_terminal, p_stan, p_card, p_scheme, p_amount, p_currency, p_country, p_rrn, p_local_time, p_pick;
    -- What somebody has to look at: another request under this number, or an original that comes after its reversal.
    INSERT INTO transactions_abnormal (kind, institution_id, terminal_id, business_date, stan, facts)
    SELECT CASE WHEN u.refusal = 4425 THEN 'late_original' ELSE 'duplicate_differs' END,
        p_institution[u.place], p_terminal[u.place], p_date, p_stan[u.place],
        jsonb_build_object('transaction', u.id, 'amount', p_amount[u.place], 'card', p_card[u.place], 'kind', 1,
            'refusal', u.refusal, 'field', u.field)
    FROM unnest(places, refusals, ids, differs) AS u (place, refusal, id, field) WHERE u.refusal IN (4424, 4425)
    ORDER BY u.place ON CONFLICT DO NOTHING;
END $$;

-- After a pass in which keys were taken: give back what those items had reserved, and write the entries of the others.
CREATE FUNCTION switch_purchase_settle(
    p_date date, p_at timestamptz, p_amount bigint[], p_places integer[], p_refusals integer[], p_ids bigint[],
    p_balances bigint[], p_accounts bigint[], p_counter_accounts bigint[], p_booked bigint[]
) RETURNS void LANGUAGE sql SET search_path = pg_catalog, public AS $$
    UPDATE accounts_account a SET balance = a.balance + p_amount[u.place], paid = a.paid - p_amount[u.place],
        paid_count = a.paid_count - 1, recent = a.recent[:cardinality(a.recent) - 1]
    FROM unnest(p_places, p_refusals, p_ids, p_accounts) AS u (place, refusal, id, account)
    WHERE a.id = u.account AND u.refusal = 0 AND u.id <> ALL (coalesce(p_booked, '{}'));

    INSERT INTO accounts_entry (posting_id, account_id, amount, balance_after, booked_at, document_date, kind)
    SELECT u.id, e.account_id, e.amount, e.balance, p_at, p_date, 1
    FROM unnest(p_places, p_refusals, p_ids, p_balances, p_accounts, p_counter_accounts)
        AS u (place, refusal, id, balance, account, counter_account)
    CROSS JOIN LATERAL (VALUES (u.account, -p_amount[u.place], u.balance), (u.counter_account, p_amount[u.place], NULL))
        AS e (account_id, amount, balance)
    WHERE u.refusal = 0 AND u.id = ANY (p_booked);
$$;

-- A batch of purchases of one business date in one transaction. Answers by place in the arrays (from 1), in any order: what
-- was written now (`places`: refusal, 0 when approved; number; balance after; account; card) and what had been written before
-- under the same key (`stored_places`, with the number of the field that differs from the stored request, if any).
--
-- One statement judges and books what it can. Of several items of one account the first is taken (an UPDATE changes a row
-- once); the others, and one whose balance moved meanwhile, are left for the next pass, so that each sees what is left. A key
-- that is taken books nothing: then the statement writes no entries, and switch_purchase_settle finishes the pass.
CREATE FUNCTION switch_purchase_batch(
    p_date date, p_institution integer[], p_terminal integer[], p_stan integer[], p_card text[], p_scheme text[],
    p_amount bigint[], p_currency smallint[], p_country smallint[], p_rrn text[], p_local_time integer[], p_seal bigint,
    p_class integer[] DEFAULT NULL, p_limits bigint[] DEFAULT NULL,
    OUT places integer[], OUT refusals integer[], OUT ids bigint[], OUT balances bigint[],
    OUT accounts bigint[], OUT cards bigint[], OUT stored_places integer[], OUT stored_refusals integer[], OUT stored_ids bigint[],
    OUT stored_balances bigint[], OUT stored_windows bigint[], OUT stored_differs integer[], OUT window_id bigint,
    OUT booked_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
-- The arrays say nothing about the plan: it is made once, by index, and kept.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    pick         integer[];
    todo         integer := coalesce(array_length(p_stan, 1), 0);
    taken        integer[];
    new_places   integer[];
    new_refusals integer[];
    new_ids      bigint[];
    new_balances bigint[];
    new_accounts bigint[];
    new_cards    bigint[];
    counters     bigint[];
    new_ledger   bigint[];
    today        date;
    second       integer;
    new_booked   bigint[];
BEGIN
    window_id := transactions_join_window();
    booked_at := clock_timestamp();
    today := (booked_at AT TIME ZONE 'Asia/Shanghai')::date;
    second := extract(epoch FROM booked_at);
    WHILE todo > 0 LOOP
        WITH item AS MATERIALIZED (
            SELECT u.*, c.card_id, a.id AS account, i.account_id AS counter_account,
                CASE
                    WHEN t.id IS NULL OR t.institution_id <> u.institution OR t.state <> 'active' THEN 4411
                    WHEN i.state <> 'active' THEN 4412
                    WHEN u.currency <> 156 THEN 4413
                    WHEN u.country <> 156 THEN 4414
                    WHEN u.amount <= 0 THEN 4423
                    WHEN c.card_id IS NULL THEN 4415
                    WHEN c.state <> 'active' THEN switch_card_refusal(c.state)
                    WHEN a.id IS NULL THEN 4420
                    WHEN a.state <> 'open' THEN 4422
                    WHEN a.balance - a.held < u.amount THEN 4421
                    ELSE switch_limit_refusal(p_limits, u.class, u.amount, today, second, a.paid_on, a.paid, a.paid_count,
                        a.recent) END AS refusal
            FROM (
                SELECT n AS place, p_institution[n] AS institution, p_terminal[n] AS terminal, p_stan[n] AS stan, p_card[n] AS card,
                    p_scheme[n] AS scheme, p_amount[n] AS amount, p_currency[n] AS currency, p_country[n] AS country,
                    p_rrn[n] AS rrn, p_local_time[n] AS local_time, p_class[n] AS class
                FROM generate_series(1, array_length(p_stan, 1)) AS n WHERE pick IS NULL OR n = ANY (pick)
            ) u
            LEFT JOIN transactions_terminal t ON t.id = u.terminal
            LEFT JOIN transactions_institution i ON i.id = u.institution
            LEFT JOIN LATERAL cards_holder(u.card) c ON true
            LEFT JOIN accounts_account a ON a.person_id = c.person_id AND a.scheme = u.scheme AND a.kind = 'personal'
        ), paid AS (
            UPDATE accounts_account a SET balance = a.balance - w.amount, paid_on = today,
                paid = CASE WHEN a.paid_on = today THEN a.paid ELSE 0 END + w.amount,
                paid_count = CASE WHEN a.paid_on = today THEN a.paid_count ELSE 0 END + 1,
                reserved = CASE WHEN a.paid_on = today THEN a.reserved ELSE 0 END,
                recent = switch_recent(a.recent, second)
            FROM (SELECT * FROM item WHERE refusal = 0 ORDER BY account, place) w
            WHERE a.id = w.account AND a.balance - a.held >= w.amount AND a.state = 'open'
                AND switch_limit_refusal(p_limits, w.class, w.amount, today, second, a.paid_on, a.paid, a.paid_count, a.recent) = 0
            RETURNING w.*, a.balance, a.balance - a.held AS available
        ), outcome AS MATERIALIZED (
            SELECT nextval('accounts_posting_id') AS id, o.*
            FROM (SELECT * FROM paid UNION ALL SELECT item.*, NULL, NULL FROM item WHERE refusal <> 0) o
        ), booked AS (
            INSERT INTO transactions_transaction (id, account_id, card_id, amount, balance_after, window_id, seal, booked_at,
                business_date, institution_id, terminal_id, stan, local_time, refusal, kind, currency, country, card_number, scheme, rrn)
            SELECT id, account, card_id, amount, available, window_id, p_seal, booked_at,
                p_date, institution, terminal, stan, local_time, refusal, 1, currency, country, card, scheme, rrn
            FROM outcome
            ON CONFLICT DO NOTHING
            RETURNING transactions_transaction.id
        ), entries AS (
            INSERT INTO accounts_entry (posting_id, account_id, amount, balance_after, booked_at, document_date, kind)
            SELECT o.id, e.account_id, e.amount, e.balance, booked_at, p_date, 1
            FROM outcome o
            CROSS JOIN LATERAL (VALUES (o.account, -o.amount, o.balance), (o.counter_account, o.amount, NULL))
                AS e (account_id, amount, balance)
            WHERE o.refusal = 0 AND (SELECT count(*) FROM booked) = (SELECT count(*) FROM outcome)
        )
        SELECT array_agg(o.place), array_agg(o.refusal), array_agg(o.id), array_agg(o.available), array_agg(o.account),
            array_agg(o.card_id), array_agg(o.counter_account), array_agg(o.balance), (SELECT array_agg(b.id) FROM booked b)
        INTO new_places, new_refusals, new_ids, new_balances, new_accounts, new_cards, counters, new_ledger, new_booked
        FROM outcome o;
        todo := todo - coalesce(array_length(new_places, 1), 0);
        IF places IS NULL AND array_length(new_places, 1) = array_length(new_booked, 1) THEN
            places := new_places; refusals := new_refusals; ids := new_ids;
            balances := new_balances; accounts := new_accounts; cards := new_cards;
        ELSIF new_places IS NOT NULL THEN
            IF array_length(new_places, 1) IS DISTINCT FROM array_length(new_booked, 1) THEN
                PERFORM switch_purchase_settle(p_date, booked_at, p_amount, new_places, new_refusals, new_ids, new_ledger,
                    new_accounts, counters, new_booked);
            END IF;
            SELECT places || array_agg(u.place), refusals || array_agg(u.refusal), ids || array_agg(u.id),
                balances || array_agg(u.balance), accounts || array_agg(u.account), cards || array_agg(u.card)
            INTO places, refusals, ids, balances, accounts, cards
            FROM unnest(new_places, new_refusals, new_ids, new_balances, new_accounts, new_cards)
                AS u (place, refusal, id, balance, account, card)
            WHERE u.id = ANY (new_booked);
            SELECT taken || array_agg(u.place) INTO taken FROM unnest(new_places, new_ids) AS u (place, id)
            WHERE u.id <> ALL (coalesce(new_booked, '{}'));
        END IF;
        IF todo > 0 THEN
            SELECT array_agg(n) INTO pick FROM generate_series(1, array_length(p_stan, 1)) AS n
            WHERE n <> ALL (coalesce(places, '{}')) AND n <> ALL (coalesce(taken, '{}'));
        END IF;
    END LOOP;
    IF taken IS NOT NULL THEN
        SELECT s.places, s.refusals, s.ids, s.balances, s.windows, s.differs
        INTO stored_places, stored_refusals, stored_ids, stored_balances, stored_windows, stored_differs
        FROM switch_purchase_stored(p_date, p_institution, p_terminal, p_stan, p_card, p_scheme, p_amount, p_currency,
            p_country, p_rrn, p_local_time, taken) s;
    END IF;
END $$;
