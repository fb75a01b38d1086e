-- What a citizen may ask without signing in (S5): the database role sheka_enquiry executes this and has no other right.

-- How far an exchange is, by the number of its confirmation and the last four characters of the holder's social security
-- number. A wrong number and a wrong check give the same answer: no row.
CREATE FUNCTION cards_exchange_progress(p_number text, p_last_four text)
RETURNS TABLE (state text, due_on date, due_provisional boolean, ready_on date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT e.state::text, e.due_on, e.due_provisional, (e.ready_at AT TIME ZONE 'Asia/Shanghai')::date
    FROM cards_exchangecase e JOIN cards_person p ON p.id = e.person_id
    WHERE e.number = p_number AND right(p.social_security_number, 4) = upper(p_last_four)
$$;
REVOKE EXECUTE ON FUNCTION cards_exchange_progress(text, text) FROM PUBLIC, sheka_app;
GRANT EXECUTE ON FUNCTION cards_exchange_progress(text, text) TO sheka_enquiry;
