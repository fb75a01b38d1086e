-- The ledger's core (S6, C2): batches of transfers after TigerBeetle's rules (docs/adr/0025). Everything here runs as sheka_ledger.
-- One result per item; a client number is used once, and what became of it never changes: not by a repeat, not because the
-- reason has passed. Lock order: the clearing window (shared), accounts by ascending id, then inserts.
-- Refusal numbers are those of the closed list (foundation/refusals/codes.py); a test compares them.

-- The clearing window that is open, under its shared lock to the end of the transaction; NULL where this node has none. This
-- room knows of no windows: transactions, which lies above it, replaces the body (its migration `ledger_window`).
CREATE FUNCTION accounts_join_window() RETURNS bigint LANGUAGE sql AS $$ SELECT NULL::bigint $$;

-- Why an amount cannot be moved, as a refusal number; 0 when it can. `p_spare`: what the debited account may spend, `p_room`:
-- what the credited one may still take; NULL: no limit.
CREATE FUNCTION accounts_judge(p_kind smallint, p_amount bigint, p_same boolean, p_known boolean, p_open boolean, p_spare bigint,
    p_room bigint) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_amount IS NULL OR p_amount <= 0 THEN 4306
        WHEN p_same THEN 4305
        WHEN p_kind IS NULL OR p_kind NOT BETWEEN 1 AND 14 OR p_kind IN (1, 2, 5, 6, 7) THEN 4315
        WHEN NOT p_known THEN 4301
        WHEN NOT p_open THEN 4302
        WHEN p_spare < p_amount THEN 4303
        WHEN p_room < p_amount THEN 4322
        ELSE 0 END
$$;

-- What an account may still take below its upper limit, held transfers to it included; NULL: no limit.
CREATE FUNCTION accounts_room(p_account bigint, p_balance bigint, p_upper_limit bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT p_upper_limit - p_balance - coalesce((SELECT sum(o.amount) FROM accounts_pending_open o
        WHERE o.counter_id = p_account), 0)::bigint
$$;

-- The first field in which a repeat differs from what its number stands for; NULL: the same request.
CREATE FUNCTION accounts_differs(p_held accounts_transfer, p_kind smallint, p_debit bigint, p_credit bigint, p_amount bigint,
    p_reference text, p_verb smallint, p_pending bigint, p_expires timestamptz, p_chain uuid, p_chain_size integer) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_held.verb <> p_verb THEN 'verb'
        WHEN p_held.pending_id IS DISTINCT FROM p_pending THEN 'pending'
        WHEN p_held.amount <> coalesce(p_amount, 0) THEN 'amount'
        WHEN p_held.debit_id IS DISTINCT FROM p_debit AND (p_debit IS NOT NULL OR p_verb < 3) THEN 'debit'
        WHEN p_held.credit_id IS DISTINCT FROM p_credit AND (p_credit IS NOT NULL OR p_verb < 3) THEN 'credit'
        WHEN p_held.kind <> p_kind THEN 'kind'
        WHEN p_held.reference <> p_reference THEN 'reference'
        WHEN p_held.expires_at IS DISTINCT FROM p_expires THEN 'expires_at'
        WHEN p_held.chain IS DISTINCT FROM p_chain OR p_held.chain_size IS DISTINCT FROM p_chain_size THEN 'linked' END
$$;

-- One transfer. `fresh`: judged now; otherwise the answer that its number has had since, or 4304 and the field that differs.
-- A freeze is a hold without a credit; its posting names one. The caller has locked the accounts.
CREATE FUNCTION accounts_post_item(
    p_client uuid, p_kind smallint, p_debit bigint, p_credit bigint, p_amount bigint, p_reference text, p_organisation text,
    p_verb smallint, p_pending bigint, p_expires timestamptz, p_chain uuid, p_chain_size integer, p_at timestamptz,
    p_window bigint, p_reach ltree[], OUT posting bigint, OUT refused integer, OUT differs text, OUT fresh boolean
) LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    earlier accounts_transfer;
    pend    accounts_pending;
    ended   smallint;
    d       accounts_account;
    c       accounts_account;
    debit   bigint := p_debit;
    credit  bigint := p_credit;
    today   date := (p_at AT TIME ZONE 'Asia/Shanghai')::date;
BEGIN
    SELECT * INTO earlier FROM accounts_transfer t WHERE t.client_id = p_client;
    IF earlier.client_id IS NULL THEN
        IF p_pending IS NOT NULL THEN
            SELECT p.* INTO pend FROM accounts_pending p JOIN organisations_organisation o ON o.code = p.organisation_id
                WHERE p.id = p_pending AND o.path <@ p_reach;
            SELECT e.ending INTO ended FROM accounts_pending_end e WHERE e.pending_id = pend.id;
            debit := coalesce(pend.account_id, debit);
            credit := coalesce(pend.counter_id, credit);
        END IF;
        SELECT a.* INTO d FROM accounts_account a JOIN organisations_organisation o ON o.code = a.organisation_id
            WHERE a.id = debit AND o.path <@ p_reach;
        SELECT a.* INTO c FROM accounts_account a JOIN organisations_organisation o ON o.code = a.organisation_id
            WHERE a.id = credit AND o.path <@ p_reach;
        refused := CASE
            WHEN p_verb >= 3 AND pend.id IS NULL OR p_verb < 3 AND p_pending IS NOT NULL THEN 4316
            WHEN p_verb <> 2 AND p_expires IS NOT NULL OR p_expires <= p_at THEN 4323
            WHEN ended IS NOT NULL THEN 4316 + ended
            WHEN pend.expires_at <= p_at THEN 4319
            WHEN p_verb >= 3 AND (p_debit <> debit OR p_credit <> credit) OR p_verb = 3 AND credit IS NULL THEN 4321
            WHEN p_verb = 4 THEN CASE WHEN p_amount IN (0, pend.amount) THEN accounts_judge(p_kind, 1, false, true, true, NULL, NULL)
                ELSE 4320 END
            WHEN p_verb = 3 AND p_amount > pend.amount THEN 4320
            ELSE accounts_judge(p_kind, p_amount, debit = credit,
                d.id IS NOT NULL AND (c.id IS NOT NULL OR p_verb = 2 AND credit IS NULL),
                CASE WHEN credit IS NULL THEN d.state <> 'closed' ELSE d.state = 'open' AND c.state = 'open' END,
                CASE WHEN d.never_negative AND p_verb < 3 THEN d.balance - d.held END,
                CASE WHEN c.upper_limit IS NOT NULL AND pend.counter_id IS NULL
                    THEN accounts_room(c.id, c.balance, c.upper_limit) END) END;
        INSERT INTO accounts_transfer (client_id, posting_id, kind, debit_id, credit_id, amount, reference, refusal,
            organisation_id, at, verb, pending_id, expires_at, chain, chain_size, window_id)
        VALUES (p_client, nextval('accounts_posting_id'), p_kind, coalesce(p_debit, debit), coalesce(p_credit, credit),
            coalesce(p_amount, 0), p_reference, refused, p_organisation, p_at, p_verb, p_pending, p_expires, p_chain, p_chain_size,
            CASE WHEN refused = 0 AND p_verb IN (1, 3) AND 'institution' IN (d.kind, c.kind) THEN p_window END)
        ON CONFLICT (client_id) DO NOTHING RETURNING posting_id INTO posting;
        fresh := FOUND;
    END IF;
    IF fresh IS NOT TRUE THEN
        fresh := false;
        IF earlier.client_id IS NULL THEN  -- somebody else was quicker
            SELECT * INTO earlier FROM accounts_transfer t WHERE t.client_id = p_client;
        END IF;
        posting := earlier.posting_id;
        differs := accounts_differs(earlier, p_kind, p_debit, p_credit, p_amount, p_reference, p_verb, p_pending, p_expires,
            p_chain, p_chain_size);
        refused := CASE WHEN differs IS NULL THEN earlier.refusal ELSE 4304 END;
    ELSIF refused = 0 AND p_verb = 2 THEN
        INSERT INTO accounts_pending (id, account_id, counter_id, amount, kind, organisation_id, made_at, expires_at, reference)
            VALUES (posting, debit, credit, p_amount, CASE WHEN credit IS NULL THEN 2 ELSE 3 END, d.organisation_id, p_at,
                p_expires, p_reference);
        UPDATE accounts_account a SET held = a.held + p_amount WHERE a.id = debit AND a.balance IS NOT NULL;
    ELSIF refused = 0 AND p_verb = 4 THEN
        INSERT INTO accounts_pending_end (pending_id, ending, at, reference) VALUES (p_pending, 2, p_at, p_reference);
        UPDATE accounts_account a SET held = a.held - pend.amount WHERE a.id = debit AND a.balance IS NOT NULL;
    ELSIF refused = 0 THEN
        IF p_verb = 3 THEN
            INSERT INTO accounts_pending_end (pending_id, ending, amount, posting_id, at, reference)
                VALUES (p_pending, 1, p_amount, posting, p_at, p_reference);
        END IF;
        IF d.balance IS NOT NULL THEN
            UPDATE accounts_account a SET balance = a.balance - p_amount, held = a.held - coalesce(pend.amount, 0)
                WHERE a.id = debit RETURNING a.balance INTO d.balance;
        END IF;
        IF c.balance IS NOT NULL THEN
            UPDATE accounts_account a SET balance = a.balance + p_amount WHERE a.id = credit RETURNING a.balance INTO c.balance;
        END IF;
        INSERT INTO accounts_entry (posting_id, account_id, amount, balance_after, booked_at, document_date, kind)
            VALUES (posting, debit, -p_amount, d.balance, p_at, today, p_kind),
                   (posting, credit, p_amount, c.balance, p_at, today, p_kind);
    END IF;
END $$;

-- Many transfers that only book, each of which stands alone: no chain, no number and no kept balance twice. One statement does
-- it; the numbers that were known are answered from their rows. Planned anew for each call, for the number of items it has.
CREATE FUNCTION accounts_post_set(
    p_client uuid[], p_kind smallint[], p_debit bigint[], p_credit bigint[], p_amount bigint[], p_reference text[],
    p_organisation text, p_at timestamptz, p_window bigint, p_reach ltree[]
) RETURNS TABLE (place integer, posting bigint, refused integer, differs text)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    one   record;
    known integer[] := '{}';
BEGIN
    FOR one IN EXECUTE $q$
        WITH asked AS MATERIALIZED (
            SELECT u.*, d.kind AS d_kind, c.kind AS c_kind, d.balance AS d_balance, c.balance AS c_balance,
                d.id IS NOT NULL AND c.id IS NOT NULL AS is_known, d.state = 'open' AND c.state = 'open' AS is_open,
                CASE WHEN d.never_negative THEN d.balance - d.held END AS spare,
                CASE WHEN c.upper_limit IS NOT NULL THEN accounts_room(c.id, c.balance, c.upper_limit) END AS room
            FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
                AS u (client, kind, debit, credit, amount, reference, place)
            LEFT JOIN (SELECT a.* FROM accounts_account a JOIN organisations_organisation o ON o.code = a.organisation_id
                AND o.path <@ $10) d ON d.id = u.debit
            LEFT JOIN (SELECT a.* FROM accounts_account a JOIN organisations_organisation o ON o.code = a.organisation_id
                AND o.path <@ $10) c ON c.id = u.credit
        ), judged AS MATERIALIZED (
            SELECT asked.*, accounts_judge(kind, amount, debit = credit, is_known, is_open, spare, room) AS refused FROM asked
        ), written AS (
            INSERT INTO accounts_transfer (client_id, posting_id, kind, debit_id, credit_id, amount, reference, refusal,
                organisation_id, at, verb, window_id)
            SELECT client, nextval('accounts_posting_id'), kind, debit, credit, coalesce(amount, 0), reference, refused, $7, $8, 1,
                CASE WHEN refused = 0 AND 'institution' IN (d_kind, c_kind) THEN $9 END
            FROM judged ORDER BY place
            ON CONFLICT (client_id) DO NOTHING RETURNING client_id, posting_id
        ), booked AS MATERIALIZED (
            SELECT w.posting_id, j.* FROM judged j JOIN written w ON w.client_id = j.client WHERE j.refused = 0
        ), moved AS (
            UPDATE accounts_account a SET balance = a.balance + m.change
            FROM (SELECT debit AS id, -amount AS change FROM booked WHERE d_balance IS NOT NULL
                  UNION ALL SELECT credit, amount FROM booked WHERE c_balance IS NOT NULL) m
            WHERE a.id = m.id
        ), entries AS (
            INSERT INTO accounts_entry (posting_id, account_id, amount, balance_after, booked_at, document_date, kind)
            SELECT b.posting_id, e.account_id, e.amount, e.balance, $8, ($8 AT TIME ZONE 'Asia/Shanghai')::date, b.kind
            FROM booked b CROSS JOIN LATERAL (VALUES (b.debit, -b.amount, b.d_balance - b.amount),
                (b.credit, b.amount, b.c_balance + b.amount)) AS e (account_id, amount, balance)
        )
        SELECT j.place, w.posting_id, j.refused FROM judged j LEFT JOIN written w ON w.client_id = j.client
        $q$ USING p_client, p_kind, p_debit, p_credit, p_amount, p_reference, p_organisation, p_at, p_window, p_reach
    LOOP
        place := one.place;
        IF one.posting_id IS NULL THEN
            known := known || place;
        ELSE
            posting := one.posting_id;
            refused := one.refused;
            RETURN NEXT;
        END IF;
    END LOOP;
    FOREACH place IN ARRAY known LOOP
        SELECT r.posting, r.refused, r.differs INTO posting, refused, differs
        FROM accounts_post_item(p_client[place], p_kind[place], p_debit[place], p_credit[place], p_amount[place],
            p_reference[place], p_organisation, 1::smallint, NULL, NULL, NULL, NULL, p_at, p_window, p_reach) r;
        RETURN NEXT;
    END LOOP;
END $$;

-- A chain: the items p_first..p_last are done together or not at all. The first that fails is named, the others answer 4313.
-- A chain is repeated whole: where only some of its numbers are known, nothing is done.
CREATE FUNCTION accounts_post_chain(
    p_first integer, p_last integer, p_open boolean, p_client uuid[], p_kind smallint[], p_debit bigint[], p_credit bigint[],
    p_amount bigint[], p_reference text[], p_organisation text, p_verb smallint[], p_pending bigint[], p_expires timestamptz[],
    p_at timestamptz, p_window bigint, p_reach ltree[]
) RETURNS TABLE (place integer, posting bigint, refused integer, differs text)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    size      integer := p_last - p_first + 1;
    known     integer := (SELECT count(*) FROM accounts_transfer t WHERE t.client_id = ANY (p_client[p_first:p_last]));
    postings  bigint[] := '{}';
    failed_at integer := CASE WHEN p_open THEN p_last END;
    failure   integer := CASE WHEN p_open THEN 4314 END;
    one       record;
BEGIN
    IF known = 0 AND NOT p_open THEN
        BEGIN
            FOR n IN p_first .. p_last LOOP
                SELECT * INTO one FROM accounts_post_item(p_client[n], p_kind[n], p_debit[n], p_credit[n], p_amount[n],
                    p_reference[n], p_organisation, p_verb[n], p_pending[n], p_expires[n], p_client[p_first], size, p_at,
                    p_window, p_reach);
                IF one.refused <> 0 OR NOT one.fresh THEN
                    failed_at := n;
                    failure := CASE WHEN one.fresh THEN one.refused ELSE 4304 END;
                    RAISE EXCEPTION 'a linked transfer failed' USING ERRCODE = 'SK431';
                END IF;
                postings := postings || one.posting;
            END LOOP;
        EXCEPTION WHEN SQLSTATE 'SK431' THEN
            NULL;
        END;
        IF failed_at IS NULL THEN
            RETURN QUERY SELECT p_first + u.n::integer - 1, u.number, 0, NULL::text
                FROM unnest(postings) WITH ORDINALITY AS u (number, n);
            RETURN;
        END IF;
    ELSIF known = size THEN
        FOR n IN p_first .. p_last LOOP
            SELECT * INTO one FROM accounts_post_item(p_client[n], p_kind[n], p_debit[n], p_credit[n], p_amount[n],
                p_reference[n], p_organisation, p_verb[n], p_pending[n], p_expires[n], p_client[p_first], size, p_at,
                p_window, p_reach);
            place := n; posting := one.posting; refused := one.refused; differs := one.differs;
            RETURN NEXT;
        END LOOP;
        RETURN;
    END IF;
    FOR n IN p_first .. p_last LOOP
        place := n;
        refused := CASE WHEN n = failed_at THEN failure ELSE 4313 END;
        INSERT INTO accounts_transfer (client_id, posting_id, kind, debit_id, credit_id, amount, reference, refusal,
            organisation_id, at, verb, pending_id, expires_at, chain, chain_size)
        SELECT p_client[n], nextval('accounts_posting_id'), p_kind[n], p_debit[n], p_credit[n], coalesce(p_amount[n], 0),
            p_reference[n], refused, p_organisation, p_at, p_verb[n], p_pending[n], p_expires[n], p_client[p_first], size
        WHERE refused <> 4304
        ON CONFLICT (client_id) DO NOTHING RETURNING posting_id INTO posting;
        differs := NULL;
        IF NOT FOUND THEN  -- a number of this chain is taken: another chain, or itself twice
            refused := 4304;
            differs := 'linked';
            SELECT t.posting_id INTO posting FROM accounts_transfer t WHERE t.client_id = p_client[n];
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- Post a batch of transfers, judged in the order given: each sees what those before it did. Arrays of equal length:
-- `p_verb` 1 book, 2 hold (until `p_expires`, if given; no credit: a freeze), 3 post what is held under the number `p_pending`
-- (at most that; the rest is released), 4 void it. `p_linked`: tied to the next item. Answers per item its place, the number of
-- the posting, the refusal (0: done), and for a repeated number with other content the first field that differs.
DROP FUNCTION accounts_post_batch(uuid[], smallint[], bigint[], bigint[], bigint[], text[], text);
DROP FUNCTION accounts_transfer_refusal(bigint, bigint, bigint);
CREATE FUNCTION accounts_post_batch(
    p_client uuid[], p_kind smallint[], p_debit bigint[], p_credit bigint[], p_amount bigint[], p_reference text[],
    p_organisation text, p_linked boolean[] DEFAULT NULL, p_verb smallint[] DEFAULT NULL, p_pending bigint[] DEFAULT NULL,
    p_expires timestamptz[] DEFAULT NULL
) RETURNS TABLE (place integer, posting bigint, refused integer, differs text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    reach   ltree[] := sheka_scope();
    total   integer := coalesce(array_length(p_client, 1), 0);
    plain   boolean := p_verb IS NULL AND p_expires IS NULL AND p_pending IS NULL;
    chained boolean := coalesce(true = ANY (p_linked), false);
    alone   boolean := false;
    tied    bigint[] := '{}';
    joined  bigint;
    now_at  timestamptz;
    first   integer := 1;
    last    integer;
BEGIN
    IF NOT EXISTS (SELECT FROM organisations_organisation o WHERE o.code = p_organisation AND o.path <@ reach) THEN
        RAISE EXCEPTION 'the organisation % is out of scope', p_organisation USING ERRCODE = 'insufficient_privilege';
    END IF;
    joined := accounts_join_window();
    IF p_pending IS NOT NULL THEN
        SELECT coalesce(array_agg(v.id), '{}') INTO tied
        FROM accounts_pending p CROSS JOIN LATERAL (VALUES (p.account_id), (p.counter_id)) AS v (id)
        WHERE p.id = ANY (p_pending);
    END IF;
    -- What keeps a balance, and whatever account has something held that is ended here.
    PERFORM a.id FROM accounts_account a JOIN organisations_organisation o ON o.code = a.organisation_id AND o.path <@ reach
        WHERE a.id = ANY (p_debit || p_credit || tied) AND (a.balance IS NOT NULL OR a.id = ANY (tied))
        ORDER BY a.id FOR NO KEY UPDATE OF a;
    now_at := clock_timestamp();
    IF plain AND NOT chained AND total >= 8 THEN
        EXECUTE 'SELECT NOT EXISTS (SELECT FROM unnest($1) AS c GROUP BY c HAVING count(*) > 1) AND NOT EXISTS (SELECT'
            ' FROM unnest($2) AS i JOIN accounts_account a ON a.id = i WHERE a.balance IS NOT NULL GROUP BY i HAVING count(*) > 1)'
        INTO alone USING p_client, p_debit || p_credit;
    END IF;
    IF alone THEN
        RETURN QUERY SELECT * FROM accounts_post_set(p_client, p_kind, p_debit, p_credit, p_amount, p_reference, p_organisation,
            now_at, joined, reach);
        RETURN;
    END IF;
    WHILE first <= total LOOP
        last := first;
        WHILE chained AND last < total AND p_linked[last] LOOP
            last := last + 1;
        END LOOP;
        IF first = last AND (NOT chained OR p_linked[last] IS NOT TRUE) THEN
            place := first;
            SELECT r.posting, r.refused, r.differs INTO posting, refused, differs
            FROM accounts_post_item(p_client[first], p_kind[first], p_debit[first], p_credit[first], p_amount[first],
                p_reference[first], p_organisation, coalesce(p_verb[first], 1::smallint), p_pending[first], p_expires[first],
                NULL, NULL, now_at, joined, reach) r;
            RETURN NEXT;
        ELSE
            RETURN QUERY SELECT * FROM accounts_post_chain(first, last, p_linked[last] IS TRUE, p_client, p_kind, p_debit,
                p_credit, p_amount, p_reference, p_organisation, coalesce(p_verb, array_fill(1::smallint, ARRAY[total])), p_pending,
                p_expires, now_at, joined, reach);
        END IF;
        first := last + 1;
    END LOOP;
END $$;

-- Release what is held past its time: at most `p_limit`, the oldest first. What another transaction works on is left for the
-- next call. Nothing expires early, whatever `p_now` says. Expiries are booked by one transaction at a time, so that the order
-- of their numbers is the order in which they can be seen.
CREATE FUNCTION accounts_expire(p_now timestamptz, p_limit integer, OUT expired integer, OUT total bigint, OUT pendings bigint[],
    OUT oldest timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    now_at timestamptz := least(p_now, clock_timestamp());
    due    bigint[];
    busy   bigint[];
    free   bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(5461835, 3);
    SELECT array_agg(o.pending_id), array_agg(DISTINCT o.account_id), min(o.expires_at) INTO due, busy, oldest
    FROM (SELECT * FROM accounts_pending_open WHERE expires_at <= now_at ORDER BY expires_at LIMIT p_limit) o;
    expired := 0;
    total := 0;
    IF due IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(a.id) INTO free FROM (SELECT id FROM accounts_account WHERE id = ANY (busy)
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) a;
    EXECUTE $q$
        WITH ended AS (
            INSERT INTO accounts_pending_end (pending_id, ending, at)
            SELECT o.pending_id, 3, $1 FROM accounts_pending_open o
            WHERE o.pending_id IN (SELECT unnest($2)) AND o.account_id IN (SELECT unnest($3))
            ORDER BY o.pending_id
            ON CONFLICT DO NOTHING RETURNING pending_id
        ), sums AS (
            SELECT p.account_id, sum(p.amount)::bigint AS amount, array_agg(p.id) AS ids, count(*) AS number
            FROM ended e JOIN accounts_pending p ON p.id = e.pending_id GROUP BY p.account_id
        ), released AS (
            UPDATE accounts_account a SET held = a.held - s.amount FROM sums s WHERE a.id = s.account_id AND a.balance IS NOT NULL
        )
        SELECT coalesce(sum(number), 0), coalesce(sum(amount), 0), (SELECT array_agg(pending_id) FROM ended) FROM sums
        $q$ INTO expired, total, pendings USING clock_timestamp(), due, free;
END $$;

DO $$
DECLARE
    one regprocedure;
BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN (
        'accounts_post_batch', 'accounts_post_set', 'accounts_post_chain', 'accounts_post_item', 'accounts_room', 'accounts_expire')
    LOOP
        IF one::text !~ '^accounts_(post_batch|expire)\(' THEN
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, sheka_app', one);
        END IF;
        EXECUTE format('ALTER FUNCTION %s OWNER TO sheka_ledger', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
    REVOKE EXECUTE ON FUNCTION accounts_judge(smallint, bigint, boolean, boolean, boolean, bigint, bigint), accounts_join_window(),
        accounts_differs(accounts_transfer, smallint, bigint, bigint, bigint, text, smallint, bigint, timestamptz, uuid, integer)
        FROM sheka_app;
    GRANT EXECUTE ON FUNCTION accounts_judge(smallint, bigint, boolean, boolean, boolean, bigint, bigint), accounts_join_window(),
        accounts_differs(accounts_transfer, smallint, bigint, bigint, bigint, text, smallint, bigint, timestamptz, uuid, integer),
        sheka_scope() TO sheka_ledger;
END $$;
GRANT SELECT (code, path) ON organisations_organisation TO sheka_ledger;
