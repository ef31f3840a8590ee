package chat

import (
	"context"
	"encoding/json"
)

// Signal is what a member tells those members who are connected now. It is stored nowhere.
type Signal struct {
	Name string
	Data json.RawMessage // nil: none
}

const maxSignalName = 64

// Signal checks a signal of a member, and returns it without blanks and what the chat is like
// now. Errors: not_found, bad_request, too_large, conflict in an archived chat.
func (s *Service) Signal(ctx context.Context, userID, chatID string, v Signal) (Signal, TypingFacts, error) {
	if err := validText("name", v.Name, 1, maxSignalName); err != nil {
		return Signal{}, TypingFacts{}, err
	}
	if v.Data != nil {
		var err error
		if v.Data, _, err = CleanData(v.Data); err != nil {
			return Signal{}, TypingFacts{}, err
		}
	}
	f, err := s.Typing(ctx, userID, chatID)
	return v, f, err
}
