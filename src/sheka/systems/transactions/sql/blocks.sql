-- The block list at the switch, PSAMs in terminals and what the switch sees of them (S4, K8).
-- Whatever the switch keeps in memory announces itself twice: by NOTIFY, and by a row here, which the switch counts every
-- second over the same connection. A row is written without a lock that another transaction would wait for.
CREATE TABLE transactions_change (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

CREATE FUNCTION transactions_announce_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO transactions_change DEFAULT VALUES;
    PERFORM pg_notify('transactions_change', '');
    RETURN NULL;
END $$;
CREATE TRIGGER transactions_block_announce AFTER INSERT OR UPDATE OR DELETE ON transactions_block
    FOR EACH STATEMENT EXECUTE FUNCTION transactions_announce_change();
CREATE TRIGGER transactions_terminalpsam_announce AFTER INSERT OR UPDATE OR DELETE ON transactions_terminalpsam
    FOR EACH STATEMENT EXECUTE FUNCTION transactions_announce_change();

-- Purchases of one business date that the switch refuses before any account is asked. Written and answered like those of
-- switch_purchase_batch: a key that is taken gets its stored answer, so the repeat of an approved purchase stays approved.
CREATE FUNCTION switch_refuse_batch(
    p_date date, p_institution integer[], p_terminal integer[], p_stan integer[], p_card text[], p_scheme text[],
    p_amount bigint[], p_currency smallint[], p_country smallint[], p_rrn text[], p_local_time integer[], p_seal bigint,
    p_refusal integer[],
    OUT places integer[], OUT refusals integer[], OUT ids bigint[], OUT balances bigint[],
    OUT accounts bigint[], OUT cards bigint[], OUT stored_places integer[], OUT stored_refusals integer[], OUT stored_ids bigint[],
    OUT stored_balances bigint[], OUT stored_windows bigint[], OUT stored_differs integer[], OUT window_id bigint,
    OUT booked_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
    taken integer[];
BEGIN
    window_id := transactions_join_window();
    booked_at := clock_timestamp();
    WITH item AS MATERIALIZED (
        SELECT n AS place, nextval('accounts_posting_id') AS id FROM generate_series(1, array_length(p_stan, 1)) AS n
    ), written AS (
        INSERT INTO transactions_transaction (id, amount, window_id, seal, booked_at, business_date, institution_id, terminal_id,
            stan, local_time, refusal, kind, currency, country, card_number, scheme, rrn)
        SELECT id, p_amount[place], window_id, p_seal, booked_at, p_date, p_institution[place], p_terminal[place], p_stan[place],
            p_local_time[place], p_refusal[place], 1, p_currency[place], p_country[place], p_card[place], p_scheme[place],
            p_rrn[place]
        FROM item
        ON CONFLICT DO NOTHING RETURNING transactions_transaction.id
    )
    SELECT array_agg(place) FILTER (WHERE w.id IS NOT NULL), array_agg(p_refusal[place]) FILTER (WHERE w.id IS NOT NULL),
        array_agg(item.id) FILTER (WHERE w.id IS NOT NULL), array_agg(NULL::bigint) FILTER (WHERE w.id IS NOT NULL),
        array_agg(place) FILTER (WHERE w.id IS NULL)
    INTO places, refusals, ids, balances, taken
    FROM item LEFT JOIN written w ON w.id = item.id;
    accounts := balances; cards := balances;
    IF taken IS NOT NULL THEN
        SELECT s.places, s.refusals, s.ids, s.balances, s.windows, s.differs
        INTO stored_places, stored_refusals, stored_ids, stored_balances, stored_windows, stored_differs
        FROM switch_purchase_stored(p_date, p_institution, p_terminal, p_stan, p_card, p_scheme, p_amount, p_currency,
            p_country, p_rrn, p_local_time, taken) s;
    END IF;
END $$;

-- What the switch keeps in memory, and what it looked at to know: blocks in force, PSAMs in terminals with the last counter
-- that was seen of each.
CREATE FUNCTION switch_barred(OUT changes bigint, OUT kinds text[], OUT subjects text[], OUT terminals integer[],
    OUT psams text[], OUT active boolean[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT (SELECT count(*) FROM transactions_change), b.kinds, b.subjects, m.terminals, m.psams, m.active
    FROM (SELECT array_agg(kind::text) AS kinds, array_agg(subject::text) AS subjects
          FROM transactions_block WHERE lifted_at IS NULL) b,
         (SELECT array_agg(terminal_id) AS terminals, array_agg(psam::text) AS psams, array_agg(active) AS active
          FROM transactions_terminalpsam) m
$$;
CREATE FUNCTION switch_changes() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$ SELECT count(*) FROM transactions_change $$;
CREATE FUNCTION switch_psam_counters(OUT psams text[], OUT counters bigint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT array_agg(psam), array_agg(counter)
    FROM (SELECT psam::text, max(last_counter) AS counter FROM transactions_psamuse GROUP BY psam) found
$$;

-- What was seen since the last call: per PSAM, terminal and business date.
CREATE FUNCTION switch_psam_seen(p_psam text[], p_terminal integer[], p_day date[], p_uses integer[], p_first bigint[],
    p_last bigint[], p_at timestamptz[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    INSERT INTO transactions_psamuse (psam, terminal_id, day, uses, first_counter, last_counter, seen_at)
    SELECT * FROM unnest(p_psam, p_terminal, p_day, p_uses, p_first, p_last, p_at) AS u
    ON CONFLICT (psam, day, terminal_id) DO UPDATE SET uses = transactions_psamuse.uses + excluded.uses,
        first_counter = least(transactions_psamuse.first_counter, excluded.first_counter),
        last_counter = greatest(transactions_psamuse.last_counter, excluded.last_counter),
        seen_at = greatest(transactions_psamuse.seen_at, excluded.seen_at)
$$;
CREATE FUNCTION switch_psam_alarms(p_psam text[], p_terminal integer[], p_kind text[], p_expected text[], p_got text[],
    p_day date[], p_times integer[], p_at timestamptz[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    INSERT INTO transactions_psamalarm (psam, terminal_id, kind, expected, got, day, times, seen_at)
    SELECT * FROM unnest(p_psam, p_terminal, p_kind, p_expected, p_got, p_day, p_times, p_at) AS u
    ON CONFLICT (psam, day, terminal_id, kind) DO UPDATE SET times = transactions_psamalarm.times + excluded.times,
        seen_at = greatest(transactions_psamalarm.seen_at, excluded.seen_at)
$$;

DO $$
DECLARE
    one regprocedure;
BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN (
        'switch_refuse_batch', 'switch_barred', 'switch_changes', 'switch_psam_counters', 'switch_psam_seen', 'switch_psam_alarms')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, sheka_app', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sheka_switch', one);
        EXECUTE format('ALTER FUNCTION %s OWNER TO sheka_ledger', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
REVOKE ALL ON transactions_change FROM sheka_app;
REVOKE EXECUTE ON FUNCTION transactions_announce_change() FROM PUBLIC, sheka_app;
GRANT SELECT ON transactions_change, transactions_block, transactions_terminalpsam TO sheka_ledger;
GRANT SELECT, INSERT, UPDATE ON transactions_psamuse, transactions_psamalarm TO sheka_ledger;
REVOKE INSERT, UPDATE, DELETE ON transactions_psamuse FROM sheka_app;
REVOKE INSERT, UPDATE, DELETE ON transactions_psamalarm FROM sheka_app;
GRANT UPDATE (told_at) ON transactions_psamalarm TO sheka_app;
REVOKE DELETE ON transactions_block FROM sheka_app;
