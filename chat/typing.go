package chat

import "context"

// TypingFacts decides what a chat's members may be told about a member who types.
type TypingFacts struct {
	LastSeq  int64 // of the chat, when the membership was read
	Members  int
	Archived bool
	Hidden   bool // the member is invisible: nobody is told
}

// TypingStore answers only for members: others get not_found.
type TypingStore interface {
	TypingFacts(ctx context.Context, userID, chatID string) (TypingFacts, error)
}

// Typing returns whether others may be told that a member types, and as of which
// seq they are a member. It stores nothing. Errors: not_found, conflict in an
// archived chat.
func (s *Service) Typing(ctx context.Context, userID, chatID string) (TypingFacts, error) {
	if !ValidID(chatID) {
		return TypingFacts{}, noChat()
	}
	f, err := s.store.TypingFacts(ctx, userID, chatID)
	if err == nil && f.Archived {
		err = Errorf(Conflict, "this chat is archived")
	}
	return f, err
}
