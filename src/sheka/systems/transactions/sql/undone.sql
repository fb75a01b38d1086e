-- What is done again (S4, S10, docs/adr/0040): a reversal takes a void back only as far as the original of what the void had undone
-- has room for it. Meanwhile something else may have followed there: another refund of the same purchase, the reversal of the
-- completion that was refunded, a completion told after the hold had lapsed. And what is taken back after it lapsed is taken back.

CREATE FUNCTION pg_temp.patched(p_source text, p_old text, p_new text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF (length(p_source) - length(replace(p_source, p_old, ''))) / length(p_old) <> 1 THEN
        RAISE EXCEPTION 'the function does not hold once: %', p_old;
    END IF;
    RETURN replace(p_source, p_old, p_new);
END $$;

DO $$
DECLARE
    verb text := pg_get_functiondef('switch_verb_batch'::regproc);
BEGIN
    verb := pg_temp.patched(verb, 'taken    bigint;', $new$taken    bigint;
    used     bigint;      -- what followed the original of what a void had undone, when the void is taken back
    room     bigint;      -- and what is left of that original$new$);
    verb := pg_temp.patched(verb, 'verb := base.kind; back := true;', $new$verb := base.kind; back := true;
                        IF verb IN (4, 6) THEN
                            EXECUTE format('SELECT amount FROM transactions_transaction WHERE business_date = %L AND account_id = $1'
                                ' AND id = $2', coalesce(base.original_date, base.business_date))
                                INTO room USING base.account_id, base.original;
                            SELECT coalesce(sum(l.amount), 0) INTO used FROM transactions_link l WHERE l.original = base.original;
                            room := coalesce(room, 0) - used;  -- nothing of what is known no more
                        END IF;$new$);
    verb := pg_temp.patched(verb, 'SELECT e.ending INTO ending FROM accounts_pending_end e WHERE e.pending_id = hold.id;',
        $new$SELECT e.ending INTO ending FROM accounts_pending_end e WHERE e.pending_id = hold.id;
                IF p_kind[n] = 4 AND ending = 3 AND taken > 0
                        AND (switch_find(orig.business_date, p_institution[n], orig.terminal_id, orig.stan, true)).refusal = 0 THEN
                    ending := 2;  -- it had lapsed, and then it was taken back
                END IF;$new$);
    verb := pg_temp.patched(verb, 'WHEN verb = 4 AND ending IN (1, 2) THEN  -- it was completed anew, or given up',
        'WHEN verb = 4 AND (ending IN (1, 2) OR used <> 0) THEN  -- it was completed anew, or given up');
    verb := pg_temp.patched(verb, 'WHEN back THEN
                        moved := asked;', $new$WHEN back AND room < asked THEN  -- it was given back otherwise
                        refused := 4477; abnormal := 'reversal_of_followed';
                    WHEN back THEN
                        moved := asked;$new$);
    verb := pg_temp.patched(verb, 'IF orig.id IS NOT NULL AND NOT (orig.kind = 3 AND p_kind[n] IN (2, 5) AND releases IS NULL) THEN',
        'IF orig.id IS NOT NULL THEN');
    GRANT CREATE ON SCHEMA public TO sheka_ledger;
    SET LOCAL ROLE sheka_ledger;  -- the owner of the function; who migrates does not inherit that
    EXECUTE verb;
    RESET ROLE;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
DROP FUNCTION pg_temp.patched(text, text, text);
