-- What was recorded of a PSAM stays as it was (K8).
CREATE FUNCTION psams_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER psams_psamfacts_append_only BEFORE UPDATE OR DELETE ON psams_psamfacts
    FOR EACH ROW EXECUTE FUNCTION psams_refuse_change();
CREATE TRIGGER psams_psamevent_append_only BEFORE UPDATE OR DELETE ON psams_psamevent
    FOR EACH ROW EXECUTE FUNCTION psams_refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON psams_psamfacts, psams_psamevent FROM sheka_app;
REVOKE DELETE, TRUNCATE ON psams_psam FROM sheka_app;
