-- Reversals and balance inquiries (S4, S10). A reversal is named by the key of its purchase; it is always accepted, whatever the
-- state of card, account or window: money that went the wrong way goes back.

-- One reversal. Answers refusal (0: reversed, or nothing had been taken), its number, the balance after, and whether the answer
-- was stored before. Refusals: 4426 the purchase is not known (a tombstone now keeps it out for ever), 4428 another amount,
-- 4424 differs from the stored reversal, 4411 the terminal is not of this institution.
CREATE FUNCTION switch_reverse(
    p_date date, p_institution integer, p_terminal integer, p_stan integer, p_card text, p_scheme text, p_amount bigint,
    p_currency smallint, p_country smallint, p_rrn text, p_local_time integer, p_seal bigint, p_window bigint, p_at timestamptz,
    OUT refused integer, OUT id bigint, OUT balance bigint, OUT account bigint, OUT card bigint, OUT original bigint,
    OUT stored boolean, OUT differs integer, OUT tombstone bigint, OUT stored_window bigint
) LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    purchase transactions_transaction;
    earlier  transactions_transaction;
    counter  bigint;
BEGIN
    stored := false;
    SELECT i.account_id INTO counter FROM transactions_terminal t
        JOIN transactions_institution i ON i.id = t.institution_id WHERE t.id = p_terminal AND i.id = p_institution;
    IF NOT FOUND THEN
        refused := 4411; stored := true;
        RETURN;
    END IF;
    INSERT INTO transactions_transaction (id, amount, window_id, seal, booked_at, business_date, institution_id, terminal_id, stan,
        local_time, refusal, kind, currency, country, card_number, scheme, rrn)
    VALUES (nextval('accounts_posting_id'), p_amount, p_window, p_seal, p_at, p_date, p_institution, p_terminal, p_stan,
        p_local_time, 4425, 1, p_currency, p_country, p_card, p_scheme, p_rrn)
    ON CONFLICT DO NOTHING RETURNING transactions_transaction.id INTO tombstone;
    IF tombstone IS NULL THEN
        EXECUTE format('SELECT * FROM transactions_transaction WHERE business_date = %L AND terminal_id = $1 AND stan = $2'
                       ' AND institution_id = $3 AND kind = 1', p_date) INTO purchase USING p_terminal, p_stan, p_institution;
        refused := CASE
            WHEN purchase.refusal = 4425 THEN 4426
            WHEN purchase.card_number <> p_card THEN 4424
            WHEN purchase.amount <> p_amount THEN 4428
            ELSE 0 END;
        differs := CASE refused WHEN 4424 THEN 62 WHEN 4428 THEN 4 END;
        original := purchase.id;
    ELSE
        refused := 4426;
        original := tombstone;
    END IF;
    -- The account is locked before the reversal is written, as everywhere; a second reversal waits here.
    IF refused = 0 AND purchase.refusal = 0 THEN
        account := purchase.account_id;
        SELECT a.balance + purchase.amount INTO balance FROM accounts_account a WHERE a.id = account FOR UPDATE;
    END IF;
    IF refused IN (0, 4426) THEN
        card := purchase.card_id;
        INSERT INTO transactions_transaction (id, account_id, card_id, amount, balance_after, window_id, seal, reverses, booked_at,
            business_date, institution_id, terminal_id, stan, local_time, refusal, kind, currency, country, card_number, scheme, rrn)
        VALUES (nextval('accounts_posting_id'), account, card, p_amount, balance, p_window, p_seal, original, p_at,
            p_date, p_institution, p_terminal, p_stan, p_local_time, refused, 2, p_currency, p_country, p_card, p_scheme, p_rrn)
        ON CONFLICT DO NOTHING RETURNING transactions_transaction.id INTO id;
    END IF;
    IF id IS NULL THEN
        stored := true; account := NULL; balance := NULL; card := NULL;
        EXECUTE format('SELECT * FROM transactions_transaction WHERE business_date = %L AND terminal_id = $1 AND stan = $2'
                       ' AND institution_id = $3 AND kind = 2', p_date) INTO earlier USING p_terminal, p_stan, p_institution;
        IF earlier.id IS NOT NULL THEN
            id := earlier.id;
            stored_window := earlier.window_id;
            differs := CASE WHEN earlier.amount <> p_amount THEN 4 WHEN earlier.card_number <> p_card THEN 62 END;
            refused := CASE WHEN differs IS NULL THEN earlier.refusal ELSE 4424 END;
            balance := CASE WHEN differs IS NULL THEN earlier.balance_after END;
        END IF;
        RETURN;
    END IF;
    IF account IS NOT NULL THEN
        UPDATE accounts_account a SET balance = switch_reverse.balance WHERE a.id = account;
        INSERT INTO accounts_entry (posting_id, account_id, amount, balance_after, booked_at, document_date, kind)
        VALUES (id, account, purchase.amount, balance, p_at, p_date, 2),
               (id, counter, -purchase.amount, NULL, p_at, p_date, 2);
    END IF;
END $$;

-- A batch of reversals whose purchases have one business date, in one transaction. Answers like switch_purchase_batch; a
-- tombstone is a row of its own with the purchase's place and refusal 4425.
CREATE FUNCTION switch_reversal_batch(
    p_date date, p_institution integer[], p_terminal integer[], p_stan integer[], p_card text[], p_scheme text[],
    p_amount bigint[], p_currency smallint[], p_country smallint[], p_rrn text[], p_local_time integer[], p_seal bigint,
    OUT places integer[], OUT refusals integer[], OUT ids bigint[], OUT balances bigint[], OUT accounts bigint[],
    OUT cards bigint[], OUT originals bigint[], OUT tombstones bigint[], OUT stored_places integer[],
    OUT stored_refusals integer[], OUT stored_ids bigint[], OUT stored_balances bigint[], OUT stored_windows bigint[],
    OUT stored_differs integer[],
    OUT window_id bigint, OUT booked_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    n   integer;
    one record;
BEGIN
    window_id := transactions_join_window();
    booked_at := clock_timestamp();
    FOR n IN SELECT g FROM generate_series(1, coalesce(array_length(p_stan, 1), 0)) AS g ORDER BY p_card[g], g LOOP
        SELECT * INTO one FROM switch_reverse(p_date, p_institution[n], p_terminal[n], p_stan[n], p_card[n], p_scheme[n],
            p_amount[n], p_currency[n], p_country[n], p_rrn[n], p_local_time[n], p_seal, window_id, booked_at);
        IF one.stored THEN
            stored_places := stored_places || n; stored_refusals := stored_refusals || one.refused;
            stored_ids := stored_ids || one.id; stored_balances := stored_balances || one.balance;
            stored_windows := stored_windows || one.stored_window; stored_differs := stored_differs || one.differs;
        ELSE
            places := places || n; refusals := refusals || one.refused; ids := ids || one.id;
            balances := balances || one.balance; accounts := accounts || one.account; cards := cards || one.card;
            originals := originals || one.original; tombstones := tombstones || one.tombstone;
        END IF;
    END LOOP;
END $$;

-- Balances for inquiries: refusal (0: answered) and balance by place. Nothing is written.
CREATE FUNCTION switch_balance_batch(
    p_institution integer[], p_terminal integer[], p_card text[], p_scheme text[], p_country smallint[],
    OUT places integer[], OUT refusals integer[], OUT balances bigint[]
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT array_agg(r.place), array_agg(r.refusal), array_agg(CASE WHEN r.refusal = 0 THEN r.balance END)
    FROM (
        SELECT u.place, a.balance, CASE
            WHEN t.id IS NULL OR t.institution_id <> u.institution OR t.state <> 'active' THEN 4411
            WHEN i.state <> 'active' THEN 4412
            WHEN u.country <> 156 THEN 4414
            WHEN c.card_id IS NULL THEN 4415
            WHEN c.state <> 'active' THEN switch_card_refusal(c.state)
            WHEN a.id IS NULL THEN 4420
            ELSE 0 END AS refusal
        FROM unnest(p_institution, p_terminal, p_card, p_scheme, p_country) WITH ORDINALITY
            AS u (institution, terminal, card, scheme, country, place)
        LEFT JOIN transactions_terminal t ON t.id = u.terminal
        LEFT JOIN transactions_institution i ON i.id = u.institution
        LEFT JOIN LATERAL cards_holder(u.card) c ON true
        LEFT JOIN accounts_account a ON a.person_id = c.person_id AND a.scheme = u.scheme AND a.kind = 'personal'
    ) AS r
$$;
