-- Which of these organisations may do no production work with its machine today (K4): not registered, retired, or without a
-- certificate in force; and the references of keys that an incident suspended. The demonstration works without a certificate,
-- and says so everywhere.
CREATE FUNCTION switch_machines(p_codes text[], p_demo boolean, OUT idle text[], OUT suspended text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT coalesce(array_agg(code ORDER BY code) FILTER (WHERE CASE WHEN p_demo THEN coalesce(m.state = 'retired', false)
            ELSE m.state IS NULL OR m.state = 'retired'
                OR coalesce(m.production_until < (now() AT TIME ZONE 'Asia/Shanghai')::date, true) END), '{}'),
        coalesce((SELECT array_agg(one ->> 'reference' ORDER BY one ->> 'reference')
            FROM keys_machine k, jsonb_array_elements(k.stopped) one WHERE k.organisation_id = ANY (p_codes)), '{}')
    FROM unnest(p_codes) AS code LEFT JOIN keys_machine m ON m.organisation_id = code
$$;
DO $$ BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    REVOKE EXECUTE ON FUNCTION switch_machines(text[], boolean) FROM PUBLIC, sheka_app;
    GRANT EXECUTE ON FUNCTION switch_machines(text[], boolean) TO sheka_switch;
    ALTER FUNCTION switch_machines(text[], boolean) OWNER TO sheka_ledger;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
GRANT SELECT (organisation_id, state, production_until, stopped) ON keys_machine TO sheka_ledger;
