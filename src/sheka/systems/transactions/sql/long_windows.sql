-- As in batches.sql; but a window that stayed open over a holiday took the purchases of every day until it was closed (docs/adr/0042):
-- what came more than three days after its settlement date was no part of a till's batch.
DO $$ BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;
    SET LOCAL ROLE sheka_ledger;  -- the owner of the function; who migrates does not inherit that
    CREATE OR REPLACE FUNCTION switch_moved(p_institution integer, p_terminal integer, p_window bigint, p_settled date)
    RETURNS TABLE (id bigint, business_date date, stan integer, reversal boolean, amount bigint, direction integer)
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $body$
    DECLARE
        ended date;
    BEGIN
        SELECT greatest(p_settled, (coalesce(w.closed_at, clock_timestamp()) AT TIME ZONE 'Asia/Shanghai')::date) INTO ended
            FROM transactions_window w WHERE w.id = p_window;
        -- A reversal lies in the partition of its original, at most 40 days before.
        RETURN QUERY EXECUTE format($q$
            SELECT t.id, t.business_date, t.stan, t.kind = 2, t.amount, CASE
                WHEN t.kind IN (1, 4) THEN 3 WHEN t.kind = 6 THEN 1 WHEN coalesce(t.moved, t.amount) > 0 THEN 4 ELSE 2 END
            FROM transactions_transaction t
            WHERE t.business_date BETWEEN %L AND %L AND t.terminal_id = $1 AND t.institution_id = $2 AND t.window_id = $3
                AND t.refusal = 0 AND t.account_id IS NOT NULL AND t.moved IS DISTINCT FROM 0 $q$, p_settled - 40, ended + 3)
        USING p_terminal, p_institution, p_window;
    END $body$;
    RESET ROLE;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
