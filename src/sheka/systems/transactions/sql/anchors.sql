-- Anchors are written once, like what they prove.
CREATE TRIGGER transactions_anchor_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions_anchor
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER transactions_anchoredstretch_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions_anchoredstretch
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
REVOKE UPDATE, DELETE ON transactions_anchor, transactions_anchoredstretch FROM sheka_app;
