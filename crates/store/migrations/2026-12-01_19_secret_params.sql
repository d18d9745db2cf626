-- Encrypted values of secret parameters. The parameters in the document of the operation have a marker instead.
CREATE TABLE secret_params (
    id     BLOB NOT NULL,
    name   TEXT NOT NULL,
    key    TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (id, name)
) WITHOUT ROWID;
CREATE INDEX secret_params_by_key ON secret_params (key);
