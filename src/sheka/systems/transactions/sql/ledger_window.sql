-- The ledger below asks which clearing window is open before it locks an account (docs/adr/0025): the answer is given here,
-- under the same shared lock that a purchase holds. NULL before the first window was opened.
CREATE OR REPLACE FUNCTION accounts_join_window() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(5461835, 2);
    RETURN (SELECT w.id FROM transactions_window w WHERE w.closed_at IS NULL);
END $$;
