-- The line to institutions (S4): what the switch reads and writes of keys, PINs and faults. Every function runs as sheka_ledger.

CREATE TRIGGER transactions_workingkey_append_only BEFORE UPDATE OR DELETE ON transactions_workingkey
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER transactions_workingkey_no_truncate BEFORE TRUNCATE ON transactions_workingkey
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER transactions_workingkey_announce AFTER INSERT ON transactions_workingkey
    FOR EACH STATEMENT EXECUTE FUNCTION transactions_announce_registry();
CREATE TRIGGER transactions_lineroot_announce AFTER INSERT OR UPDATE ON transactions_lineroot
    FOR EACH STATEMENT EXECUTE FUNCTION transactions_announce_registry();
CREATE TRIGGER transactions_certificate_announce AFTER INSERT OR UPDATE OR DELETE ON transactions_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION transactions_announce_registry();
ALTER TABLE transactions_lineevent ALTER at SET DEFAULT clock_timestamp();
ALTER TABLE transactions_workingkey ALTER since SET DEFAULT clock_timestamp();

-- A key that was given out. 4706 when the very same request was served before.
CREATE FUNCTION switch_take_key(p_institution integer, p_terminal integer, p_purpose text, p_factor text, p_check text,
    p_asked text, p_subject text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO transactions_workingkey (institution_id, terminal_id, purpose, factor, check_value, asked)
        VALUES (p_institution, p_terminal, p_purpose, p_factor, p_check, p_asked) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 4706;
    END IF;
    INSERT INTO transactions_lineevent (kind, institution_id, subject, facts)
        VALUES ('line.key_given_out', p_institution, p_subject, jsonb_build_object('purpose', p_purpose, 'check_value', p_check));
    RETURN 0;
END $$;

-- Count what was wrong of terminals. At `p_limit` within `p_seconds` an active terminal is locked (not for the clock, which is told
-- of once in that time). Answers the terminals that were locked now.
CREATE FUNCTION switch_faults(p_kind text, p_terminal integer[], p_times integer[], p_limit integer, p_seconds integer,
    p_facts jsonb) RETURNS integer[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    one    record;
    total  integer;
    holder integer;
    number text;
    locked integer[] := '{}';
BEGIN
    FOR one IN SELECT t.terminal, t.times FROM unnest(p_terminal, p_times) AS t (terminal, times) ORDER BY 1 LOOP
        INSERT INTO transactions_terminalfault AS f (terminal_id, kind, times, since, last_at)
            VALUES (one.terminal, p_kind, one.times, clock_timestamp(), clock_timestamp())
        ON CONFLICT (terminal_id, kind) DO UPDATE SET last_at = excluded.last_at,
            times = CASE WHEN f.since < excluded.since - p_seconds * interval '1 second' THEN excluded.times
                ELSE f.times + excluded.times END,
            since = CASE WHEN f.since < excluded.since - p_seconds * interval '1 second' THEN excluded.since ELSE f.since END
        RETURNING f.times INTO total;
        SELECT t.institution_id, t.number INTO holder, number FROM transactions_terminal t WHERE t.id = one.terminal;
        IF p_kind = 'clock' THEN
            IF total = one.times THEN
                PERFORM switch_abnormal('clock_skew', holder, one.terminal, NULL, NULL, p_facts);
            END IF;
            CONTINUE;
        END IF;
        CONTINUE WHEN total < p_limit;
        UPDATE transactions_terminal SET state = 'locked' WHERE id = one.terminal AND state = 'active';
        IF FOUND THEN
            UPDATE transactions_terminalfault SET locked_at = clock_timestamp() WHERE terminal_id = one.terminal AND kind = p_kind;
            PERFORM switch_abnormal(CASE p_kind WHEN 'mac' THEN 'wrong_mac' ELSE 'wrong_' || p_kind END, holder, one.terminal, NULL,
                NULL, p_facts || jsonb_build_object('times', total, 'locked', true));
            INSERT INTO transactions_lineevent (kind, institution_id, subject, facts)
                VALUES ('terminal.locked', holder, 'terminal:' || number, jsonb_build_object('kind', p_kind, 'times', total));
            locked := locked || one.terminal;
        END IF;
    END LOOP;
    RETURN locked;
END $$;

-- Which of these requests are in the tables already: they get their stored answer, and nothing of them is counted again.
CREATE FUNCTION switch_taken(p_date date, p_institution integer[], p_terminal integer[], p_stan integer[]) RETURNS boolean[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    found boolean[];
BEGIN
    EXECUTE format($q$
        SELECT array_agg(EXISTS (SELECT FROM transactions_transaction t WHERE t.business_date = %L AND t.terminal_id = u.terminal
            AND t.stan = u.stan AND t.institution_id = u.institution AND t.kind <> 2) ORDER BY place)
        FROM unnest($1, $2, $3) WITH ORDINALITY AS u (institution, terminal, stan, place) $q$, p_date)
    INTO found USING p_institution, p_terminal, p_stan;
    RETURN found;
END $$;

-- A try of a PIN is counted before it is judged, so that many at once are no more than many. Answers what is kept, or a refusal:
-- 4712 blocked, 4713 no PIN. In the order of the cards' numbers, so that two switches never wait for each other.
CREATE FUNCTION switch_pin_tries(p_cards text[], p_limit integer, OUT places integer[], OUT refusals integer[], OUT roots text[],
    OUT organisations text[], OUT pin_values text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    one  record;
    kept record;
BEGIN
    FOR one IN SELECT u.card, u.place::integer FROM unnest(p_cards) WITH ORDINALITY AS u (card, place) ORDER BY 1, 2 LOOP
        UPDATE transactions_cardpin p SET tries = p.tries + 1,
            blocked_at = CASE WHEN p.tries + 1 > p_limit THEN coalesce(p.blocked_at, clock_timestamp()) END
        FROM transactions_lineroot r WHERE p.card_number = one.card AND r.id = p.root_id AND p.blocked_at IS NULL
        RETURNING p.tries, p.value, p.organisation_id, r.reference INTO kept;
        places := places || one.place;
        refusals := refusals || CASE WHEN FOUND THEN CASE WHEN kept.tries > p_limit THEN 4712 ELSE 0 END
            WHEN EXISTS (SELECT FROM transactions_cardpin WHERE card_number = one.card) THEN 4712 ELSE 4713 END;
        roots := roots || coalesce(kept.reference, '')::text;
        organisations := organisations || coalesce(kept.organisation_id, '')::text;
        pin_values := pin_values || coalesce(kept.value, '')::text;
    END LOOP;
END $$;
-- After the judgement: right ones forgive the wrong ones before; tries that were no PIN block are not held against the card; who
-- used up the last try is blocked.
CREATE FUNCTION switch_pin_judged(p_right text[], p_void text[], p_wrong text[], p_limit integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    one text;
BEGIN
    FOR one IN SELECT DISTINCT u FROM unnest(p_right || p_void || p_wrong) AS u ORDER BY 1 LOOP
        UPDATE transactions_cardpin p SET
            tries = CASE WHEN one = ANY (p_right) THEN 0
                ELSE greatest(p.tries - cardinality(array_positions(p_void, one)), 0) END,
            blocked_at = CASE WHEN one = ANY (p_right) THEN NULL
                WHEN one = ANY (p_wrong) AND p.tries - cardinality(array_positions(p_void, one)) >= p_limit
                THEN clock_timestamp() END
        WHERE p.card_number = one AND (p.blocked_at IS NULL OR one = ANY (p_right));
    END LOOP;
END $$;

-- Cards whose cryptograms are to be judged: whose machine, the factor of their keys, and the references of DTK and DPK by version.
CREATE FUNCTION switch_card_keys(p_cards text[], OUT cards text[], OUT organisations text[], OUT algorithms integer[],
    OUT factors text[], OUT key_names text[], OUT key_references text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT array_agg(c.number::text), array_agg(c.organisation_id::text), array_agg(c.algorithm::integer), array_agg(c.factor::text),
        array_agg(k.name || '/' || k.version), array_agg(k.reference::text)
    FROM cards_card c JOIN keys_key k ON k.organisation_id = c.organisation_id AND k.algorithm = c.algorithm
        AND k.name IN ('DTK', 'DPK') AND k.state = 'active' AND k.reference <> ''
    WHERE c.number = ANY (p_cards)
$$;

DO $$
DECLARE
    one regprocedure;
BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN ('switch_take_key', 'switch_faults', 'switch_taken', 'switch_pin_tries',
        'switch_pin_judged', 'switch_card_keys')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, sheka_app', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sheka_switch', one);
        EXECUTE format('ALTER FUNCTION %s OWNER TO sheka_ledger', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
GRANT SELECT ON transactions_lineroot, transactions_workingkey, transactions_certificate TO sheka_switch;
GRANT SELECT ON transactions_lineroot, transactions_workingkey TO sheka_ledger;
GRANT INSERT ON transactions_workingkey, transactions_lineevent TO sheka_ledger;
GRANT SELECT, INSERT, UPDATE ON transactions_terminalfault TO sheka_ledger;
GRANT SELECT, UPDATE (tries, blocked_at) ON transactions_cardpin TO sheka_ledger;
GRANT UPDATE (state) ON transactions_terminal TO sheka_ledger;
GRANT SELECT (organisation_id, algorithm, factor) ON cards_card TO sheka_ledger;
GRANT SELECT (organisation_id, name, algorithm, version, reference, state) ON keys_key TO sheka_ledger;
GRANT USAGE ON SEQUENCE transactions_workingkey_id_seq, transactions_lineevent_id_seq, transactions_terminalfault_id_seq
    TO sheka_ledger;
REVOKE INSERT, UPDATE, DELETE ON transactions_workingkey, transactions_lineevent, transactions_terminalfault FROM sheka_app;
GRANT UPDATE (told_at) ON transactions_lineevent TO sheka_app;
GRANT UPDATE (times, since, locked_at) ON transactions_terminalfault TO sheka_app;
REVOKE DELETE ON transactions_lineroot, transactions_cardpin FROM sheka_app;
