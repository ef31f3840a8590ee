-- Settings that only PostgreSQL has: compare ids and names by their bytes, as SQLite
-- does, and leave room for the rows that every send rewrites.
-- +goose Up
ALTER TABLE streams SET (fillfactor = 50);
ALTER TABLE chat_members SET (fillfactor = 80);
ALTER TABLE streams ALTER COLUMN id TYPE TEXT COLLATE "C";
ALTER TABLE users ALTER COLUMN id TYPE TEXT COLLATE "C", ALTER COLUMN username TYPE TEXT COLLATE "C";
ALTER TABLE sessions ALTER COLUMN id TYPE TEXT COLLATE "C", ALTER COLUMN user_id TYPE TEXT COLLATE "C";
ALTER TABLE chats ALTER COLUMN id TYPE TEXT COLLATE "C", ALTER COLUMN search TYPE TEXT COLLATE "C";
ALTER TABLE chat_members ALTER COLUMN user_id TYPE TEXT COLLATE "C", ALTER COLUMN chat_id TYPE TEXT COLLATE "C";
ALTER TABLE messages ALTER COLUMN chat_id TYPE TEXT COLLATE "C", ALTER COLUMN id TYPE TEXT COLLATE "C",
    ALTER COLUMN sender_id TYPE TEXT COLLATE "C", ALTER COLUMN key TYPE TEXT COLLATE "C";
ALTER TABLE mentions ALTER COLUMN user_id TYPE TEXT COLLATE "C", ALTER COLUMN chat_id TYPE TEXT COLLATE "C";
ALTER TABLE reactions ALTER COLUMN message_id TYPE TEXT COLLATE "C", ALTER COLUMN emoji TYPE TEXT COLLATE "C",
    ALTER COLUMN user_id TYPE TEXT COLLATE "C";
ALTER TABLE events ALTER COLUMN stream_id TYPE TEXT COLLATE "C";
ALTER TABLE index_outbox ALTER COLUMN message_id TYPE TEXT COLLATE "C";

-- +goose Down
ALTER TABLE streams RESET (fillfactor);
ALTER TABLE chat_members RESET (fillfactor);
