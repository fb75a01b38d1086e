-- What was frozen and what was decided stays as it is; and whoever wrote a request never decides it, nor decides twice,
-- in the own name or in a lent right. The engine refuses all of this with its numbers; here nothing gets past it.
CREATE FUNCTION approvals_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER approvals_version_stays BEFORE UPDATE OR DELETE ON approvals_version
    FOR EACH ROW EXECUTE FUNCTION approvals_rows_stay();
CREATE TRIGGER approvals_decision_stays BEFORE UPDATE OR DELETE ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_rows_stay();

CREATE FUNCTION approvals_decider_is_free() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deciders text[] := array_remove(ARRAY[NEW.person, NEW.lender_person], '');
BEGIN
    IF EXISTS (SELECT 1 FROM approvals_version v
               WHERE v.proposal_id = NEW.proposal_id AND v.person = ANY (deciders)) THEN
        RAISE EXCEPTION 'approvals: who wrote a request does not decide it' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM approvals_decision d
               WHERE d.proposal_id = NEW.proposal_id AND (d.version = NEW.version OR d.step <> NEW.step)
                 AND (d.person = ANY (deciders) OR d.lender_person = ANY (deciders))) THEN
        RAISE EXCEPTION 'approvals: one person, one decision' USING ERRCODE = 'unique_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM approvals_version v
                   WHERE v.proposal_id = NEW.proposal_id AND v.number = NEW.version AND v.digest = NEW.digest) THEN
        RAISE EXCEPTION 'approvals: a decision names the digest of its version' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_decision_guard BEFORE INSERT ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_decider_is_free();
