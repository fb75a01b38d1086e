-- PINs of cards of another city of this node (S4, ADR 33): the key that its machine shares with the terminal's. Asked only when such
-- a PIN comes.
CREATE FUNCTION switch_pin_zone(p_acquirer text, p_issuer text, OUT acquirer_reference text, OUT issuer_reference text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT z.acquirer_reference::text, z.issuer_reference::text FROM transactions_pinzone z
    WHERE z.acquirer_id = p_acquirer AND z.issuer_id = p_issuer
$$;
DO $$ BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    REVOKE EXECUTE ON FUNCTION switch_pin_zone(text, text) FROM PUBLIC, sheka_app;
    GRANT EXECUTE ON FUNCTION switch_pin_zone(text, text) TO sheka_switch;
    ALTER FUNCTION switch_pin_zone(text, text) OWNER TO sheka_ledger;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
GRANT SELECT ON transactions_pinzone TO sheka_ledger;
REVOKE DELETE ON transactions_pinzone FROM sheka_app;
