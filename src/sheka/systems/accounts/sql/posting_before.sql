-- Where a period begins in the entries of an account that keeps its balance: the last posting that was booked before a moment, 0 when
-- there is none. Numbers are the order of booking, and times follow them but for the time that a lock was waited for (an hour is
-- allowed). A period is cut by these numbers, not by times: then the entries of a period lead from its opening to its closing balance,
-- and each period begins with what the one before ended with. Found as in balance_at.sql.
CREATE FUNCTION accounts_posting_before(p_account bigint, p_at timestamptz) RETURNS bigint
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
    RETURN coalesce((SELECT posting_id FROM accounts_entry WHERE account_id = p_account AND posting_id <= low
        AND booked_at < p_at ORDER BY posting_id DESC LIMIT 1), 0);
END $$;

CREATE OR REPLACE FUNCTION accounts_balance_at(p_account bigint, p_at timestamptz) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT coalesce((SELECT e.balance_after FROM accounts_entry e
        WHERE e.account_id = p_account AND e.posting_id = accounts_posting_before(p_account, p_at)), 0)
$$;
