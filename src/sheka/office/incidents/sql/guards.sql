-- The timeline of an incident, plans that were approved and drills that were held stay as they were written.
CREATE FUNCTION incidents_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'incidents_plan'
       AND to_jsonb(NEW) - 'valid_to' = to_jsonb(OLD) - 'valid_to' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER incidents_entry_append_only BEFORE UPDATE OR DELETE ON incidents_entry
    FOR EACH ROW EXECUTE FUNCTION incidents_refuse_change();
CREATE TRIGGER incidents_plan_fixed BEFORE UPDATE OR DELETE ON incidents_plan
    FOR EACH ROW EXECUTE FUNCTION incidents_refuse_change();
CREATE TRIGGER incidents_drill_append_only BEFORE UPDATE OR DELETE ON incidents_drill
    FOR EACH ROW EXECUTE FUNCTION incidents_refuse_change();
