-- Closed accounts, for the turn that looks for money on them (S6). Neither column changes with a purchase, so the updates of
-- balances stay on their page and touch no index.
CREATE INDEX accounts_account_closed ON accounts_account (id) WHERE state = 'closed';
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sheka_app') THEN
        REVOKE DELETE ON accounts_moving, accounts_latemoney FROM sheka_app;
    END IF;
END $$;
