-- Limits (S4) are counted in the row of the account, which a payment changes anyhow: nothing else is locked, and two payments
-- at once cannot both pass. The day is the local day of the booking, whatever date the terminal has.
ALTER TABLE accounts_account
    ADD paid_on    date,
    ADD paid       bigint NOT NULL DEFAULT 0,
    ADD reserved   bigint NOT NULL DEFAULT 0,
    ADD paid_count integer NOT NULL DEFAULT 0,
    ADD recent     integer[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN accounts_account.paid IS 'fen paid on `paid_on` by card';
COMMENT ON COLUMN accounts_account.reserved IS 'fen of the pre-authorisations of `paid_on`';
COMMENT ON COLUMN accounts_account.paid_count IS 'payments and pre-authorisations of `paid_on`';
COMMENT ON COLUMN accounts_account.recent IS 'seconds since 1970 of the last of them, at most 20';
GRANT UPDATE (paid_on, paid, reserved, paid_count, recent) ON accounts_account TO sheka_ledger;

-- Why an account may not pay that much now: a refusal number, 0 when it may. `p_limits` has four limits for each class, NULL where
-- there is none: greatest amount, a day's sum, a day's number, number in a minute. Class NULL: no limit.
CREATE FUNCTION switch_limit_refusal(p_limits bigint[], p_class integer, p_amount bigint, p_day date, p_second integer,
    a_on date, a_sum bigint, a_count integer, a_recent integer[]) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_class IS NULL THEN 0
        WHEN p_amount > p_limits[p_class * 4 + 1] THEN 4480
        WHEN p_amount + CASE WHEN a_on = p_day THEN a_sum ELSE 0 END > p_limits[p_class * 4 + 2] THEN 4481
        WHEN CASE WHEN a_on = p_day THEN a_count ELSE 0 END >= p_limits[p_class * 4 + 3] THEN 4482
        WHEN a_recent[cardinality(a_recent) + 1 - p_limits[p_class * 4 + 4]::integer] > p_second - 60 THEN 4483
        ELSE 0 END
$$;
CREATE FUNCTION switch_recent(p_recent integer[], p_second integer) RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN cardinality(p_recent) < 20 THEN p_recent ELSE p_recent[2:] END || p_second
$$;
REVOKE EXECUTE ON FUNCTION switch_limit_refusal(bigint[], integer, bigint, date, integer, date, bigint, integer, integer[]),
    switch_recent(integer[], integer) FROM PUBLIC, sheka_app;
GRANT EXECUTE ON FUNCTION switch_limit_refusal(bigint[], integer, bigint, date, integer, date, bigint, integer, integer[]),
    switch_recent(integer[], integer) TO sheka_ledger;
