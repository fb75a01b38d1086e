-- As in stretches.sql, under a lock of its own: it took that of the clearing window, exclusively, so that every booking and every
-- purchase waited for it, and it for the longest booking under way. Numbers of locks under 5461835: 1 partitions of transactions,
-- 2 the clearing window (shared by whoever books), 3 expiries, 4 pulses, 5 stretches.
CREATE OR REPLACE FUNCTION accounts_make_stretches(p_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    first bigint := (SELECT last_value FROM accounts_posting_id) >> 22;
    name  text;
    made  integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(5461835, 5);
    FOR number IN first .. first + p_ahead LOOP
        name := 'accounts_entry_' || number;
        -- Asked of the table, not of to_regclass: its cache may still say what it said before we waited.
        CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'public'::regnamespace);
        EXECUTE format('CREATE TABLE public.%I (LIKE public.accounts_entry INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        PERFORM accounts_close_stretch(name);
        EXECUTE format('ALTER TABLE public.accounts_entry ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                       name, number::bigint << 22, (number::bigint + 1) << 22);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
