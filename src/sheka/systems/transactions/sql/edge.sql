-- What a thief would try at the edge (S4, S10, docs/adr/0041): a limit that is given back and then used after all, and a batch that is
-- asked again when nothing new may be taken.

CREATE FUNCTION pg_temp.patched(p_source text, p_old text, p_new text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF (length(p_source) - length(replace(p_source, p_old, ''))) / length(p_old) <> 1 THEN
        RAISE EXCEPTION 'the function does not hold once: %', p_old;
    END IF;
    RETURN replace(p_source, p_old, p_new);
END $$;

-- A void gives the day's sum and number back; who takes the void back uses them again, or the limits of a day would hold nobody.
DO $$
DECLARE
    verb text := pg_get_functiondef('switch_verb_batch'::regproc);
    part text;
    kind integer := 1;
BEGIN
    FOREACH part IN ARRAY ARRAY['reserved', 'paid_count'] LOOP
        verb := pg_temp.patched(verb, E'THEN -asked ELSE 0 END),\n                ' || part, format(E'THEN -asked\n'
            '                    WHEN back AND base.kind = %s AND base.booked_at >= today::timestamp AT TIME ZONE ''Asia/Shanghai'''
            '\n                        THEN asked ELSE 0 END),\n                %s', kind, part));
        kind := 3;
    END LOOP;
    verb := pg_temp.patched(verb, 'THEN -1 ELSE 0 END),', E'THEN -1\n'
        '                    WHEN back AND base.kind IN (1, 3) AND base.booked_at >= today::timestamp AT TIME ZONE ''Asia/Shanghai'''
        '\n                        THEN 1 ELSE 0 END),');
    GRANT CREATE ON SCHEMA public TO sheka_ledger;
    SET LOCAL ROLE sheka_ledger;  -- the owner of the function; who migrates does not inherit that
    EXECUTE verb;
    RESET ROLE;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
DROP FUNCTION pg_temp.patched(text, text, text);

-- Whether a settlement or an uploaded line was answered before: then it keeps its answer, whatever bars the terminal now.
CREATE FUNCTION switch_batch_known(p_terminal integer, p_date date, p_stan integer, p_upload boolean) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT CASE WHEN p_upload
        THEN EXISTS (SELECT FROM transactions_batch_line l
            WHERE l.upload_date = p_date AND l.terminal_id = p_terminal AND l.upload_stan = p_stan)
        ELSE EXISTS (SELECT FROM transactions_batch b
            WHERE b.business_date = p_date AND b.terminal_id = p_terminal AND b.stan = p_stan) END
$$;
DO $$ BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    REVOKE EXECUTE ON FUNCTION switch_batch_known(integer, date, integer, boolean) FROM PUBLIC, sheka_app;
    GRANT EXECUTE ON FUNCTION switch_batch_known(integer, date, integer, boolean) TO sheka_switch;
    ALTER FUNCTION switch_batch_known(integer, date, integer, boolean) OWNER TO sheka_ledger;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
