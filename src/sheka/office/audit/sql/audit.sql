-- The audit chain: append-only by trigger (also for the owner) and by grants (for the application).
CREATE TABLE audit_event (
    sequence        bigint PRIMARY KEY,
    at              timestamptz NOT NULL,
    staff_id        bigint,
    actor           text NOT NULL,
    organisation_id text NOT NULL,
    event           text NOT NULL,
    subject         text NOT NULL,
    facts           text NOT NULL,
    previous        bytea NOT NULL CHECK (length(previous) = 32),
    hash            bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX audit_event_subject ON audit_event (subject, sequence);
CREATE INDEX audit_event_organisation ON audit_event (organisation_id, sequence);

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_event is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sheka_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON audit_event FROM sheka_app;
        GRANT SELECT, INSERT ON audit_event TO sheka_app;
    END IF;
END $$;
