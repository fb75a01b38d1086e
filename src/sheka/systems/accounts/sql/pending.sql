-- Held money (S6, C2), after TigerBeetle's two phases: a pending row reserves an amount of an account, its end posts all or a
-- part of it, voids it or lets it expire. Both are written once. Who writes them changes accounts_account.held in the same
-- transaction: `held` is the sum of the amounts of an account's pending rows without an end, where the row keeps a balance.
-- Lock order: accounts by ascending id first, then these.
CREATE TABLE accounts_pending (
    id              bigint PRIMARY KEY,
    account_id      bigint NOT NULL,
    counter_id      bigint,
    amount          bigint NOT NULL CHECK (amount > 0),
    kind            smallint NOT NULL CHECK (kind IN (1, 2, 3)),
    organisation_id text NOT NULL,
    made_at         timestamptz NOT NULL,
    expires_at      timestamptz CHECK (expires_at > made_at),
    reference       text NOT NULL
);
COMMENT ON COLUMN accounts_pending.id IS 'of accounts_posting_id';
COMMENT ON COLUMN accounts_pending.organisation_id IS 'who keeps the account';
CREATE INDEX accounts_pending_account ON accounts_pending (account_id, id);

CREATE TABLE accounts_pending_end (
    pending_id bigint PRIMARY KEY,
    ending     smallint NOT NULL CHECK (ending IN (1, 2, 3)),
    amount     bigint NOT NULL DEFAULT 0,
    posting_id bigint UNIQUE,
    at         timestamptz NOT NULL,
    reference  text NOT NULL DEFAULT '',
    number     bigint NOT NULL DEFAULT nextval('accounts_posting_id'),
    CHECK (CASE WHEN ending = 1 THEN amount > 0 AND posting_id IS NOT NULL ELSE amount = 0 AND posting_id IS NULL END)
);
COMMENT ON COLUMN accounts_pending_end.number IS
    'expiries are booked by one transaction at a time: read in this order, none is passed over';
CREATE INDEX accounts_pending_end_expired ON accounts_pending_end (number) WHERE ending = 3;

-- What is held now. Kept by the triggers below, whoever writes the two tables above.
CREATE TABLE accounts_pending_open (
    pending_id bigint PRIMARY KEY,
    account_id bigint NOT NULL,
    counter_id bigint,
    amount     bigint NOT NULL,
    expires_at timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX accounts_pending_open_account ON accounts_pending_open (account_id);
CREATE INDEX accounts_pending_open_counter ON accounts_pending_open (counter_id) WHERE counter_id IS NOT NULL;
CREATE INDEX accounts_pending_open_expiry ON accounts_pending_open (expires_at) WHERE expires_at IS NOT NULL;

CREATE FUNCTION accounts_pending_opened() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO accounts_pending_open SELECT id, account_id, counter_id, amount, expires_at FROM written;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_pending_opened AFTER INSERT ON accounts_pending
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION accounts_pending_opened();

-- An end is the end of something that is held, and posts no more than that.
CREATE FUNCTION accounts_pending_ended() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    ended bigint;
BEGIN
    DELETE FROM accounts_pending_open o USING written w WHERE o.pending_id = w.pending_id AND w.amount <= o.amount;
    GET DIAGNOSTICS ended = ROW_COUNT;
    IF ended <> (SELECT count(*) FROM written) THEN
        RAISE EXCEPTION 'an end of what is not held, or of more than is held' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER accounts_pending_ended AFTER INSERT ON accounts_pending_end
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION accounts_pending_ended();

CREATE TRIGGER accounts_pending_append_only BEFORE UPDATE OR DELETE ON accounts_pending
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_pending_no_truncate BEFORE TRUNCATE ON accounts_pending
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_pending_end_append_only BEFORE UPDATE OR DELETE ON accounts_pending_end
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_pending_end_no_truncate BEFORE TRUNCATE ON accounts_pending_end
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();

-- An account begins at zero, with nothing held.
DROP TRIGGER accounts_account_begin ON accounts_account;
CREATE TRIGGER accounts_account_begin BEFORE INSERT ON accounts_account
    FOR EACH ROW WHEN (NEW.balance <> 0 OR NEW.held <> 0) EXECUTE FUNCTION accounts_begin_at_zero();

-- Transfers hold and end, in chains. A freeze has no credit; the two accounts of an end are those of what it ends.
ALTER TABLE accounts_transfer
    ALTER debit_id DROP NOT NULL,
    ALTER credit_id DROP NOT NULL,
    ADD verb       smallint NOT NULL DEFAULT 1 CHECK (verb IN (1, 2, 3, 4)),
    ADD pending_id bigint,
    ADD expires_at timestamptz,
    ADD chain      uuid,
    ADD chain_size integer,
    ADD window_id  bigint;
COMMENT ON COLUMN accounts_transfer.verb IS '1 book 2 hold 3 post what is held 4 void it';
CREATE INDEX accounts_transfer_window ON accounts_transfer (window_id) WHERE window_id IS NOT NULL;

REVOKE ALL ON accounts_pending, accounts_pending_end, accounts_pending_open FROM sheka_app;
GRANT SELECT ON accounts_pending, accounts_pending_end, accounts_pending_open TO sheka_app;
GRANT SELECT, INSERT ON accounts_pending, accounts_pending_end TO sheka_ledger;
GRANT SELECT, INSERT, DELETE ON accounts_pending_open TO sheka_ledger;
GRANT SELECT, UPDATE (balance, held) ON accounts_account TO sheka_ledger;
GRANT SELECT, INSERT ON accounts_entry, accounts_transfer TO sheka_ledger;
GRANT USAGE ON SEQUENCE accounts_posting_id TO sheka_ledger;
