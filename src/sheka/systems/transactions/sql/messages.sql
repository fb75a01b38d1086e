-- What came and went over the lines (S4, S10), and how the switch did each second. Written behind the answers, by connections of
-- their own, through two functions: COPY does not go into a table under row-level security.

-- One row for a request and its answer, as they stood on the line; PIN block and track 2 are blanked before they come here.
-- `day` is the business date where the message has a valid one, else the day on which it came; `stan` is the key under which
-- the request was judged (a reversal has the one of its original); `refusal` 0: approved, NULL: nothing was answered.
CREATE SEQUENCE transactions_message_id CACHE 200;
CREATE TABLE transactions_message (
    id              bigint NOT NULL DEFAULT nextval('transactions_message_id'),
    came_at         timestamptz NOT NULL,
    went_at         timestamptz,
    day             date NOT NULL,
    stan            integer,
    refusal         integer,
    size            integer NOT NULL,
    terminal        text NOT NULL,
    type            text NOT NULL,
    organisation_id text NOT NULL,
    process         text NOT NULL,
    line            text NOT NULL,
    request         bytea NOT NULL,
    answer          bytea
) PARTITION BY RANGE (day);
COMMENT ON COLUMN transactions_message.size IS 'bytes that came; request holds fewer when the message could not be read';
CREATE INDEX transactions_message_key ON transactions_message (terminal, stan);

CREATE TRIGGER transactions_message_append_only BEFORE UPDATE OR DELETE ON transactions_message
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER transactions_message_no_truncate BEFORE TRUNCATE ON transactions_message
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();

-- As transactions_ensure_day: the partitions of a day and of the day after it, closed to whoever does not come through the parent.
CREATE FUNCTION transactions_ensure_message_day(p_date date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    day  date;
    name text;
BEGIN
    FOREACH day IN ARRAY ARRAY[p_date, p_date + 1] LOOP
        name := 'transactions_message_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        PERFORM pg_advisory_xact_lock(5461835, 1);
        CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'public'::regnamespace);
        EXECUTE format('CREATE TABLE public.%I (LIKE public.transactions_message INCLUDING DEFAULTS INCLUDING STORAGE)', name);
        PERFORM transactions_close_partition(name);
        EXECUTE format('ALTER TABLE public.transactions_message ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       name, day, day + 1);
    END LOOP;
END $$;

-- Messages of one day. Moments are epoch microseconds.
CREATE FUNCTION switch_journal(
    p_day date, p_process text, p_came bigint[], p_went bigint[], p_stan integer[], p_refusal integer[], p_size integer[],
    p_terminal text[], p_type text[], p_organisation text[], p_line text[], p_request bytea[], p_answer bytea[]
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    INSERT INTO transactions_message (came_at, went_at, day, stan, refusal, size, terminal, type, organisation_id, process, line,
        request, answer)
    SELECT timestamptz 'epoch' + u.came * interval '1 microsecond', timestamptz 'epoch' + u.went * interval '1 microsecond',
        p_day, u.stan, u.refusal, u.size, u.terminal, u.type, u.organisation, p_process, u.line, u.request, u.answer
    FROM unnest(p_came, p_went, p_stan, p_refusal, p_size, p_terminal, p_type, p_organisation, p_line, p_request, p_answer)
        AS u (came, went, stan, refusal, size, terminal, type, organisation, line, request, answer)
$$;

-- How the switch did: a row for each second, process and organisation with answers. `span` 1: a second, 60: a minute, summed.
-- `answers`: verb and refusal ("1:4421", verb 0: no verb was known, refusal -1: nothing was answered) → number.
-- `latency`: bucket (four to an octave of microseconds) → number of answers.
CREATE TABLE transactions_pulse (
    at              timestamptz NOT NULL,
    span            smallint NOT NULL CHECK (span IN (1, 60)),
    organisation_id text NOT NULL,
    process         text NOT NULL,
    answers         jsonb NOT NULL,
    latency         jsonb NOT NULL,
    PRIMARY KEY (span, at, process, organisation_id)
);
-- The same seconds of the process itself; it belongs to the node. Times in microseconds; `lines` and `queue` are the most.
CREATE TABLE transactions_pulse_process (
    at       timestamptz NOT NULL,
    span     smallint NOT NULL CHECK (span IN (1, 60)),
    process  text NOT NULL,
    lines    integer NOT NULL,
    queue    integer NOT NULL,
    batches  integer NOT NULL,
    requests integer NOT NULL,
    largest  integer NOT NULL,
    machine  bigint NOT NULL,
    base     bigint NOT NULL,
    cpu      bigint NOT NULL,
    kept     bigint NOT NULL,
    dropped  bigint NOT NULL,
    PRIMARY KEY (span, at, process)
);
COMMENT ON COLUMN transactions_pulse_process.base IS 'microseconds that batches waited for the database';

CREATE FUNCTION switch_pulse(
    p_at timestamptz, p_process text, p_organisation text[], p_answers text[], p_latency text[], p_facts bigint[]
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    INSERT INTO transactions_pulse (at, span, organisation_id, process, answers, latency)
    SELECT p_at, 1, u.organisation, p_process, u.answers::jsonb, u.latency::jsonb
    FROM unnest(p_organisation, p_answers, p_latency) AS u (organisation, answers, latency)
    ON CONFLICT DO NOTHING;
    INSERT INTO transactions_pulse_process (at, span, process, lines, queue, batches, requests, largest, machine, base, cpu,
        kept, dropped)
    SELECT p_at, 1, p_process, p_facts[1], p_facts[2], p_facts[3], p_facts[4], p_facts[5], p_facts[6], p_facts[7], p_facts[8],
        p_facts[9], p_facts[10]
    ON CONFLICT DO NOTHING
$$;

-- Sums of whole minutes that have none yet, and what is older than it is kept goes: seconds before p_seconds, minutes before
-- p_minutes. Answers how many minutes were summed and how many rows went.
CREATE FUNCTION transactions_roll_pulses(p_now timestamptz, p_seconds interval, p_minutes interval, OUT summed bigint, OUT gone bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    since timestamptz;
    until timestamptz := date_trunc('minute', p_now);
    n     bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(5461835, 4);
    SELECT coalesce(max(at) + interval '1 minute', '-infinity') INTO since FROM transactions_pulse_process WHERE span = 60;
    INSERT INTO transactions_pulse_process (at, span, process, lines, queue, batches, requests, largest, machine, base, cpu,
        kept, dropped)
    SELECT date_trunc('minute', at), 60, process, max(lines), max(queue), sum(batches), sum(requests), max(largest), sum(machine),
        sum(base), sum(cpu), sum(kept), sum(dropped)
    FROM transactions_pulse_process WHERE span = 1 AND at >= since AND at < until GROUP BY 1, process;
    GET DIAGNOSTICS summed = ROW_COUNT;
    INSERT INTO transactions_pulse (at, span, organisation_id, process, answers, latency)
    SELECT minute, 60, organisation_id, process, coalesce(jsonb_object_agg(key, number) FILTER (WHERE what = 1), '{}'),
        coalesce(jsonb_object_agg(key, number) FILTER (WHERE what = 2), '{}')
    FROM (
        SELECT date_trunc('minute', p.at) AS minute, p.organisation_id, p.process, e.what, e.key, sum(e.value::bigint) AS number
        FROM transactions_pulse p
        CROSS JOIN LATERAL (
            SELECT 1 AS what, * FROM jsonb_each_text(p.answers) UNION ALL SELECT 2, * FROM jsonb_each_text(p.latency)
        ) e
        WHERE p.span = 1 AND p.at >= since AND p.at < until GROUP BY 1, 2, 3, 4, 5
    ) AS counted GROUP BY minute, organisation_id, process;
    DELETE FROM transactions_pulse WHERE span = 1 AND at < p_now - p_seconds OR span = 60 AND at < p_now - p_minutes;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM transactions_pulse_process WHERE span = 1 AND at < p_now - p_seconds OR span = 60 AND at < p_now - p_minutes;
    GET DIAGNOSTICS n = ROW_COUNT;
    gone := gone + n;
END $$;

DO $$
DECLARE
    one regprocedure;
BEGIN
    GRANT CREATE ON SCHEMA public TO sheka_ledger;  -- PostgreSQL wants it of a new owner
    FOR one IN SELECT oid FROM pg_proc WHERE proname IN ('switch_journal', 'switch_pulse') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, sheka_app', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sheka_switch', one);
        EXECUTE format('ALTER FUNCTION %s OWNER TO sheka_ledger', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM sheka_ledger;
END $$;
GRANT EXECUTE ON FUNCTION transactions_ensure_message_day(date) TO sheka_switch;
GRANT INSERT ON transactions_message, transactions_pulse, transactions_pulse_process TO sheka_ledger;
GRANT SELECT ON transactions_pulse, transactions_pulse_process TO sheka_ledger;  -- for ON CONFLICT
GRANT USAGE ON SEQUENCE transactions_message_id TO sheka_ledger;
REVOKE ALL ON SEQUENCE transactions_message_id FROM sheka_app;
REVOKE INSERT, UPDATE, DELETE ON transactions_message FROM sheka_app;
REVOKE UPDATE ON transactions_pulse, transactions_pulse_process FROM sheka_app;
