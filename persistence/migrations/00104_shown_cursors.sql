-- Members' cursors as others see them: an invisible member moves on without showing
-- it.
-- +goose Up
ALTER TABLE chat_members ADD COLUMN shown_read_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat_members ADD COLUMN shown_delivered_seq BIGINT NOT NULL DEFAULT 0;
UPDATE chat_members SET shown_read_seq = read_seq, shown_delivered_seq = delivered_seq;

-- +goose Down
ALTER TABLE chat_members DROP COLUMN shown_delivered_seq;
ALTER TABLE chat_members DROP COLUMN shown_read_seq;
