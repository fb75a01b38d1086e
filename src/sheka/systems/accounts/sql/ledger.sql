-- The ledger (S6): double entry, append-only, no overdraft (C2). Amounts are fen; an entry above zero adds to its account.
-- Every posting has a number of one sequence, whatever document it stands in (accounts_transfer, transactions_transaction),
-- and its entries sum to zero. Lock order: accounts by ascending id, then inserts.
CREATE SEQUENCE accounts_posting_id AS bigint;

CREATE TABLE accounts_entry (
    posting_id    bigint NOT NULL,
    account_id    bigint NOT NULL,
    amount        bigint NOT NULL CHECK (amount <> 0),
    balance_after bigint,
    booked_at     timestamptz NOT NULL,
    document_date date NOT NULL,
    kind          smallint NOT NULL,
    PRIMARY KEY (account_id, posting_id)
) WITH (fillfactor = 100);
COMMENT ON COLUMN accounts_entry.balance_after IS 'NULL on accounts whose balance is the sum of their entries (institution, fund)';
COMMENT ON COLUMN accounts_entry.document_date IS 'business date of the document: with posting_id it finds the transaction';

-- A transfer that is not a card transaction: deposit, correction. A number made by the client makes it idempotent.
CREATE TABLE accounts_transfer (
    client_id       uuid PRIMARY KEY,
    posting_id      bigint NOT NULL UNIQUE,
    kind            smallint NOT NULL,
    debit_id        bigint NOT NULL,
    credit_id       bigint NOT NULL,
    amount          bigint NOT NULL,
    reference       text NOT NULL,
    refusal         integer NOT NULL DEFAULT 0,
    organisation_id text NOT NULL,
    at              timestamptz NOT NULL
);

CREATE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER accounts_entry_append_only BEFORE UPDATE OR DELETE ON accounts_entry
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_entry_no_truncate BEFORE TRUNCATE ON accounts_entry
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_transfer_append_only BEFORE UPDATE OR DELETE ON accounts_transfer
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_transfer_no_truncate BEFORE TRUNCATE ON accounts_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_account_keep BEFORE DELETE ON accounts_account
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_account_no_truncate BEFORE TRUNCATE ON accounts_account
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
-- An account begins at zero, whoever opens it.
CREATE FUNCTION accounts_begin_at_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an account begins at zero' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER accounts_account_begin BEFORE INSERT ON accounts_account
    FOR EACH ROW WHEN (NEW.balance <> 0) EXECUTE FUNCTION accounts_begin_at_zero();

-- Balances change in place, on the same page, and touch no index.
ALTER TABLE accounts_account SET (fillfactor = 70);

-- Post a batch of transfers, in the order given. Answers per item: posting number, refusal (0: booked), and for a repeated
-- number with other content the first field that differs. A refused number stays refused; an equal repeat answers as before.
CREATE FUNCTION accounts_post_batch(
    p_client uuid[], p_kind smallint[], p_debit bigint[], p_credit bigint[], p_amount bigint[], p_reference text[],
    p_organisation text
) RETURNS TABLE (place integer, posting bigint, refused integer, differs text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    now_at   timestamptz := clock_timestamp();
    today    date := (now_at AT TIME ZONE 'Asia/Shanghai')::date;
    held     accounts_transfer;
    new_debit bigint;
    new_credit bigint;
    fresh    boolean;
BEGIN
    PERFORM a.id FROM accounts_account a
        WHERE a.id = ANY (p_debit || p_credit) AND a.balance IS NOT NULL ORDER BY a.id FOR UPDATE;
    FOR n IN 1 .. coalesce(array_length(p_client, 1), 0) LOOP
        place := n;
        differs := NULL;
        refused := accounts_transfer_refusal(p_debit[place], p_credit[place], p_amount[place]);
        INSERT INTO accounts_transfer
            VALUES (p_client[place], nextval('accounts_posting_id'), p_kind[place], p_debit[place], p_credit[place],
                    p_amount[place], p_reference[place], refused, p_organisation, now_at)
            ON CONFLICT (client_id) DO NOTHING RETURNING posting_id INTO posting;
        fresh := FOUND;
        IF NOT fresh THEN
            SELECT * INTO held FROM accounts_transfer t WHERE t.client_id = p_client[place];
            posting := held.posting_id;
            differs := CASE
                WHEN held.amount <> p_amount[place] THEN 'amount'
                WHEN held.debit_id <> p_debit[place] THEN 'debit'
                WHEN held.credit_id <> p_credit[place] THEN 'credit'
                WHEN held.kind <> p_kind[place] THEN 'kind'
                WHEN held.reference <> p_reference[place] THEN 'reference' END;
            refused := CASE WHEN differs IS NULL THEN held.refusal ELSE 4304 END;
        ELSIF refused = 0 THEN
            UPDATE accounts_account a SET balance = a.balance - p_amount[place]
                WHERE a.id = p_debit[place] AND a.balance IS NOT NULL RETURNING a.balance INTO new_debit;
            UPDATE accounts_account a SET balance = a.balance + p_amount[place]
                WHERE a.id = p_credit[place] AND a.balance IS NOT NULL RETURNING a.balance INTO new_credit;
            INSERT INTO accounts_entry (posting_id, account_id, amount, balance_after, booked_at, document_date, kind)
                VALUES (posting, p_debit[place], -p_amount[place], new_debit, now_at, today, p_kind[place]),
                       (posting, p_credit[place], p_amount[place], new_credit, now_at, today, p_kind[place]);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- Why a transfer cannot be booked, as a refusal number; 0 when it can.
CREATE FUNCTION accounts_transfer_refusal(p_debit bigint, p_credit bigint, p_amount bigint) RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT CASE
        WHEN p_amount IS NULL OR p_amount <= 0 THEN 4306
        WHEN p_debit = p_credit THEN 4305
        WHEN d.id IS NULL OR c.id IS NULL THEN 4301
        WHEN d.state <> 'open' OR c.state <> 'open' THEN 4302
        WHEN d.never_negative AND d.balance < p_amount THEN 4303
        ELSE 0 END
    FROM (SELECT 1) AS one
    LEFT JOIN accounts_account d ON d.id = p_debit
    LEFT JOIN accounts_account c ON c.id = p_credit
$$;

DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sheka_app') THEN
        REVOKE ALL ON accounts_entry, accounts_transfer FROM sheka_app;
        GRANT SELECT ON accounts_entry, accounts_transfer TO sheka_app;
        -- An account is opened at zero by an action; its balance is changed by the functions of the ledger only.
        REVOKE UPDATE, DELETE ON accounts_account FROM sheka_app;
        GRANT UPDATE (state, closed_at) ON accounts_account TO sheka_app;
    END IF;
END $$;
