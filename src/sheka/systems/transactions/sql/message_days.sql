-- Messages are let go by whole days (docs/adr/0031): what proves a booking is its row and its seal, not its message.

-- The days that have messages and are older than a day of the policy.
CREATE FUNCTION transactions_message_days_before(p_before date) RETURNS SETOF date
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT to_date(right(c.relname, 8), 'YYYYMMDD') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.transactions_message'::regclass AND c.relname ~ '^transactions_message_[0-9]{8}$'
        AND to_date(right(c.relname, 8), 'YYYYMMDD') < p_before
    ORDER BY 1
$$;

-- Let the messages of a day go. Whatever the caller says, none of the last 60 days does: that long disputes look back.
CREATE FUNCTION transactions_drop_message_day(p_day date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '2s' AS $$
DECLARE
    name text := 'transactions_message_' || to_char(p_day, 'YYYYMMDD');
    held bigint;
BEGIN
    IF p_day > current_date - 60 THEN
        RAISE EXCEPTION 'the messages of % are too young to go', p_day USING ERRCODE = 'SK504';
    END IF;
    EXECUTE format('ALTER TABLE public.transactions_message DETACH PARTITION public.%I', name);
    EXECUTE format('ALTER TABLE public.%I NO FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('SELECT count(*) FROM public.%I', name) INTO held;
    EXECUTE format('DROP TABLE public.%I', name);
    RETURN held;
END $$;
REVOKE EXECUTE ON FUNCTION transactions_drop_message_day(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION transactions_drop_message_day(date) TO sheka_app;
