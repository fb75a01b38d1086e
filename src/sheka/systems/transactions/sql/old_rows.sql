-- What lies beside the transactions goes when the policy no longer keeps it (S4, policy/retention.toml): keys that were given out,
-- what partners asked over REST, numbers of offline transactions. Whatever the caller says, nothing of the last 60 days does.

CREATE INDEX transactions_workingkey_newest ON transactions_workingkey (institution_id, terminal_id, purpose, id DESC);

-- A key that was given out changes never, and goes only when it is old and its line has had two since: those may be in force.
CREATE FUNCTION transactions_keep_working_key() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.since < clock_timestamp() - interval '60 days' AND EXISTS (
            SELECT FROM transactions_workingkey w WHERE w.institution_id = OLD.institution_id AND w.purpose = OLD.purpose
                AND (w.terminal_id = OLD.terminal_id OR w.terminal_id IS NULL AND OLD.terminal_id IS NULL) AND w.id > OLD.id
            OFFSET 1) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER transactions_workingkey_append_only ON transactions_workingkey;
CREATE TRIGGER transactions_workingkey_append_only BEFORE UPDATE OR DELETE ON transactions_workingkey
    FOR EACH ROW EXECUTE FUNCTION transactions_keep_working_key();

-- A request of a partner goes only when its outcome is known and nothing that is kept is about it.
CREATE FUNCTION transactions_keep_partner_request() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF OLD.state = 'sent' OR OLD.business_date > current_date - 60 THEN
        RAISE EXCEPTION '%: the request % of % stays', TG_TABLE_NAME, OLD.id, OLD.business_date
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER transactions_partnerrequest_keep BEFORE DELETE ON transactions_partnerrequest
    FOR EACH ROW EXECUTE FUNCTION transactions_keep_partner_request();
CREATE TRIGGER transactions_partnerbatch_keep BEFORE DELETE ON transactions_partnerbatch
    FOR EACH ROW EXECUTE FUNCTION transactions_keep_partner_request();

-- Let at most `p_most` rows from before a day go; how many went. Called again until it answers 0.
CREATE FUNCTION transactions_drop_working_keys(p_before date, p_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '2s' AS $$
    WITH gone AS (
        DELETE FROM transactions_workingkey WHERE id IN (
            SELECT k.id FROM (
                SELECT w.id, w.since, row_number() OVER (PARTITION BY w.institution_id, w.terminal_id, w.purpose ORDER BY w.id DESC)
                    AS newer FROM transactions_workingkey w) k
            WHERE k.newer > 2 AND k.since < p_before::timestamp AT TIME ZONE 'Asia/Shanghai' ORDER BY k.id LIMIT p_most)
        RETURNING 1)
    SELECT count(*) FROM gone
$$;
CREATE FUNCTION transactions_drop_partner_requests(p_before date, p_most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '2s' AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM transactions_partnerbatchline l USING transactions_partnerbatch b
        WHERE b.id = l.batch_id AND b.business_date < p_before AND b.state <> 'sent';
    DELETE FROM transactions_partnerbatch b WHERE b.business_date < p_before AND b.state <> 'sent';
    DELETE FROM transactions_tracecounter c WHERE c.business_date < p_before;
    DELETE FROM transactions_partnerrequest WHERE id IN (
        SELECT r.id FROM transactions_partnerrequest r WHERE r.business_date < p_before AND r.state <> 'sent'
            AND NOT EXISTS (SELECT FROM transactions_partnerrequest f WHERE f.original_id = r.id)
            AND NOT EXISTS (SELECT FROM transactions_partnerbatchline l WHERE l.about_id = r.id)
        ORDER BY r.id LIMIT p_most);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
CREATE FUNCTION transactions_drop_offline_numbers(p_before date, p_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '2s' AS $$
    WITH gone AS (
        DELETE FROM transactions_offline o USING (
            SELECT f.business_date, f.terminal_id, f.card_number, f.sequence FROM transactions_offline f
            WHERE f.business_date < least(p_before, current_date - 60) LIMIT p_most) old
        WHERE (o.business_date, o.terminal_id, o.card_number, o.sequence)
            = (old.business_date, old.terminal_id, old.card_number, old.sequence)
        RETURNING 1)
    SELECT count(*) FROM gone
$$;

DO $$
DECLARE
    one regprocedure;
BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN ('transactions_drop_working_keys', 'transactions_drop_partner_requests',
            'transactions_drop_offline_numbers') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sheka_app', one);
        EXECUTE format('ALTER FUNCTION %s OWNER TO sheka_ledger', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
    REVOKE EXECUTE ON FUNCTION transactions_keep_working_key(), transactions_keep_partner_request() FROM PUBLIC, sheka_app;
END $$;
GRANT SELECT, DELETE ON transactions_workingkey, transactions_partnerrequest, transactions_partnerbatch,
    transactions_partnerbatchline, transactions_tracecounter, transactions_offline TO sheka_ledger;
