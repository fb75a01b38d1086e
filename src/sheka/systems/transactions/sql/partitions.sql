-- Partitions of the transactions by business date, made ahead, taken off and put back (S4, docs/adr/0032).
-- Lock order: the advisory lock of the partitions, then the parent table, then its partitions.

-- Where a row goes whose day has no partition: nothing is refused for want of one. The job moves such rows into their day.
CREATE TABLE transactions_transaction_rest (LIKE transactions_transaction INCLUDING DEFAULTS INCLUDING STORAGE);
SELECT transactions_close_partition('transactions_transaction_rest');
CREATE POLICY transactions_transaction_rest_owner ON transactions_transaction_rest FOR SELECT TO CURRENT_USER USING (true);
ALTER TABLE transactions_transaction ATTACH PARTITION transactions_transaction_rest DEFAULT;

-- Make the partition of one day. Nothing when it is there; refused (SK504) when the day is archived and taken off.
CREATE FUNCTION transactions_make_day(p_day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    name text := 'transactions_transaction_' || to_char(p_day, 'YYYYMMDD');
BEGIN
    IF to_regclass('public.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(5461835, 1);
    -- Asked of the table, not of to_regclass: its cache may still say what it said before we waited.
    IF EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'public'::regnamespace) THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM transactions_archive a WHERE a.business_date = p_day AND a.state = 'detached') THEN
        RAISE EXCEPTION 'the business day % is archived', p_day USING ERRCODE = 'SK504';
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.transactions_transaction INCLUDING DEFAULTS INCLUDING STORAGE)', name);
    PERFORM transactions_close_partition(name);
    EXECUTE format('ALTER TABLE public.transactions_transaction ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   name, p_day, p_day + 1);
    RETURN true;
END $$;

-- As in switch_role.sql; but it waits a second at most. A day that could not get its partition in that time, since a report
-- reads the table, goes into the rest until the job has settled it: a purchase never waits for a partition.
CREATE OR REPLACE FUNCTION transactions_ensure_day(p_date date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '1s' AS $$
DECLARE
    day date;
BEGIN
    FOREACH day IN ARRAY ARRAY[p_date, p_date + 1] LOOP
        CONTINUE WHEN to_regclass('public.transactions_transaction_' || to_char(day, 'YYYYMMDD')) IS NOT NULL;
        BEGIN
            PERFORM transactions_make_day(day);
        EXCEPTION
            WHEN lock_not_available OR check_violation THEN
                NULL;  -- in use, or the rest holds rows of this day already
        END;
    END LOOP;
END $$;

-- No row is put into a day that is archived and taken off: it would be seen by nobody who reads the archive.
CREATE FUNCTION transactions_refuse_archived() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (SELECT FROM transactions_archive a WHERE a.business_date = NEW.business_date AND a.state = 'detached') THEN
        RAISE EXCEPTION 'the business day % is archived', NEW.business_date USING ERRCODE = 'SK504';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER transactions_transaction_rest_archived BEFORE INSERT ON transactions_transaction_rest
    FOR EACH ROW EXECUTE FUNCTION transactions_refuse_archived();

-- Move what lies in the rest into partitions of its days: the rest is taken off, an empty one put in its place, and its rows
-- are written into their days, all or nothing. Answers how many rows were moved.
CREATE FUNCTION transactions_settle_rest() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '2s' AS $$
DECLARE
    held  bigint;
    moved bigint := 0;
    part  bigint;
    day   date;
BEGIN
    IF NOT EXISTS (SELECT FROM transactions_transaction_rest) THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock(5461835, 1);
    LOCK TABLE public.transactions_transaction IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE public.transactions_transaction DETACH PARTITION public.transactions_transaction_rest;
    ALTER TABLE public.transactions_transaction_rest RENAME TO transactions_transaction_settling;
    CREATE TABLE public.transactions_transaction_rest (LIKE public.transactions_transaction INCLUDING DEFAULTS INCLUDING STORAGE);
    PERFORM transactions_close_partition('transactions_transaction_rest');
    DROP POLICY transactions_transaction_rest_owner ON public.transactions_transaction_settling;
    CREATE POLICY transactions_transaction_rest_owner ON public.transactions_transaction_rest FOR SELECT TO CURRENT_USER USING (true);
    CREATE TRIGGER transactions_transaction_rest_archived BEFORE INSERT ON public.transactions_transaction_rest
        FOR EACH ROW EXECUTE FUNCTION transactions_refuse_archived();
    ALTER TABLE public.transactions_transaction ATTACH PARTITION public.transactions_transaction_rest DEFAULT;
    ALTER TABLE public.transactions_transaction_settling NO FORCE ROW LEVEL SECURITY;
    SELECT count(*) INTO held FROM transactions_transaction_settling;
    FOR day IN SELECT DISTINCT business_date FROM transactions_transaction_settling ORDER BY 1 LOOP
        EXECUTE format('CREATE TABLE public.%1$I (LIKE public.transactions_transaction INCLUDING DEFAULTS INCLUDING STORAGE);'
                       'INSERT INTO public.%1$I SELECT * FROM public.transactions_transaction_settling WHERE business_date = %2$L',
                       'transactions_transaction_' || to_char(day, 'YYYYMMDD'), day);
        EXECUTE format('SELECT count(*) FROM public.%I', 'transactions_transaction_' || to_char(day, 'YYYYMMDD')) INTO part;
        moved := moved + part;
        PERFORM transactions_close_partition('transactions_transaction_' || to_char(day, 'YYYYMMDD'));
        EXECUTE format('ALTER TABLE public.transactions_transaction ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       'transactions_transaction_' || to_char(day, 'YYYYMMDD'), day, day + 1);
    END LOOP;
    IF moved <> held THEN
        RAISE EXCEPTION 'the rest held % rows, moved were %', held, moved;
    END IF;
    DROP TABLE public.transactions_transaction_settling;
    RETURN moved;
END $$;

-- Take a day off whose archive was verified, and drop its table: only when it holds what was archived. Answers false when the
-- table could not be locked in the time given to it (in tries of 200 ms, between which purchases go on).
CREATE FUNCTION transactions_detach_day(p_day date, p_tries integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '200ms' AS $$
DECLARE
    name  text := 'transactions_transaction_' || to_char(p_day, 'YYYYMMDD');
    known transactions_archive;
    rows  bigint;
    total numeric;
BEGIN
    SELECT * INTO known FROM transactions_archive a WHERE a.business_date = p_day AND a.state = 'attached';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no archive of % to detach', p_day USING ERRCODE = 'SK505';
    END IF;
    FOR try IN 1 .. p_tries LOOP
        BEGIN
            PERFORM pg_advisory_xact_lock(5461835, 1);
            EXECUTE format('ALTER TABLE public.transactions_transaction DETACH PARTITION public.%I', name);
            EXECUTE format('ALTER TABLE public.%I NO FORCE ROW LEVEL SECURITY', name);
            EXECUTE format('SELECT count(*), coalesce(sum(amount), 0) FROM public.%I', name) INTO rows, total;
            IF rows <> known.rows OR total <> known.amount THEN
                RAISE EXCEPTION 'the day % holds % rows, archived were %', p_day, rows, known.rows USING ERRCODE = 'SK505';
            END IF;
            EXECUTE format('DROP TABLE public.%I', name);
            RETURN true;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    RETURN false;
END $$;

-- Putting a day back, first half: a table beside the others that takes rows by COPY until the second half attaches it.
CREATE FUNCTION transactions_restore_begin(p_day date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    name text := 'transactions_transaction_' || to_char(p_day, 'YYYYMMDD');
BEGIN
    IF NOT EXISTS (SELECT FROM transactions_archive a WHERE a.business_date = p_day AND a.state = 'detached') THEN
        RAISE EXCEPTION 'the business day % is not detached', p_day USING ERRCODE = 'SK505';
    END IF;
    PERFORM pg_advisory_xact_lock(5461835, 1);
    EXECUTE format('CREATE TABLE public.%I (LIKE public.transactions_transaction INCLUDING DEFAULTS INCLUDING STORAGE)', name);
    EXECUTE format('GRANT SELECT, INSERT ON public.%I TO sheka_app', name);
    RETURN name;
END $$;

-- Second half: closed to everybody again and attached, when it holds as many rows and as much money as the archive says.
CREATE FUNCTION transactions_restore_end(p_day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '5s' AS $$
DECLARE
    name  text := 'transactions_transaction_' || to_char(p_day, 'YYYYMMDD');
    known transactions_archive;
    rows  bigint;
    total numeric;
BEGIN
    SELECT * INTO known FROM transactions_archive a WHERE a.business_date = p_day AND a.state = 'detached';
    EXECUTE format('SELECT count(*), coalesce(sum(amount), 0) FROM public.%I', name) INTO rows, total;
    IF rows IS DISTINCT FROM known.rows OR total IS DISTINCT FROM known.amount THEN
        RAISE EXCEPTION 'the day % holds % rows, archived were %', p_day, rows, known.rows USING ERRCODE = 'SK505';
    END IF;
    PERFORM transactions_close_partition(name);
    EXECUTE format('ALTER TABLE public.transactions_transaction ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   name, p_day, p_day + 1);
END $$;

-- Every partition with its day (null: the rest), rows as estimated and bytes with its indexes.
CREATE FUNCTION transactions_partitions(OUT name text, OUT day date, OUT rows bigint, OUT bytes bigint) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT c.relname, CASE WHEN c.relname ~ '_[0-9]{8}$' THEN to_date(right(c.relname, 8), 'YYYYMMDD') END,
        greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.transactions_transaction'::regclass ORDER BY 2 NULLS LAST
$$;

-- An archive is never forgotten; what it says changes only while its rows are still in the database.
CREATE TRIGGER transactions_archive_keep BEFORE DELETE OR TRUNCATE ON transactions_archive
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE FUNCTION transactions_keep_archive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'detached' AND (NEW.digest, NEW.content, NEW.rows, NEW.amount, NEW.manifest, NEW.business_date)
        IS DISTINCT FROM (OLD.digest, OLD.content, OLD.rows, OLD.amount, OLD.manifest, OLD.business_date) THEN
        RAISE EXCEPTION 'the archive of % is the only copy: it does not change', OLD.business_date USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER transactions_archive_fixed BEFORE UPDATE ON transactions_archive
    FOR EACH ROW EXECUTE FUNCTION transactions_keep_archive();

DO $$ BEGIN
    REVOKE DELETE ON transactions_archive FROM sheka_app;
    REVOKE EXECUTE ON FUNCTION transactions_refuse_archived(), transactions_keep_archive() FROM PUBLIC, sheka_app;
    REVOKE EXECUTE ON FUNCTION transactions_make_day(date), transactions_settle_rest(), transactions_detach_day(date, integer),
        transactions_restore_begin(date), transactions_restore_end(date), transactions_partitions() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION transactions_make_day(date), transactions_settle_rest(), transactions_detach_day(date, integer),
        transactions_restore_begin(date), transactions_restore_end(date), transactions_partitions() TO sheka_app;
END $$;
