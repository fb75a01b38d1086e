-- People who moved to another city of the node (S6): the city that they left and the one that they came to both read the
-- person and the cards. Writing stays with the city where the person is registered, and with the one that issued the card.
-- The policy of cards_registration itself says whose rows are seen here; for everybody who never moved there is no row.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sheka_app') THEN
        REVOKE DELETE ON cards_registration FROM sheka_app;
        CREATE POLICY cards_person_moved ON cards_person FOR SELECT TO sheka_app
            USING (EXISTS (SELECT FROM cards_registration r WHERE r.person_id = cards_person.id));
        CREATE POLICY cards_card_moved ON cards_card FOR SELECT TO sheka_app
            USING (EXISTS (SELECT FROM cards_registration r WHERE r.person_id = cards_card.person_id));
    END IF;
END $$;
