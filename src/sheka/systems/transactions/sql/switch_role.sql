-- What the switch may do (sheka_switch): execute its functions, read the registry and the windows, write its seals.
-- Its functions run as sheka_ledger, which nobody connects as: it holds what they need and sees every organisation, so
-- that the planner drops the policies and a purchase pays nothing for them. The application may do none of it any more.

-- As in tables.sql, and every partition denies whoever does not come through the parent: there the policies stand.
CREATE OR REPLACE FUNCTION transactions_ensure_day(p_date date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    day  date;
    name text;
BEGIN
    FOREACH day IN ARRAY ARRAY[p_date, p_date + 1] LOOP
        name := 'transactions_transaction_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        PERFORM pg_advisory_xact_lock(5461835, 1);
        -- Asked of the table, not of to_regclass: its cache may still say what it said before we waited.
        CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'public'::regnamespace);
        EXECUTE format('CREATE TABLE public.%I (LIKE public.transactions_transaction INCLUDING DEFAULTS INCLUDING STORAGE)', name);
        PERFORM transactions_close_partition(name);
        EXECUTE format('ALTER TABLE public.transactions_transaction ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       name, day, day + 1);
    END LOOP;
END $$;

CREATE FUNCTION transactions_close_partition(p_name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON public.%I FROM sheka_app', p_name);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', p_name);
    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', p_name);
END $$;

SELECT transactions_close_partition(c.relname)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'transactions_transaction'::regclass;

DO $$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN (
        'switch_purchase_batch', 'switch_reversal_batch', 'switch_balance_batch', 'switch_purchase_stored',
        'switch_purchase_settle', 'switch_reverse', 'switch_card_refusal', 'transactions_close_partition')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, sheka_app', one);
    END LOOP;
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN (
        'switch_purchase_batch', 'switch_reversal_batch', 'switch_balance_batch', 'transactions_ensure_day')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sheka_switch', one);
    END LOOP;
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN (
        'switch_purchase_batch', 'switch_reversal_batch', 'switch_balance_batch', 'switch_purchase_stored',
        'switch_purchase_settle', 'switch_reverse')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO sheka_ledger', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
    GRANT EXECUTE ON FUNCTION switch_card_refusal(text), cards_holder(text), transactions_join_window() TO sheka_ledger;
END $$;
GRANT SELECT (id, number, person_id, state) ON cards_card TO sheka_ledger;
GRANT SELECT, UPDATE (balance) ON accounts_account TO sheka_ledger;
GRANT INSERT ON accounts_entry TO sheka_ledger;
GRANT SELECT, INSERT ON transactions_transaction TO sheka_ledger;
GRANT SELECT ON transactions_institution, transactions_terminal, transactions_window TO sheka_ledger;
GRANT USAGE ON SEQUENCE accounts_posting_id TO sheka_ledger;
REVOKE INSERT ON transactions_seal FROM sheka_app;
REVOKE USAGE ON SEQUENCE transactions_stream FROM sheka_app;
GRANT SELECT ON transactions_institution, transactions_terminal, transactions_window TO sheka_switch;
GRANT INSERT ON transactions_seal TO sheka_switch;
GRANT USAGE ON SEQUENCE transactions_stream TO sheka_switch;
