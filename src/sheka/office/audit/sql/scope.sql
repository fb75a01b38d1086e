-- The end of the chain, whichever organisation wrote it: whoever appends needs it and may not see that row.
-- The caller holds the chain's lock when it appends; nothing but the number and the hash is told.
CREATE FUNCTION audit_head() RETURNS TABLE (sequence bigint, hash bytea)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT e.sequence, e.hash FROM audit_event e ORDER BY e.sequence DESC LIMIT 1
$$;

-- An auditor of the node reads the audit rows of all organisations and nothing else.
GRANT SELECT ON audit_event TO sheka_auditor;
