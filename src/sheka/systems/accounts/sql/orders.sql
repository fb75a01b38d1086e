-- What was ordered about accounts (S6) is written once: corrections, payments out, how an account ended.
CREATE TRIGGER accounts_correction_append_only BEFORE UPDATE OR DELETE ON accounts_correction
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_payout_append_only BEFORE UPDATE OR DELETE ON accounts_payout
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER accounts_succession_append_only BEFORE UPDATE OR DELETE ON accounts_succession
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();

-- A personal account that was closed and is empty may become a former one, so that its holder can have another in the
-- city of the new home; no account ever becomes anything else.
CREATE FUNCTION accounts_keep_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.kind = 'personal' AND NEW.kind = 'former' AND NEW.state = 'closed' AND NEW.balance = 0 AND NEW.held = 0 THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an account keeps its kind and its party' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER accounts_account_keep_kind BEFORE UPDATE OF kind, party ON accounts_account
    FOR EACH ROW WHEN (OLD.kind <> NEW.kind OR OLD.party <> NEW.party) EXECUTE FUNCTION accounts_keep_kind();

DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sheka_app') THEN
        REVOKE UPDATE, DELETE ON accounts_correction, accounts_payout, accounts_succession FROM sheka_app;
        REVOKE DELETE ON accounts_depositfile, accounts_depositline, accounts_interestrun, accounts_interestline,
            accounts_freeze FROM sheka_app;
        GRANT UPDATE (kind, party) ON accounts_account TO sheka_app;
    END IF;
END $$;
