-- What a card and a PSAM signed between themselves pays once (C1, S10): the terminal transaction sequence that the PSAM gave
-- to it is remembered with the request that used it. A recorded field 55 under another STAN is a replay.

CREATE TABLE transactions_offline (
    business_date  date NOT NULL,
    terminal_id    integer NOT NULL,
    card_number    text NOT NULL,
    sequence       bigint NOT NULL,
    institution_id integer NOT NULL,
    stan           integer NOT NULL,
    written        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (business_date, terminal_id, card_number, sequence)
);
COMMENT ON TABLE transactions_offline IS 'which request used what card and PSAM signed; date, terminal and time are in the TAC';
COMMENT ON COLUMN transactions_offline.sequence IS 'terminal transaction sequence of the PSAM, as the TAC signs it';

-- Take the numbers of a batch of requests whose TACs were found right, before they are booked and in the same transaction.
-- Answers the places (from 1) of those whose number another request was approved with; they are told as `replay`. The request
-- itself again keeps its number; what was declined or never booked gives it up. In the order of the keys, before any account is
-- locked, so that two switches never wait for each other.
CREATE FUNCTION switch_offline_numbers(p_date date, p_institution integer[], p_terminal integer[], p_stan integer[], p_card text[],
    p_sequence bigint[], p_amount bigint[], p_kind smallint[]) RETURNS integer[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    one     record;
    held    transactions_offline;
    own     boolean;
    booked  record;
    replays integer[] := '{}';
BEGIN
    FOR one IN SELECT u.* FROM unnest(p_institution, p_terminal, p_stan, p_card, p_sequence, p_amount, p_kind) WITH ORDINALITY
            AS u (institution, terminal, stan, card, sequence, amount, kind, place)
            ORDER BY u.terminal, u.card, u.sequence, u.place LOOP
        INSERT INTO transactions_offline (business_date, terminal_id, card_number, sequence, institution_id, stan)
            VALUES (p_date, one.terminal, one.card, one.sequence, one.institution, one.stan) ON CONFLICT DO NOTHING;
        CONTINUE WHEN FOUND;
        SELECT * INTO held FROM transactions_offline o WHERE o.business_date = p_date AND o.terminal_id = one.terminal
            AND o.card_number = one.card AND o.sequence = one.sequence FOR UPDATE;
        CONTINUE WHEN held.stan = one.stan AND held.institution_id = one.institution;
        EXECUTE format('SELECT EXISTS (SELECT FROM transactions_transaction WHERE business_date = %L AND terminal_id = $1'
            ' AND stan = $2 AND institution_id = $3 AND kind <> 2)', p_date)
            INTO own USING one.terminal, one.stan, one.institution;
        CONTINUE WHEN own;  -- it has its stored answer
        EXECUTE format('SELECT id, amount FROM transactions_transaction WHERE business_date = %L AND terminal_id = $1'
            ' AND stan = $2 AND institution_id = $3 AND kind <> 2 AND refusal = 0', p_date)
            INTO booked USING held.terminal_id, held.stan, held.institution_id;
        IF booked.id IS NULL AND held.written <> pg_current_xact_id() THEN
            UPDATE transactions_offline o SET stan = one.stan, institution_id = one.institution, written = pg_current_xact_id()
                WHERE o.business_date = p_date AND o.terminal_id = one.terminal AND o.card_number = one.card
                    AND o.sequence = one.sequence;
            CONTINUE;
        END IF;
        replays := replays || one.place::integer;
        PERFORM switch_abnormal('replay', one.institution, one.terminal, p_date, one.stan, jsonb_build_object('refusal', 4796,
            'kind', one.kind, 'amount', one.amount, 'card', one.card, 'sequence', one.sequence, 'first_stan', held.stan,
            'transaction', booked.id, 'booked', booked.amount));
    END LOOP;
    RETURN replays;
END $$;

-- An advice whose offline number was used is told as a replay only: nobody is to be paid for it.
CREATE FUNCTION pg_temp.patched(p_source text, p_old text, p_new text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF (length(p_source) - length(replace(p_source, p_old, ''))) / length(p_old) <> 1 THEN
        RAISE EXCEPTION 'the function does not hold once: %', p_old;
    END IF;
    RETURN replace(p_source, p_old, p_new);
END $$;

-- Limits by kind of card (S4): each class of p_limits is followed by a place for each of p_kinds, "specification/class" with * for
-- any. The place of a card behind its class: of its specification and class, its specification, its class, else none (0).
CREATE FUNCTION switch_card_place(p_kinds text[], p_specification text, p_class text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_kinds IS NULL THEN 0 ELSE coalesce(
        array_position(p_kinds, p_specification || '/' || p_class), array_position(p_kinds, p_specification || '/*'),
        array_position(p_kinds, '*/' || p_class), 0) END
$$;
DO $$
DECLARE
    purchase text := pg_get_functiondef('switch_purchase_batch'::regproc);
    verb     text := pg_get_functiondef('switch_verb_batch'::regproc);
BEGIN
    purchase := pg_temp.patched(purchase, 'p_limits bigint[] DEFAULT NULL::bigint[],',
        'p_limits bigint[] DEFAULT NULL::bigint[], p_kinds text[] DEFAULT NULL::text[],');
    purchase := pg_temp.patched(purchase, 'SELECT u.*, c.card_id,',
        'SELECT u.*, u.class + switch_card_place(p_kinds, c.specification, c.card_class) AS limits, c.card_id,');
    purchase := pg_temp.patched(purchase, 'switch_limit_refusal(p_limits, u.class, u.amount,',
        'switch_limit_refusal(p_limits, u.class + switch_card_place(p_kinds, c.specification, c.card_class), u.amount,');
    purchase := pg_temp.patched(purchase, 'switch_limit_refusal(p_limits, w.class,', 'switch_limit_refusal(p_limits, w.limits,');
    verb := pg_temp.patched(verb, 'p_limits bigint[], OUT', 'p_limits bigint[], p_kinds text[], OUT');
    verb := pg_temp.patched(verb, 'of_whom  bigint;', E'of_whom  bigint;\n    of_kind  integer;     -- the place of its limits');
    verb := pg_temp.patched(verb, 'SELECT c.card_id, c.person_id, c.state INTO of_card, of_whom, standing FROM',
        E'SELECT c.card_id, c.person_id, c.state, switch_card_place(p_kinds, c.specification, c.card_class)\n'
        '                    INTO of_card, of_whom, standing, of_kind FROM');
    verb := pg_temp.patched(verb, 'switch_limit_refusal(p_limits, p_class[n], asked,',
        'switch_limit_refusal(p_limits, p_class[n] + of_kind, asked,');
    verb := pg_temp.patched(verb, 'CASE WHEN p_advice[n] THEN ''advice_refused'' END',
        'CASE WHEN p_advice[n] AND refused <> 4796 THEN ''advice_refused'' END');
    verb := pg_temp.patched(verb, 'known.refusal <> 0 AND p_advice[n] THEN', 'known.refusal NOT IN (0, 4796) AND p_advice[n] THEN');
    DROP FUNCTION switch_purchase_batch(date, integer[], integer[], integer[], text[], text[], bigint[], smallint[], smallint[],
        text[], integer[], bigint, integer[], bigint[]);
    DROP FUNCTION switch_verb_batch(date, integer[], integer[], integer[], text[], text[], bigint[], smallint[], smallint[],
        text[], integer[], bigint, smallint[], boolean[], date[], integer[], integer[], smallint[], bigint[], timestamptz[],
        integer[], integer[], bigint[]);
    EXECUTE purchase;
    EXECUTE verb;
END $$;

DO $$
DECLARE
    one regprocedure;
BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN ('switch_purchase_batch', 'switch_verb_batch', 'switch_offline_numbers') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, sheka_app', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sheka_switch', one);
        EXECUTE format('ALTER FUNCTION %s OWNER TO sheka_ledger', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
    REVOKE EXECUTE ON FUNCTION switch_card_place(text[], text, text) FROM PUBLIC, sheka_app;
    GRANT EXECUTE ON FUNCTION switch_card_place(text[], text, text), cards_holder(text) TO sheka_ledger;
END $$;
DROP FUNCTION pg_temp.patched(text, text, text);
GRANT SELECT (specification, card_class) ON cards_card TO sheka_ledger;
REVOKE ALL ON transactions_offline FROM sheka_app;
GRANT SELECT, INSERT, UPDATE ON transactions_offline TO sheka_ledger;
