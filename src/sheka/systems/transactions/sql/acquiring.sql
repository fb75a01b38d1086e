-- The registry of institutions (S4): rows of earlier versions get a kind and a region; test cards and what test terminals said.
UPDATE transactions_institution i SET
    kind = CASE left(i.code, 1) WHEN 'H' THEN 'hospital' WHEN 'P' THEN 'pharmacy' ELSE 'other' END,
    region = (SELECT o.region FROM organisations_organisation o WHERE o.code = i.organisation_id),
    mac_since = i.registered_at;
UPDATE transactions_terminal t SET region = left(t.number, 6);

-- A test side belongs to the organisation of its institution and is never the test side of a test side.
CREATE FUNCTION transactions_check_test_side() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.test_of_id IS NOT NULL AND EXISTS (SELECT FROM transactions_institution i WHERE i.id = NEW.test_of_id
            AND (i.test_of_id IS NOT NULL OR i.organisation_id <> NEW.organisation_id)) THEN
        RAISE EXCEPTION 'a test side belongs to an institution of its own organisation';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.test_of_id IS DISTINCT FROM OLD.test_of_id THEN
        RAISE EXCEPTION 'a test side stays one, and nothing else becomes one' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER transactions_institution_test_side BEFORE INSERT OR UPDATE OF test_of_id ON transactions_institution
    FOR EACH ROW EXECUTE FUNCTION transactions_check_test_side();

CREATE TRIGGER transactions_testcard_announce AFTER INSERT OR UPDATE OR DELETE ON transactions_testcard
    FOR EACH STATEMENT EXECUTE FUNCTION transactions_announce_change();
CREATE TRIGGER transactions_trial_append_only BEFORE UPDATE OR DELETE ON transactions_trial
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER transactions_trial_no_truncate BEFORE TRUNCATE ON transactions_trial
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();

-- The numbers of the cards for tests: the switch keeps them in memory beside the block list.
CREATE FUNCTION switch_test_cards() RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT coalesce(array_agg(card_number::text), '{}') FROM transactions_testcard WHERE ended_at IS NULL
$$;

-- What test terminals said and were answered, since the last call.
CREATE FUNCTION switch_trials_seen(p_terminal integer[], p_at timestamptz[], p_type text[], p_processing text[],
    p_network text[], p_stan text[], p_day text[], p_amount bigint[], p_card text[], p_code text[], p_refusal integer[],
    p_booked bigint[], p_balance bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    INSERT INTO transactions_trial (terminal_id, at, type, processing, network, stan, day, amount, card_number, response_code,
        refusal, booked, balance)
    SELECT u.* FROM unnest(p_terminal, p_at, p_type, p_processing, p_network, p_stan, p_day, p_amount, p_card, p_code, p_refusal,
        p_booked, p_balance) AS u (terminal, at, type, processing, network, stan, day, amount, card, code, refusal, booked, balance)
    JOIN transactions_terminal t ON t.id = u.terminal JOIN transactions_institution i ON i.id = t.institution_id
    WHERE i.test_of_id IS NOT NULL
$$;

DO $$
DECLARE
    one regprocedure;
BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN ('switch_test_cards', 'switch_trials_seen') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, sheka_app', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sheka_switch', one);
        EXECUTE format('ALTER FUNCTION %s OWNER TO sheka_ledger', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
GRANT SELECT ON transactions_testcard, transactions_trial TO sheka_ledger;
GRANT INSERT ON transactions_trial TO sheka_ledger;
GRANT USAGE ON SEQUENCE transactions_trial_id_seq TO sheka_ledger;
REVOKE INSERT, UPDATE, DELETE ON transactions_trial FROM sheka_app;
REVOKE DELETE ON transactions_certificate, transactions_onboarding, transactions_testcard, transactions_partnerrequest FROM sheka_app;
