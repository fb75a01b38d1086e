-- A terminal's batch (S4, S8): its totals of a settlement day against ours, and the lines that it uploads when they differ.

-- An uploaded line has a request of its own; of several about one transaction the last counts.
ALTER TABLE transactions_batch_line DROP CONSTRAINT transactions_batch_line_terminal_id_window_id_business_date_key;
ALTER TABLE transactions_batch_line ADD upload_date date NOT NULL, ADD upload_stan integer NOT NULL,
    ADD UNIQUE (upload_date, terminal_id, upload_stan);
CREATE INDEX transactions_batch_line_of ON transactions_batch_line (terminal_id, window_id);
COMMENT ON COLUMN transactions_batch_line.business_date IS 'of the transaction that the line is about, like stan and reversal';

-- What moved money at a terminal in a window: the number, its key, amount, and the direction: 1 credits, 2 credits reversed,
-- 3 debits, 4 debits reversed (seen from the personal account: a purchase is a debit).
CREATE FUNCTION switch_moved(p_institution integer, p_terminal integer, p_window bigint, p_settled date)
RETURNS TABLE (id bigint, business_date date, stan integer, reversal boolean, amount bigint, direction integer)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    -- A reversal lies in the partition of its original, at most 40 days before.
    RETURN QUERY EXECUTE format($q$
        SELECT t.id, t.business_date, t.stan, t.kind = 2, t.amount, CASE
            WHEN t.kind IN (1, 4) THEN 3 WHEN t.kind = 6 THEN 1 WHEN coalesce(t.moved, t.amount) > 0 THEN 4 ELSE 2 END
        FROM transactions_transaction t
        WHERE t.business_date BETWEEN %L AND %L AND t.terminal_id = $1 AND t.institution_id = $2 AND t.window_id = $3
            AND t.refusal = 0 AND t.account_id IS NOT NULL AND t.moved IS DISTINCT FROM 0 $q$, p_settled - 40, p_settled + 3)
    USING p_terminal, p_institution, p_window;
END $$;

-- Compare a batch (0500). `p_theirs`: eight numbers in the order of fields 74 to 77 and 86 to 89. Before an upload the totals are
-- compared, after it (`p_after`) line by line. Answers a refusal number (0: in balance; 4485 not; 4487 no such day; 4424 another
-- request under this number), our numbers, and the field that differs.
CREATE FUNCTION switch_compare_batch(p_institution integer, p_terminal integer, p_date date, p_stan integer, p_settled date,
    p_after boolean, p_theirs bigint[], OUT refused integer, OUT ours bigint[], OUT differs integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_variable
DECLARE
    of_window bigint;
    held      transactions_batch;
BEGIN
    SELECT w.id INTO of_window FROM transactions_window w WHERE w.settlement_date = p_settled;
    IF of_window IS NULL THEN
        refused := 4487; differs := 15;
        RETURN;
    END IF;
    SELECT * INTO held FROM transactions_batch b
        WHERE b.business_date = p_date AND b.terminal_id = p_terminal AND b.stan = p_stan;
    IF held.id IS NULL THEN
        SELECT ARRAY[count(*) FILTER (WHERE m.direction = 1), count(*) FILTER (WHERE m.direction = 2),
                count(*) FILTER (WHERE m.direction = 3), count(*) FILTER (WHERE m.direction = 4),
                coalesce(sum(m.amount) FILTER (WHERE m.direction = 1), 0), coalesce(sum(m.amount) FILTER (WHERE m.direction = 2), 0),
                coalesce(sum(m.amount) FILTER (WHERE m.direction = 3), 0), coalesce(sum(m.amount) FILTER (WHERE m.direction = 4), 0)
            ]::bigint[] INTO ours
        FROM switch_moved(p_institution, p_terminal, of_window, p_settled) m;
        refused := CASE WHEN ours = p_theirs THEN 0 ELSE 4485 END;
        IF p_after THEN
            refused := switch_compare_lines(p_institution, p_terminal, of_window, p_settled);
        END IF;
        INSERT INTO transactions_batch (institution_id, terminal_id, business_date, stan, window_id, after_upload, theirs, ours, refusal)
        VALUES (p_institution, p_terminal, p_date, p_stan, of_window, p_after, p_theirs, ours, refused)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN;
        END IF;
        SELECT * INTO held FROM transactions_batch b
            WHERE b.business_date = p_date AND b.terminal_id = p_terminal AND b.stan = p_stan;
    END IF;
    ours := held.ours;
    refused := held.refusal;
    differs := CASE WHEN held.after_upload <> p_after THEN 3 WHEN held.window_id <> of_window THEN 15
        WHEN held.theirs <> p_theirs THEN 74 END;
    IF differs IS NOT NULL THEN
        refused := 4424; ours := NULL;
    END IF;
END $$;

-- After an upload: every row of ours must have its line, and no line may stand against us. What we alone have is told.
CREATE FUNCTION switch_compare_lines(p_institution integer, p_terminal integer, p_window bigint, p_settled date) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    missing integer;
    wrong   integer;
BEGIN
    WITH line AS (
        SELECT DISTINCT ON (l.business_date, l.stan, l.reversal) l.business_date, l.stan, l.reversal, l.refusal
        FROM transactions_batch_line l WHERE l.terminal_id = p_terminal AND l.window_id = p_window
        ORDER BY l.business_date, l.stan, l.reversal, l.id DESC
    ), alone AS (
        SELECT m.* FROM switch_moved(p_institution, p_terminal, p_window, p_settled) m
        WHERE NOT EXISTS (SELECT FROM line l
            WHERE l.business_date = m.business_date AND l.stan = m.stan AND l.reversal = m.reversal)
    ), told AS (
        INSERT INTO transactions_abnormal (kind, institution_id, terminal_id, business_date, stan, facts)
        SELECT 'batch_only_ours', p_institution, p_terminal, a.business_date, a.stan,
            jsonb_build_object('transaction', a.id, 'amount', a.amount, 'reversal', a.reversal, 'window', p_window)
        FROM alone a ON CONFLICT DO NOTHING
    )
    SELECT (SELECT count(*) FROM alone), (SELECT count(*) FROM line l WHERE l.refusal <> 0) INTO missing, wrong;
    RETURN CASE WHEN missing + wrong = 0 THEN 0 ELSE 4485 END;
END $$;

-- Take an uploaded line (0320). Answers 0 when it is as we booked it; 4470 we have no such approved transaction, 4486 it is
-- another (with the field), 4487 no such day, 4424 another line was uploaded under this number.
CREATE FUNCTION switch_upload_line(p_institution integer, p_terminal integer, p_date date, p_stan integer, p_settled date,
    p_original_date date, p_original_stan integer, p_reversal boolean, p_amount bigint, p_card text,
    OUT refused integer, OUT differs integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_variable
DECLARE
    of_window bigint;
    ours      transactions_transaction;
    held      transactions_batch_line;
BEGIN
    SELECT w.id INTO of_window FROM transactions_window w WHERE w.settlement_date = p_settled;
    IF of_window IS NULL THEN
        refused := 4487; differs := 15;
        RETURN;
    END IF;
    ours := switch_find(p_original_date, p_institution, p_terminal, p_original_stan, p_reversal);
    differs := CASE WHEN ours.id IS NULL OR ours.refusal <> 0 OR ours.account_id IS NULL THEN NULL
        WHEN ours.amount <> p_amount THEN 4 WHEN ours.card_number <> p_card THEN 62 WHEN ours.window_id <> of_window THEN 15 END;
    refused := CASE WHEN ours.id IS NULL OR ours.refusal <> 0 OR ours.account_id IS NULL THEN 4470
        WHEN differs IS NOT NULL THEN 4486 ELSE 0 END;
    INSERT INTO transactions_batch_line (institution_id, terminal_id, business_date, stan, reversal, window_id, amount, card_number,
        transaction_id, refusal, upload_date, upload_stan)
    VALUES (p_institution, p_terminal, p_original_date, p_original_stan, p_reversal, of_window, p_amount, p_card, ours.id, refused,
        p_date, p_stan)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT * INTO held FROM transactions_batch_line l
            WHERE l.upload_date = p_date AND l.terminal_id = p_terminal AND l.upload_stan = p_stan;
        IF (held.business_date, held.stan, held.reversal, held.amount, held.card_number, held.window_id)
                IS DISTINCT FROM (p_original_date, p_original_stan, p_reversal, p_amount, p_card, of_window) THEN
            refused := 4424; differs := 90;
        ELSE
            refused := held.refusal;
        END IF;
    ELSIF refused <> 0 THEN
        PERFORM switch_abnormal(CASE refused WHEN 4470 THEN 'batch_only_theirs' ELSE 'batch_differs' END, p_institution, p_terminal,
            p_original_date, p_original_stan, jsonb_build_object('amount', p_amount, 'card', p_card, 'reversal', p_reversal,
            'transaction', ours.id, 'booked', ours.amount, 'field', differs, 'window', of_window));
    END IF;
END $$;

DROP FUNCTION switch_reversal_batch(date, integer[], integer[], integer[], text[], text[], bigint[], smallint[], smallint[], text[],
    integer[], bigint);
DROP FUNCTION switch_reverse(date, integer, integer, integer, text, text, bigint, smallint, smallint, text, integer, bigint, bigint,
    timestamptz);

DO $$
DECLARE
    one regprocedure;
BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN (
        'switch_purchase_batch', 'switch_purchase_stored', 'switch_purchase_settle', 'switch_balance_batch', 'switch_verb_batch',
        'switch_find', 'switch_hold_of', 'switch_judge_original', 'switch_moved', 'switch_compare_batch', 'switch_compare_lines',
        'switch_upload_line')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, sheka_app', one);
    END LOOP;
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN (
        'switch_purchase_batch', 'switch_balance_batch', 'switch_verb_batch', 'switch_compare_batch', 'switch_upload_line')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sheka_switch', one);
    END LOOP;
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN (
        'switch_purchase_batch', 'switch_purchase_stored', 'switch_purchase_settle', 'switch_balance_batch', 'switch_verb_batch',
        'switch_find', 'switch_hold_of', 'switch_judge_original', 'switch_moved', 'switch_compare_batch', 'switch_compare_lines',
        'switch_upload_line')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO sheka_ledger', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
