-- What the switch asks, and what nobody may change any more (R4, design §2.4).

-- Whose card is this, and may it be used? Read by the switch for every transaction.
CREATE FUNCTION cards_holder(card_number text) RETURNS TABLE (card_id bigint, person_id bigint, state text)
LANGUAGE sql STABLE AS $$
    SELECT card.id, card.person_id, card.state::text FROM cards_card AS card WHERE card.number = card_number
$$;

-- The numbers of confirmations, forms, transfers and batches: unique, never given twice, gaps allowed.
CREATE SEQUENCE cards_document_number;

-- The life of a card is append-only.
CREATE FUNCTION cards_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER cards_cardevent_append_only BEFORE UPDATE OR DELETE ON cards_cardevent
    FOR EACH ROW EXECUTE FUNCTION cards_refuse_change();
CREATE TRIGGER cards_datachange_append_only BEFORE UPDATE OR DELETE ON cards_datachange
    FOR EACH ROW EXECUTE FUNCTION cards_refuse_change();
CREATE TRIGGER cards_documentcheck_append_only BEFORE UPDATE OR DELETE ON cards_documentcheck
    FOR EACH ROW EXECUTE FUNCTION cards_refuse_change();
CREATE TRIGGER cards_destructionwitness_append_only BEFORE UPDATE OR DELETE ON cards_destructionwitness
    FOR EACH ROW EXECUTE FUNCTION cards_refuse_change();

-- A destruction batch that is closed never changes again, nor do its rows.
CREATE FUNCTION cards_refuse_closed_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'open' THEN
        RAISE EXCEPTION 'destruction batch % is %', OLD.number, OLD.state USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'destruction batch % is a record', OLD.number USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cards_destructionbatch_closed BEFORE UPDATE OR DELETE ON cards_destructionbatch
    FOR EACH ROW EXECUTE FUNCTION cards_refuse_closed_batch();

CREATE FUNCTION cards_refuse_closed_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR EXISTS (
        SELECT FROM cards_destructionbatch WHERE id IN (NEW.batch_id, OLD.batch_id) AND state <> 'open'
    ) THEN
        RAISE EXCEPTION '% of a destruction batch: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cards_destructionitem_closed BEFORE INSERT OR UPDATE OR DELETE ON cards_destructionitem
    FOR EACH ROW EXECUTE FUNCTION cards_refuse_closed_rows();
CREATE TRIGGER cards_destructionwitness_closed BEFORE INSERT ON cards_destructionwitness
    FOR EACH ROW EXECUTE FUNCTION cards_refuse_closed_rows();

DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sheka_app') THEN
        GRANT USAGE ON SEQUENCE cards_document_number TO sheka_app;
        REVOKE UPDATE, DELETE, TRUNCATE ON cards_cardevent, cards_datachange, cards_documentcheck, cards_destructionwitness
            FROM sheka_app;
        REVOKE DELETE, TRUNCATE ON cards_card, cards_person, cards_exchangecase, cards_destructionbatch, cards_destructionitem
            FROM sheka_app;
    END IF;
END $$;
