-- The tree itself: everyone reads it (it is the directory, and the scope is made from it), each writes in its scope only.
ALTER TABLE organisations_organisation ENABLE ROW LEVEL SECURITY;
ALTER TABLE organisations_organisation FORCE ROW LEVEL SECURITY;
CREATE POLICY organisations_organisation_read ON organisations_organisation FOR SELECT USING (true);
CREATE POLICY organisations_organisation_scope ON organisations_organisation USING (path <@ (SELECT sheka_scope()));
REVOKE DELETE, TRUNCATE ON organisations_organisation FROM sheka_app;

-- The body is bound to its objects when it is made: no search path of a session can put another table or operator there.
CREATE OR REPLACE FUNCTION sheka_scope() RETURNS ltree[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN string_to_array(nullif(current_setting('sheka.scope', true), ''), ',')::ltree[];
CREATE OR REPLACE FUNCTION sheka_organisations_in_scope() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT coalesce(array_agg(code::text), '{}') FROM organisations_organisation WHERE path <@ sheka_scope());

-- Wider signatures: fewer wrong pages when a subtree is looked up among many organisations (measured: docs/adr/0006).
DROP INDEX organisations_organisation_path_gist;
CREATE INDEX organisations_organisation_path_gist ON organisations_organisation USING gist (path gist_ltree_ops (siglen = 100));
