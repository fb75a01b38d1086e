-- What a decision of the exceptions desk gives back of a purchase or completion counts as what a refund gives back (S4, S10,
-- docs/adr/0041): the till that refunds, voids or reverses it later finds that much less. Called after the booking, which
-- holds the lock of the card's account, under which the switch writes its rows too: so the sum is exact. False: there is not so much left.
CREATE FUNCTION transactions_give_back(p_original bigint, p_institution integer, p_day date, p_posting bigint, p_amount bigint, p_paid bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF p_amount <= 0 OR p_amount + (SELECT coalesce(sum(l.amount), 0) FROM transactions_link l WHERE l.original = p_original) > p_paid THEN
        RETURN false;
    END IF;
    INSERT INTO transactions_link (original, id, institution_id, business_date, kind, amount)
    VALUES (p_original, p_posting, p_institution, p_day, 0, p_amount);
    RETURN true;
END $$;
COMMENT ON COLUMN transactions_link.kind IS 'of the row `id`; 0: `id` is the posting of a decision, not a transaction';
DO $$ BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    REVOKE EXECUTE ON FUNCTION transactions_give_back(bigint, integer, date, bigint, bigint, bigint) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION transactions_give_back(bigint, integer, date, bigint, bigint, bigint) TO sheka_app;
    ALTER FUNCTION transactions_give_back(bigint, integer, date, bigint, bigint, bigint) OWNER TO sheka_ledger;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
