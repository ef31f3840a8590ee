package chat

import "context"

// TypingFacts is what a chat's members may be told of one who types.
type TypingFacts struct {
	LastSeq  int64 // of the chat, when the membership was read
	Archived bool
	Hidden   bool // the member is invisible: nobody is told
}

// TypingStore answers for members alone: others get not_found.
type TypingStore interface {
	TypingFacts(ctx context.Context, userID, chatID string) (TypingFacts, error)
}

// Typing says whether a member may be told to type, and as of which seq they
// are a member. Nothing is stored.
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
