-- More kinds of transactions (S4): 3 pre-authorisation, 4 completion, 5 void, 6 refund. A STAN of a terminal and business date
-- names one request whatever its kind; the reversal of that request (kind 2) stands beside it.
ALTER TABLE transactions_transaction RENAME reverses TO original;
ALTER TABLE transactions_transaction
    ADD original_date date,
    ADD moved         bigint,
    ADD advice        boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN transactions_transaction.original IS 'number of the row that this one takes back, completes or refunds';
COMMENT ON COLUMN transactions_transaction.original_date IS 'business date of that row, NULL: the own one';
COMMENT ON COLUMN transactions_transaction.moved IS
    'change of the personal account in fen; NULL: by the kind (1: -amount, 2: amount, a refusal or a row without account: 0)';
COMMENT ON COLUMN transactions_transaction.advice IS 'told afterwards (0220): done at the terminal before we were asked';

ALTER TABLE transactions_transaction DROP CONSTRAINT transactions_transaction_pkey;
CREATE UNIQUE INDEX transactions_transaction_key
    ON transactions_transaction (business_date, terminal_id, stan, institution_id, (kind = 2));

-- The functions of before, with the new name of the column.
DO $$ BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;
    SET LOCAL ROLE sheka_ledger;  -- the owner of the function; who migrates does not inherit that
    EXECUTE replace(pg_get_functiondef('switch_reverse'::regproc), 'seal, reverses, booked_at', 'seal, original, booked_at');
    RESET ROLE;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;

-- What became of an approved row: each row that takes something back of it, completes or refunds it. What is left of an
-- original is its amount less the sum here (a row that undoes another is below zero at that one's original). `hold`: money held
-- anew for it, a number of accounts_pending. Written under the lock of the account, so the sum is exact.
CREATE TABLE transactions_link (
    original       bigint NOT NULL,
    id             bigint NOT NULL,
    institution_id integer NOT NULL,
    business_date  date NOT NULL,
    kind           smallint NOT NULL,
    amount         bigint NOT NULL,
    hold           bigint,
    PRIMARY KEY (original, id)
);
COMMENT ON COLUMN transactions_link.business_date IS 'of the row `id`';
INSERT INTO transactions_link
    SELECT original, id, institution_id, business_date, kind, amount FROM transactions_transaction
    WHERE kind = 2 AND refusal = 0 AND account_id IS NOT NULL;

-- What somebody has to look at (S10): written where it is booked or refused, read by the exceptions desk. Append-only. Numbers are
-- not given in the order of commits: read rows whose `written` lies below pg_snapshot_xmin(pg_current_snapshot()).
CREATE TABLE transactions_abnormal (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    written        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    kind           text NOT NULL,
    institution_id integer NOT NULL,
    terminal_id    integer,
    business_date  date,
    stan           integer,
    facts          jsonb NOT NULL DEFAULT '{}'
);
-- The same thing of the same request is told once, however often it is repeated.
CREATE UNIQUE INDEX transactions_abnormal_once ON transactions_abnormal (business_date, terminal_id, stan, kind, institution_id);

-- A terminal's batch (S4): what it asked to be compared, and the lines that it uploaded. Numbers and sums by direction, in the order
-- of fields 74 to 77 and 86 to 89: credits, credits reversed, debits, debits reversed.
CREATE TABLE transactions_batch (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id integer NOT NULL,
    terminal_id    integer NOT NULL,
    business_date  date NOT NULL,
    stan           integer NOT NULL,
    window_id      bigint NOT NULL,
    after_upload   boolean NOT NULL,
    theirs         bigint[] NOT NULL CHECK (cardinality(theirs) = 8),
    ours           bigint[] NOT NULL CHECK (cardinality(ours) = 8),
    refusal        integer NOT NULL,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (business_date, terminal_id, stan)
);
CREATE TABLE transactions_batch_line (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id integer NOT NULL,
    terminal_id    integer NOT NULL,
    business_date  date NOT NULL,
    stan           integer NOT NULL,
    reversal       boolean NOT NULL,
    window_id      bigint NOT NULL,
    amount         bigint NOT NULL,
    card_number    text NOT NULL,
    transaction_id bigint,
    refusal        integer NOT NULL,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (terminal_id, window_id, business_date, stan, reversal)
);

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['transactions_link', 'transactions_abnormal', 'transactions_batch', 'transactions_batch_line'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change()',
                       one || '_append_only', one);
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change()',
                       one || '_no_truncate', one);
        EXECUTE format('REVOKE ALL ON %I FROM sheka_app', one);
        EXECUTE format('GRANT SELECT ON %I TO sheka_app', one);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO sheka_ledger', one);
    END LOOP;
END $$;

-- Tell of something abnormal; the switch calls it for what it finds before anything is booked (wrong MACs).
CREATE FUNCTION switch_abnormal(p_kind text, p_institution integer, p_terminal integer, p_date date, p_stan integer, p_facts jsonb)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    INSERT INTO transactions_abnormal (kind, institution_id, terminal_id, business_date, stan, facts)
    VALUES (p_kind, p_institution, p_terminal, p_date, p_stan, p_facts) ON CONFLICT DO NOTHING
$$;
DO $$ BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    REVOKE EXECUTE ON FUNCTION switch_abnormal(text, integer, integer, date, integer, jsonb) FROM PUBLIC, sheka_app;
    GRANT EXECUTE ON FUNCTION switch_abnormal(text, integer, integer, date, integer, jsonb) TO sheka_switch;
    ALTER FUNCTION switch_abnormal(text, integer, integer, date, integer, jsonb) OWNER TO sheka_ledger;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
