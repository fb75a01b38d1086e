-- The scope of this session: paths of the tree, set by the application; nothing set gives no organisation.
CREATE FUNCTION sheka_scope() RETURNS ltree[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT string_to_array(nullif(current_setting('sheka.scope', true), ''), ',')::ltree[]
$$;

-- The codes of the organisations in scope. Policies call it inside (SELECT ...), so it runs once a statement.
CREATE FUNCTION sheka_organisations_in_scope() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(code::text), '{}') FROM organisations_organisation WHERE path <@ sheka_scope()
$$;
