-- A row says for ever what was kept: only the end of a document, and the voiding of a paper, are written later.
CREATE FUNCTION documents_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'documents_document' AND OLD.state = 'kept' AND NEW.state = 'disposed'
       AND to_jsonb(NEW) - '{state,salt,disposed_at}'::text[] = to_jsonb(OLD) - '{state,salt,disposed_at}'::text[] THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'documents_paper' AND OLD.state = 'valid' AND NEW.state = 'void'
       AND to_jsonb(NEW) - '{state,void_reason,voided_by,voided_at}'::text[]
         = to_jsonb(OLD) - '{state,void_reason,voided_by,voided_at}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of a row of % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER documents_document_fixed BEFORE UPDATE OR DELETE ON documents_document
    FOR EACH ROW EXECUTE FUNCTION documents_refuse_change();
CREATE TRIGGER documents_paper_fixed BEFORE UPDATE OR DELETE ON documents_paper
    FOR EACH ROW EXECUTE FUNCTION documents_refuse_change();
