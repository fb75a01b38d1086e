-- Every verb but the purchase (S4, S10): advices, pre-authorisation, completion, void, refund, and the reversal of each.
-- One item after the other, under the locks of their accounts, which are taken first and in the order of their numbers.

-- A row by its key; `p_reversal`: the reversal beside it. The date is written into the statement, so one partition is planned.
CREATE FUNCTION switch_find(p_date date, p_institution integer, p_terminal integer, p_stan integer, p_reversal boolean)
RETURNS transactions_transaction LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    known transactions_transaction;
BEGIN
    EXECUTE format('SELECT * FROM transactions_transaction WHERE business_date = %L AND terminal_id = $1 AND stan = $2'
                   ' AND institution_id = $3 AND (kind = 2) = $4', p_date)
        INTO known USING p_terminal, p_stan, p_institution, p_reversal;
    RETURN known;
END $$;

-- The money that is held for a pre-authorisation: held anew when a completion was taken back, else under its own number.
CREATE FUNCTION switch_hold_of(p_original bigint) RETURNS bigint LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT coalesce((SELECT l.hold FROM transactions_link l WHERE l.original = p_original AND l.hold IS NOT NULL
                     ORDER BY l.id DESC LIMIT 1), p_original)
$$;

-- What completes, voids or refunds an original, judged by what the original is and what became of it; 0: it may.
-- 4470 not known · 4471 not approved · 4472 of another kind · 4473 of another account · 4474 completed · 4475 released
-- 4476 more than was held · 4477 followed already · 4478 more than is left · 4479 its window is closed · 4428 another amount.
CREATE FUNCTION switch_judge_original(p_kind smallint, p_advice boolean, p_original transactions_transaction, p_account bigint,
    p_amount bigint, p_window bigint, p_hold accounts_pending, p_end smallint, p_taken bigint)
RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_original.id IS NULL THEN 4470
        WHEN p_original.refusal <> 0 THEN 4471
        WHEN NOT CASE p_kind WHEN 4 THEN p_original.kind = 3 WHEN 5 THEN p_original.kind IN (1, 3, 4, 6)
            ELSE p_original.kind IN (1, 4) END THEN 4472
        WHEN p_original.account_id IS DISTINCT FROM p_account THEN 4473
        WHEN p_original.kind = 3 AND p_end = 1 THEN 4474
        WHEN p_kind = 4 AND p_taken > 0 AND p_end = 3 THEN 4474
        WHEN p_original.kind = 3 AND p_end IS NOT NULL AND NOT (p_kind = 4 AND p_advice AND p_end = 3) THEN 4475
        WHEN p_kind = 4 AND p_amount > p_hold.amount THEN 4476
        WHEN p_kind = 5 AND p_original.kind <> 3 AND p_original.window_id <> p_window THEN 4479
        WHEN p_kind = 5 AND p_original.kind <> 3 AND p_taken <> 0 THEN 4477
        WHEN p_kind = 5 AND p_amount <> CASE WHEN p_original.kind = 3 THEN p_hold.amount ELSE p_original.amount END THEN 4428
        WHEN p_kind = 6 AND p_original.amount <= p_taken THEN 4477
        WHEN p_kind = 6 AND p_amount > p_original.amount - p_taken THEN 4478
        ELSE 0 END
$$;

-- A batch of one business date, in one transaction; for reversals the date is that of their originals. Arrays of equal length:
-- `p_kind` as in transactions_transaction (for a reversal 2, and `p_original_kind` says what is reversed); `p_original_*` name the
-- original of a completion, void or refund; `p_kept` is what a partial reversal leaves (field 95); `p_expires` when a
-- pre-authorisation lapses; `p_barred` a refusal known before, 0 for none. Answers like switch_purchase_batch, and for what was
-- written now also the amount, the original, its date, what moved, and the number of a tombstone.
CREATE FUNCTION switch_verb_batch(
    p_date date, p_institution integer[], p_terminal integer[], p_stan integer[], p_card text[], p_scheme text[],
    p_amount bigint[], p_currency smallint[], p_country smallint[], p_rrn text[], p_local_time integer[], p_seal bigint,
    p_kind smallint[], p_advice boolean[], p_original_date date[], p_original_terminal integer[], p_original_stan integer[],
    p_original_kind smallint[], p_kept bigint[], p_expires timestamptz[], p_barred integer[], p_class integer[], p_limits bigint[],
    OUT places integer[], OUT refusals integer[], OUT ids bigint[], OUT balances bigint[], OUT accounts bigint[],
    OUT cards bigint[], OUT amounts bigint[], OUT originals bigint[], OUT original_dates date[], OUT moves bigint[],
    OUT tombstones bigint[], OUT stored_places integer[], OUT stored_refusals integer[], OUT stored_ids bigint[],
    OUT stored_balances bigint[], OUT stored_windows bigint[], OUT stored_differs integer[],
    OUT window_id bigint, OUT booked_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_variable
DECLARE
    today    date;
    second   integer;
    n        integer;
    known    transactions_transaction;  -- what stands under the key already
    orig     transactions_transaction;  -- what is completed, voided, refunded or reversed
    base     transactions_transaction;  -- what a void that is reversed had voided
    acc      accounts_account;
    hold     accounts_pending;
    ending   smallint;
    taken    bigint;
    of_card  bigint;
    of_whom  bigint;
    standing text;        -- the state of the card
    place    record;
    verb     smallint;    -- what an undo undoes: the kind of the original, of a void the kind of what it voided
    back     boolean;     -- a void of a void, that is: it is done again
    refused  integer;
    asked    bigint;      -- the amount of the row
    moved    bigint;
    new_hold bigint;      -- to be held, under the number of this row
    lapses   timestamptz;
    releases bigint;      -- held money to be ended
    posts    bigint;      -- how much of it is posted
    released bigint;      -- how much of it is held no more
    id       bigint;
    tomb     bigint;
    differ   integer;
    counted  boolean;
    abnormal text;
BEGIN
    window_id := transactions_join_window();
    booked_at := clock_timestamp();
    today := (booked_at AT TIME ZONE 'Asia/Shanghai')::date;
    second := extract(epoch FROM booked_at);
    PERFORM a.id FROM accounts_account a WHERE a.id IN (
        SELECT x.id FROM unnest(p_card, p_scheme) AS u (card, scheme) CROSS JOIN LATERAL cards_holder(u.card) c
        JOIN accounts_account x ON x.person_id = c.person_id AND x.scheme = u.scheme AND x.kind = 'personal') ORDER BY a.id FOR UPDATE;
    FOR n IN 1 .. coalesce(array_length(p_stan, 1), 0) LOOP
        refused := NULL; moved := 0; new_hold := 0; releases := NULL; posts := 0; released := 0; id := NULL; tomb := NULL; differ := NULL;
        counted := false; abnormal := NULL; asked := p_amount[n]; orig := NULL; base := NULL; acc := NULL; hold := NULL;
        ending := NULL; taken := 0; back := false; verb := p_kind[n]; lapses := NULL;
        of_card := NULL; standing := NULL;
        known := switch_find(p_date, p_institution[n], p_terminal[n], p_stan[n], p_kind[n] = 2);
        IF known.id IS NULL THEN
            SELECT t.state AS terminal, i.state AS institution, i.account_id, i.organisation_id INTO place
                FROM transactions_terminal t JOIN transactions_institution i ON i.id = t.institution_id
                WHERE t.id = p_terminal[n] AND i.id = p_institution[n];
            IF p_kind[n] = 2 THEN
                IF NOT FOUND THEN
                    refused := 4411; differ := 0;
                ELSE
                    INSERT INTO transactions_transaction (id, amount, window_id, seal, booked_at, business_date, institution_id,
                        terminal_id, stan, local_time, refusal, kind, currency, country, card_number, scheme, rrn)
                    VALUES (nextval('accounts_posting_id'), asked, window_id, p_seal, booked_at, p_date, p_institution[n],
                        p_terminal[n], p_stan[n], p_local_time[n], 4425, p_original_kind[n], p_currency[n], p_country[n], p_card[n],
                        p_scheme[n], p_rrn[n])
                    ON CONFLICT DO NOTHING RETURNING transactions_transaction.id INTO tomb;
                    orig := switch_find(p_date, p_institution[n], p_terminal[n], p_stan[n], false);
                    IF orig.refusal = 4425 THEN
                        refused := 4426;
                    ELSIF orig.card_number <> p_card[n] THEN
                        refused := 4424; differ := 62;
                    ELSIF orig.kind <> p_original_kind[n] THEN
                        refused := 4424; differ := 3;
                    ELSIF orig.amount <> asked THEN
                        refused := 4428; differ := 4; abnormal := 'reversal_amount';
                    ELSIF p_kept[n] <> 0 AND (p_kept[n] < 0 OR p_kept[n] >= asked OR orig.kind NOT IN (1, 4)) THEN
                        refused := 4484; differ := 95;
                    ELSE
                        refused := 0; asked := asked - p_kept[n];
                    END IF;
                END IF;
                IF differ IS NOT NULL THEN
                    stored_places := stored_places || n; stored_refusals := stored_refusals || refused;
                    stored_ids := stored_ids || NULL::bigint; stored_balances := stored_balances || NULL::bigint;
                    stored_windows := stored_windows || NULL::bigint; stored_differs := stored_differs || nullif(differ, 0);
                    IF abnormal IS NOT NULL THEN
                        PERFORM switch_abnormal(abnormal, p_institution[n], p_terminal[n], p_date, p_stan[n], jsonb_build_object(
                            'transaction', orig.id, 'amount', p_amount[n], 'booked', orig.amount, 'card', p_card[n]));
                    END IF;
                    CONTINUE;
                END IF;
                IF refused = 0 AND orig.refusal = 0 AND orig.account_id IS NOT NULL THEN
                    SELECT * INTO acc FROM accounts_account a WHERE a.id = orig.account_id FOR UPDATE;
                    abnormal := CASE WHEN orig.window_id <> window_id THEN 'late_reversal' END;
                    verb := orig.kind;
                    SELECT coalesce(sum(l.amount), 0) INTO taken FROM transactions_link l WHERE l.original = orig.id;
                END IF;
            ELSE
                SELECT c.card_id, c.person_id, c.state INTO of_card, of_whom, standing FROM cards_holder(p_card[n]) c;
                SELECT * INTO acc FROM accounts_account a
                    WHERE a.person_id = of_whom AND a.scheme = p_scheme[n] AND a.kind = 'personal' FOR UPDATE;
                IF p_kind[n] IN (4, 5, 6) THEN
                    orig := switch_find(p_original_date[n], p_institution[n], p_original_terminal[n], p_original_stan[n], false);
                    SELECT coalesce(sum(l.amount), 0) INTO taken FROM transactions_link l WHERE l.original = orig.id;
                    verb := CASE WHEN p_kind[n] = 5 THEN orig.kind ELSE p_kind[n] END;
                END IF;
                refused := CASE
                    WHEN p_barred[n] <> 0 THEN p_barred[n]
                    WHEN place.terminal IS NULL OR place.terminal <> 'active' THEN 4411
                    WHEN place.institution <> 'active' THEN 4412
                    WHEN p_currency[n] <> 156 THEN 4413
                    WHEN p_country[n] <> 156 THEN 4414
                    WHEN asked <= 0 THEN 4423
                    WHEN of_card IS NULL THEN 4415
                    WHEN standing <> 'active' AND (p_kind[n] IN (1, 3) OR p_kind[n] = 4 AND NOT p_advice[n])
                        THEN switch_card_refusal(standing)
                    WHEN acc.id IS NULL THEN 4420
                    WHEN acc.state = 'closed' OR acc.state <> 'open' AND p_kind[n] IN (1, 3) THEN 4422
                    WHEN p_kind[n] IN (1, 3) AND acc.balance - acc.held < asked THEN 4421
                    WHEN p_kind[n] IN (1, 3) AND NOT p_advice[n] THEN switch_limit_refusal(p_limits, p_class[n], asked, today, second,
                        acc.paid_on, CASE p_kind[n] WHEN 1 THEN acc.paid ELSE acc.reserved END, acc.paid_count, acc.recent)
                    ELSE 0 END;
            END IF;
            -- Held money of a pre-authorisation that is the original, or the original of a completion or void that is undone.
            IF refused = 0 AND acc.id IS NOT NULL AND orig.id IS NOT NULL THEN
                IF p_kind[n] = 2 AND orig.kind = 5 OR p_kind[n] IN (2, 5) AND orig.kind = 4 THEN
                    EXECUTE format('SELECT * FROM transactions_transaction WHERE business_date = %L AND account_id = $1 AND id = $2',
                        coalesce(orig.original_date, orig.business_date)) INTO base USING orig.account_id, orig.original;
                    IF orig.kind = 5 THEN
                        verb := base.kind; back := true;
                    END IF;
                END IF;
                SELECT * INTO hold FROM accounts_pending p
                    WHERE p.id = switch_hold_of(CASE WHEN orig.kind = 3 THEN orig.id WHEN base.kind = 4 THEN base.original
                        ELSE base.id END);
                SELECT e.ending INTO ending FROM accounts_pending_end e WHERE e.pending_id = hold.id;
            END IF;
            IF refused = 0 AND p_kind[n] IN (4, 5, 6) THEN
                refused := switch_judge_original(p_kind[n], p_advice[n], orig, acc.id, asked, window_id, hold, ending, taken);
            END IF;
            -- What it does.
            IF refused = 0 AND acc.id IS NOT NULL THEN
                CASE
                    WHEN p_kind[n] = 1 THEN
                        moved := -asked; counted := true;
                    WHEN p_kind[n] = 3 THEN
                        new_hold := asked; lapses := p_expires[n]; counted := true;
                    WHEN p_kind[n] = 4 AND ending IS NULL THEN
                        moved := -asked; releases := hold.id; posts := asked;
                    WHEN p_kind[n] = 4 THEN  -- told afterwards, and nothing is held any more
                        moved := -asked;
                        refused := CASE WHEN acc.state <> 'open' THEN 4422 WHEN acc.balance - acc.held < asked THEN 4475 ELSE 0 END;
                    WHEN p_kind[n] = 6 THEN
                        moved := asked;
                    WHEN p_kind[n] = 2 AND taken <> 0 THEN
                        refused := 4477; abnormal := 'reversal_of_followed';
                    WHEN verb = 3 AND NOT back THEN  -- released, if it is held still
                        IF ending IS NULL THEN
                            releases := hold.id;
                        ELSIF ending = 1 THEN
                            refused := 4474; abnormal := 'reversal_of_followed';
                        END IF;
                    WHEN verb = 3 THEN
                        new_hold := asked; lapses := hold.expires_at;
                    WHEN verb IN (1, 4) AND NOT back THEN
                        moved := asked;
                        IF verb = 4 AND p_kept[n] = 0 AND hold.expires_at > booked_at THEN
                            new_hold := asked; lapses := hold.expires_at;
                        END IF;
                    WHEN verb = 4 AND ending IN (1, 2) THEN  -- it was completed anew, or given up
                        refused := 4474; abnormal := 'reversal_of_followed';
                    WHEN verb IN (1, 4) THEN
                        moved := -asked;
                        IF verb = 4 AND ending IS NULL THEN
                            releases := hold.id; posts := asked;
                        END IF;
                    WHEN back THEN
                        moved := asked;
                    ELSE
                        moved := -asked;
                END CASE;
                IF lapses <= booked_at THEN
                    new_hold := 0;
                END IF;
                IF releases IS NOT NULL THEN
                    released := hold.amount;
                END IF;
                IF refused = 0 AND acc.balance + moved < acc.held + new_hold - released THEN
                    refused := 4421;
                    abnormal := CASE WHEN p_kind[n] = 2 THEN 'reversal_uncovered' END;
                END IF;
            END IF;
            IF refused <> 0 THEN
                moved := 0; new_hold := 0; releases := NULL; released := 0;
                abnormal := coalesce(abnormal, CASE WHEN p_advice[n] THEN 'advice_refused' END);
            END IF;
            INSERT INTO transactions_transaction (id, account_id, card_id, amount, balance_after, window_id, seal, original,
                original_date, moved, advice, booked_at, business_date, institution_id, terminal_id, stan, local_time, refusal, kind,
                currency, country, card_number, scheme, rrn)
            VALUES (nextval('accounts_posting_id'), acc.id, CASE WHEN p_kind[n] = 2 THEN orig.card_id ELSE of_card END, asked,
                CASE WHEN refused = 0 THEN acc.balance + moved - acc.held - new_hold + released END,
                window_id, p_seal, orig.id, nullif(orig.business_date, p_date),
                CASE WHEN refused = 0 AND acc.id IS NOT NULL AND p_kind[n] <> 1 THEN moved END,
                p_advice[n], booked_at, p_date, p_institution[n], p_terminal[n], p_stan[n], p_local_time[n],
                refused, p_kind[n], p_currency[n], p_country[n], p_card[n], p_scheme[n], p_rrn[n])
            ON CONFLICT DO NOTHING RETURNING * INTO known;
            id := known.id;
            IF id IS NULL THEN
                known := switch_find(p_date, p_institution[n], p_terminal[n], p_stan[n], p_kind[n] = 2);
            END IF;
        END IF;
        IF id IS NULL THEN  -- it was here before
            differ := CASE
                WHEN known.refusal = 4425 AND p_kind[n] <> 2 THEN NULL
                WHEN known.kind <> p_kind[n] THEN 3
                WHEN known.amount <> p_amount[n] - CASE WHEN p_kind[n] = 2 THEN p_kept[n] ELSE 0 END THEN 4
                WHEN known.card_number <> p_card[n] THEN 62
                WHEN p_kind[n] = 2 THEN NULL
                WHEN known.scheme <> p_scheme[n] THEN 60
                WHEN known.currency <> p_currency[n] THEN 49
                WHEN known.country <> p_country[n] THEN 19
                WHEN known.rrn <> p_rrn[n] THEN 37
                WHEN known.local_time <> p_local_time[n] THEN 12
                WHEN known.original IS NOT NULL AND known.original IS DISTINCT FROM
                    (switch_find(p_original_date[n], p_institution[n], p_original_terminal[n], p_original_stan[n], false)).id THEN 90
                END;
            IF tomb IS NOT NULL THEN
                RAISE EXCEPTION 'a reversal without its original';
            END IF;
            stored_places := stored_places || n;
            stored_refusals := stored_refusals || CASE WHEN differ IS NULL THEN known.refusal ELSE 4424 END;
            stored_ids := stored_ids || known.id; stored_windows := stored_windows || known.window_id;
            stored_balances := stored_balances || CASE WHEN differ IS NULL THEN known.balance_after END;
            stored_differs := stored_differs || differ;
            IF differ IS NOT NULL OR known.refusal = 4425 AND p_kind[n] <> 2 OR known.refusal <> 0 AND p_advice[n] THEN
                PERFORM switch_abnormal(CASE WHEN differ IS NOT NULL THEN 'duplicate_differs'
                        WHEN known.refusal = 4425 THEN 'late_original' ELSE 'advice_refused' END,
                    p_institution[n], p_terminal[n], p_date, p_stan[n], jsonb_build_object('transaction', known.id, 'kind', p_kind[n],
                        'amount', p_amount[n], 'card', p_card[n], 'refusal', known.refusal, 'field', differ));
            END IF;
            CONTINUE;
        END IF;
        IF abnormal IS NOT NULL THEN
            PERFORM switch_abnormal(abnormal, p_institution[n], p_terminal[n], p_date, p_stan[n], jsonb_build_object(
                'transaction', id, 'kind', p_kind[n], 'amount', asked, 'card', p_card[n], 'refusal', refused, 'original', orig.id,
                'window', window_id, 'original_window', orig.window_id));
        END IF;
        IF refused = 0 AND acc.id IS NOT NULL THEN
            IF releases IS NOT NULL THEN
                INSERT INTO accounts_pending_end (pending_id, ending, amount, posting_id, at, reference)
                VALUES (releases, CASE WHEN posts > 0 THEN 1 ELSE 2 END, posts, CASE WHEN posts > 0 THEN id END, booked_at, p_rrn[n]);
            END IF;
            IF new_hold > 0 THEN
                INSERT INTO accounts_pending (id, account_id, counter_id, amount, kind, organisation_id, made_at, expires_at, reference)
                VALUES (id, acc.id, place.account_id, new_hold, 1, acc.organisation_id, booked_at, lapses, p_rrn[n]);
            END IF;
            IF moved <> 0 THEN
                INSERT INTO accounts_entry (posting_id, account_id, amount, balance_after, booked_at, document_date, kind)
                SELECT id, e.account, e.amount, e.balance, booked_at, p_date,
                    (CASE p_kind[n] WHEN 4 THEN 5 WHEN 5 THEN 7 ELSE p_kind[n] END)::smallint
                FROM (VALUES (acc.id, moved, acc.balance + moved), (place.account_id, -moved, NULL)) AS e (account, amount, balance);
            END IF;
            UPDATE accounts_account a SET
                balance = acc.balance + moved,
                held = acc.held + new_hold - released,
                paid_on = today,
                paid = greatest(0, CASE WHEN acc.paid_on = today THEN acc.paid ELSE 0 END + CASE
                    WHEN p_kind[n] = 1 THEN asked
                    WHEN orig.kind = 1 AND p_kind[n] IN (2, 5) AND orig.booked_at >= today::timestamp AT TIME ZONE 'Asia/Shanghai'
                        THEN -asked ELSE 0 END),
                reserved = greatest(0, CASE WHEN acc.paid_on = today THEN acc.reserved ELSE 0 END + CASE
                    WHEN p_kind[n] = 3 THEN asked
                    WHEN orig.kind = 3 AND p_kind[n] IN (2, 5) AND orig.booked_at >= today::timestamp AT TIME ZONE 'Asia/Shanghai'
                        THEN -asked ELSE 0 END),
                paid_count = greatest(0, CASE WHEN acc.paid_on = today THEN acc.paid_count ELSE 0 END + CASE
                    WHEN counted THEN 1
                    WHEN orig.kind IN (1, 3) AND p_kind[n] IN (2, 5) AND p_kept[n] = 0
                        AND orig.booked_at >= today::timestamp AT TIME ZONE 'Asia/Shanghai' THEN -1 ELSE 0 END),
                recent = CASE WHEN counted THEN switch_recent(acc.recent, second) ELSE acc.recent END
            WHERE a.id = acc.id;
            -- What is left of the original; what an undone void or completion had taken is given back to its original.
            IF orig.id IS NOT NULL AND NOT (orig.kind = 3 AND p_kind[n] IN (2, 5) AND releases IS NULL) THEN
                INSERT INTO transactions_link (original, id, institution_id, business_date, kind, amount, hold)
                VALUES (orig.id, id, p_institution[n], p_date, p_kind[n], asked, CASE WHEN new_hold > 0 AND orig.kind = 3 THEN id END);
                IF orig.kind IN (4, 5, 6) AND orig.original IS NOT NULL AND p_kind[n] IN (2, 5) THEN
                    INSERT INTO transactions_link (original, id, institution_id, business_date, kind, amount, hold)
                    VALUES (orig.original, id, p_institution[n], p_date, p_kind[n], -asked,
                        CASE WHEN new_hold > 0 AND orig.kind <> 6 THEN id END);
                    -- the void of a completion or refund is reversed: what that had followed is one further back
                    IF back AND verb IN (4, 6) THEN
                        INSERT INTO transactions_link (original, id, institution_id, business_date, kind, amount)
                        VALUES (base.original, id, p_institution[n], p_date, p_kind[n], asked);
                    END IF;
                END IF;
            END IF;
        END IF;
        places := places || n; refusals := refusals || refused; ids := ids || id; balances := balances || known.balance_after;
        accounts := accounts || known.account_id; cards := cards || known.card_id; amounts := amounts || known.amount;
        originals := originals || known.original; original_dates := original_dates || known.original_date;
        moves := moves || known.moved; tombstones := tombstones || tomb;
    END LOOP;
END $$;

-- What may be spent, for inquiries.
DROP FUNCTION switch_balance_batch(integer[], integer[], text[], text[], smallint[]);
CREATE FUNCTION switch_balance_batch(
    p_institution integer[], p_terminal integer[], p_card text[], p_scheme text[], p_country smallint[],
    OUT places integer[], OUT refusals integer[], OUT balances bigint[]
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT array_agg(r.place), array_agg(r.refusal), array_agg(CASE WHEN r.refusal = 0 THEN r.available END)
    FROM (
        SELECT u.place, a.balance - a.held AS available, CASE
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
