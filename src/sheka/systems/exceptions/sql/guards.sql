-- S10: what happened to a case stays as it was written; a case is never deleted; numbers for people.
CREATE SEQUENCE exceptions_case_number AS bigint;

CREATE FUNCTION exceptions_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER exceptions_event_append_only BEFORE UPDATE OR DELETE ON exceptions_caseevent
    FOR EACH ROW EXECUTE FUNCTION exceptions_refuse_change();
CREATE TRIGGER exceptions_ruleuse_append_only BEFORE UPDATE OR DELETE ON exceptions_ruleuse
    FOR EACH ROW EXECUTE FUNCTION exceptions_refuse_change();
CREATE TRIGGER exceptions_ruleswitch_append_only BEFORE UPDATE OR DELETE ON exceptions_ruleswitch
    FOR EACH ROW EXECUTE FUNCTION exceptions_refuse_change();
CREATE TRIGGER exceptions_finding_append_only BEFORE UPDATE OR DELETE ON exceptions_finding
    FOR EACH ROW EXECUTE FUNCTION exceptions_refuse_change();
CREATE TRIGGER exceptions_case_keep BEFORE DELETE ON exceptions_exceptioncase
    FOR EACH ROW EXECUTE FUNCTION exceptions_refuse_change();

-- What a case was opened for never changes; its end is undone only by opening it again.
CREATE FUNCTION exceptions_case_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.number, NEW.organisation_id, NEW.reason, NEW.subject, NEW.opened_at)
        IS DISTINCT FROM (OLD.number, OLD.organisation_id, OLD.reason, OLD.subject, OLD.opened_at) THEN
        RAISE EXCEPTION 'what a case was opened for does not change' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.state IN ('closed', 'resolved') AND NEW.state NOT IN ('open', OLD.state) THEN
        RAISE EXCEPTION 'a case that ended is opened again first' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER exceptions_case_fixed BEFORE UPDATE ON exceptions_exceptioncase
    FOR EACH ROW EXECUTE FUNCTION exceptions_case_fixed();

DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sheka_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON exceptions_caseevent, exceptions_ruleuse, exceptions_ruleswitch, exceptions_finding
            FROM sheka_app;
        REVOKE DELETE, TRUNCATE ON exceptions_exceptioncase, exceptions_dispute FROM sheka_app;
        GRANT USAGE, SELECT ON SEQUENCE exceptions_case_number TO sheka_app;
    END IF;
END $$;
