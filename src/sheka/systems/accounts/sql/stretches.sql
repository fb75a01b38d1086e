-- The entries lie in stretches of 2^22 posting numbers (docs/adr/0039). The key (account, posting) is written at random; only
-- the index of the stretch under way has to lie in memory, and an older one is never written again.
-- What was booked until now stays where it lies, as the first stretch: no row is copied.
ALTER TABLE accounts_entry RENAME TO accounts_entry_begun;
ALTER INDEX accounts_entry_pkey RENAME TO accounts_entry_begun_pkey;
DROP TRIGGER accounts_entry_append_only ON accounts_entry_begun;
DROP TRIGGER accounts_entry_no_truncate ON accounts_entry_begun;
DROP POLICY accounts_entry_scope ON accounts_entry_begun;
DROP POLICY accounts_entry_sheka_ledger ON accounts_entry_begun;
CREATE TABLE accounts_entry (LIKE accounts_entry_begun INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)
    PARTITION BY RANGE (posting_id);
ALTER TABLE accounts_entry ADD PRIMARY KEY (account_id, posting_id);
CREATE TRIGGER accounts_entry_append_only BEFORE UPDATE OR DELETE ON accounts_entry
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_entry_no_truncate BEFORE TRUNCATE ON accounts_entry
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();

-- A stretch is reached through accounts_entry only, and not emptied either.
CREATE FUNCTION accounts_close_stretch(p_name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON public.%I FROM sheka_app, sheka_ledger', p_name);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', p_name);
    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', p_name);
    EXECUTE format('CREATE TRIGGER accounts_entry_no_truncate BEFORE TRUNCATE ON public.%I'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change()', p_name);
END $$;

DO $$
DECLARE
    first bigint := (SELECT last_value FROM accounts_posting_id) >> 22;
    name  text := 'accounts_entry_' || first;
BEGIN
    EXECUTE format('ALTER TABLE accounts_entry_begun RENAME TO %I', name);
    EXECUTE format('ALTER INDEX accounts_entry_begun_pkey RENAME TO %I', name || '_pkey');
    PERFORM accounts_close_stretch(name);
    EXECUTE format('ALTER TABLE accounts_entry ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%s)', name, (first + 1) << 22);
END $$;

-- Make the stretches from that of the newest posting number to `p_ahead` after it; how many were made. Bookings go on meanwhile.
CREATE FUNCTION accounts_make_stretches(p_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    first bigint := (SELECT last_value FROM accounts_posting_id) >> 22;
    name  text;
    made  integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(5461835, 2);
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

-- How many stretches wait behind that of the newest posting number.
CREATE FUNCTION accounts_stretches_ahead() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT count(*)::integer FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.accounts_entry'::regclass
        AND substring(c.relname from '[0-9]+$')::bigint > (SELECT last_value FROM public.accounts_posting_id) >> 22
$$;

SELECT accounts_make_stretches(8);

DO $$ BEGIN
    REVOKE ALL ON accounts_entry FROM sheka_app;
    GRANT SELECT ON accounts_entry TO sheka_app;
    GRANT SELECT, INSERT ON accounts_entry TO sheka_ledger;
    REVOKE EXECUTE ON FUNCTION accounts_close_stretch(text) FROM PUBLIC, sheka_app;
    REVOKE EXECUTE ON FUNCTION accounts_make_stretches(integer), accounts_stretches_ahead() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION accounts_make_stretches(integer), accounts_stretches_ahead() TO sheka_app;
END $$;
