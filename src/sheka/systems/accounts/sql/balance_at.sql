-- The balance of an account after the last entry booked before a moment; 0 before the first. For accounts that keep their balance.
-- Entries stand in the order of their numbers, and that is nearly the order of their times: a batch takes its time before it
-- waits for a row, so two entries may stand the other way round by as long as a lock was waited for. The number at which times
-- pass p_at + 1 hour is found by halving; from there the entries are read backwards to the first that was booked before p_at.
CREATE FUNCTION accounts_balance_at(p_account bigint, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public AS $$
DECLARE
    low   bigint;
    high  bigint;
    middle bigint;
    probe record;
BEGIN
    SELECT min(posting_id), max(posting_id) INTO low, high FROM accounts_entry WHERE account_id = p_account;
    WHILE low < high LOOP
        middle := low + (high - low) / 2;  -- the last entry up to the middle, and the first after it
        SELECT posting_id, booked_at INTO probe FROM accounts_entry
            WHERE account_id = p_account AND posting_id > middle ORDER BY posting_id LIMIT 1;
        IF probe.booked_at < p_at + interval '1 hour' THEN
            low := probe.posting_id;
        ELSE
            SELECT posting_id INTO high FROM accounts_entry
                WHERE account_id = p_account AND posting_id <= middle ORDER BY posting_id DESC LIMIT 1;
        END IF;
    END LOOP;
    RETURN coalesce((SELECT balance_after FROM accounts_entry WHERE account_id = p_account AND posting_id <= low
        AND booked_at < p_at ORDER BY posting_id DESC LIMIT 1), 0);
END $$;
