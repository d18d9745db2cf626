-- Trigrams of `about` of all operations up to the number in `search_position`. Both `about` and the words of a search
-- are in lower case already. Operations stored before this version are added while the server runs.
CREATE VIRTUAL TABLE search USING fts5 (
    about,
    content = '',
    contentless_delete = 1,
    detail = none,
    tokenize = 'trigram case_sensitive 1'
);
CREATE TABLE search_position (n INTEGER NOT NULL);
INSERT INTO search_position VALUES (0);
