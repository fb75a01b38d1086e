-- What nobody may change any more (K6), and the numbers of custody's papers.

CREATE SEQUENCE custody_number;

-- The chain of custody, count sheets, supervision reports and witnesses are append-only.
CREATE FUNCTION custody_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER custody_carrierevent_append_only BEFORE UPDATE OR DELETE ON custody_carrierevent
    FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();
CREATE TRIGGER custody_countsheet_append_only BEFORE UPDATE OR DELETE ON custody_countsheet
    FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();
CREATE TRIGGER custody_supervisionreport_append_only BEFORE UPDATE OR DELETE ON custody_supervisionreport
    FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();
CREATE TRIGGER custody_carrierdestructionwitness_append_only BEFORE UPDATE OR DELETE ON custody_carrierdestructionwitness
    FOR EACH ROW EXECUTE FUNCTION custody_refuse_change();

-- A hand-over that has ended, a count that is closed and a destruction that is closed stay as they are.
CREATE FUNCTION custody_refuse_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state IN ('completed', 'cancelled', 'expired', 'disputed', 'agreed', 'differed', 'closed',
                                         'given_up') THEN
        RAISE EXCEPTION '% % is %', TG_TABLE_NAME, OLD.number, OLD.state USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_handover_ended BEFORE UPDATE OR DELETE ON custody_handover
    FOR EACH ROW EXECUTE FUNCTION custody_refuse_ended();
CREATE TRIGGER custody_stockcount_ended BEFORE UPDATE OR DELETE ON custody_stockcount
    FOR EACH ROW EXECUTE FUNCTION custody_refuse_ended();
CREATE TRIGGER custody_carrierdestruction_ended BEFORE UPDATE OR DELETE ON custody_carrierdestruction
    FOR EACH ROW EXECUTE FUNCTION custody_refuse_ended();

-- What is on a destruction is settled while it is open.
CREATE FUNCTION custody_refuse_closed_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR EXISTS (
        SELECT FROM custody_carrierdestruction WHERE id = NEW.destruction_id AND state <> 'open'
    ) THEN
        RAISE EXCEPTION '% of a destruction: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_carrierdestructionitem_closed BEFORE INSERT OR UPDATE OR DELETE ON custody_carrierdestructionitem
    FOR EACH ROW EXECUTE FUNCTION custody_refuse_closed_rows();
CREATE TRIGGER custody_carrierdestructionwitness_closed BEFORE INSERT ON custody_carrierdestructionwitness
    FOR EACH ROW EXECUTE FUNCTION custody_refuse_closed_rows();

DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sheka_app') THEN
        GRANT USAGE ON SEQUENCE custody_number TO sheka_app;
        REVOKE UPDATE, DELETE, TRUNCATE ON custody_carrierevent, custody_countsheet, custody_supervisionreport,
            custody_carrierdestructionwitness FROM sheka_app;
        REVOKE DELETE, TRUNCATE ON custody_carrier, custody_carrierorder, custody_handover, custody_stockcount,
            custody_entrustment, custody_carrierdestruction, custody_carrierdestructionitem, custody_vendorfiling
            FROM sheka_app;
    END IF;
END $$;
