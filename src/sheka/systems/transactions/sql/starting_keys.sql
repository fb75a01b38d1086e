-- A key that starts a line (S4): the bureau's action writes its row, within its scope and beside its audit row. Nothing else changes one.
GRANT INSERT ON transactions_workingkey TO sheka_app;
GRANT USAGE ON SEQUENCE transactions_workingkey_id_seq TO sheka_app;
