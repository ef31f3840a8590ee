package chat

import "context"

// Cursor is how far a member has received and read a chat. Both only grow.
type Cursor struct {
	UserID       string `json:"user_id"`
	ReadSeq      int64  `json:"read_seq"`
	DeliveredSeq int64  `json:"delivered_seq"`
}

// CursorChange moves a cursor; nil leaves a field alone.
type CursorChange struct {
	ReadSeq, DeliveredSeq *int64
}

// CursorState is a member's own cursor as stored, with the counts derived from it.
type CursorState struct {
	Cursor
	Unread   int64 `json:"unread"`
	Mentions int64 `json:"mentions"`
}

// CursorMoved is a cursor after a change, and what others need to know of it.
type CursorMoved struct {
	CursorState
	Moved   bool  // false: the change moved nothing
	LastSeq int64 // of the chat
	Members int   // of the chat
	Hidden  bool  // the member is invisible: nobody else is told
}

// SetCursor moves the user's own cursor: only forward and at most to the chat's
// last seq; what is read counts as delivered. It returns the cursor as stored.
func (s *Service) SetCursor(ctx context.Context, userID, chatID string, ch CursorChange) (CursorMoved, error) {
	if !ValidID(chatID) {
		return CursorMoved{}, noChat()
	}
	if ch.ReadSeq == nil && ch.DeliveredSeq == nil {
		return CursorMoved{}, Errorf(BadRequest, "read_seq or delivered_seq is required")
	}
	for _, seq := range []*int64{ch.ReadSeq, ch.DeliveredSeq} {
		if seq != nil && *seq < 0 {
			return CursorMoved{}, Errorf(BadRequest, "a seq must not be negative")
		}
	}
	return s.store.SetCursor(ctx, userID, chatID, ch)
}

// Cursors lists the cursors of a chat's members, by user id. The cursor of another
// member who is invisible appears where it stood before they became so.
func (s *Service) Cursors(ctx context.Context, userID, chatID string, p Page) ([]Cursor, string, error) {
	if !ValidID(chatID) {
		return nil, "", noChat()
	}
	return s.store.Cursors(ctx, userID, chatID, p)
}
