-- The life line of a key is append-only, and nothing of the register is ever deleted.
CREATE FUNCTION keys_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keys_keymove_append_only BEFORE UPDATE OR DELETE ON keys_keymove
    FOR EACH ROW EXECUTE FUNCTION keys_refuse_change();

DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sheka_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON keys_keymove FROM sheka_app;
        REVOKE DELETE, TRUNCATE ON keys_key, keys_consignment, keys_machine FROM sheka_app;
    END IF;
END $$;
