package chat

import "context"

// Reaction is one emoji under a message. UserIDs are the first 20 of Count; Me
// says whether the reader is among them all.
type Reaction struct {
	Emoji   string   `json:"emoji"`
	Count   int      `json:"count"`
	UserIDs []string `json:"user_ids"`
	Me      bool     `json:"me"`
}

const (
	maxEmojiBytes = 32
	maxEmojis     = 50
	// ReactionUsers is how many users a Reaction names.
	ReactionUsers = 20
)

// React adds the user's emoji to a message; seq is 0 when it was there already.
func (s *Service) React(ctx context.Context, userID, messageID, emoji string) (seq int64, err error) {
	if err := validEmoji(emoji); err != nil {
		return 0, err
	}
	err = s.changeMessage(ctx, userID, messageID, func(ctx context.Context, tx Tx, c Chat, _ Member, m Message) error {
		seq = 0
		if err := mayReact(c, m); err != nil {
			return err
		}
		added, distinct, err := tx.AddReaction(ctx, m.ID, userID, emoji)
		if err != nil || !added {
			return err
		}
		if distinct > maxEmojis {
			return Errorf(Conflict, "a message takes at most %d different emoji", maxEmojis)
		}
		seq, err = tx.Append(ctx, reactionEvent(OpReactionAdded, userID, m, emoji))
		return err
	})
	if err != nil {
		return 0, err
	}
	return seq, nil
}

// Unreact takes the user's emoji back; seq is 0 when it was not there.
func (s *Service) Unreact(ctx context.Context, userID, messageID, emoji string) (seq int64, err error) {
	if err := validEmoji(emoji); err != nil {
		return 0, err
	}
	err = s.changeMessage(ctx, userID, messageID, func(ctx context.Context, tx Tx, c Chat, _ Member, m Message) error {
		seq = 0
		if err := mayReact(c, m); err != nil {
			return err
		}
		removed, err := tx.RemoveReaction(ctx, m.ID, userID, emoji)
		if err != nil || !removed {
			return err
		}
		seq, err = tx.Append(ctx, reactionEvent(OpReactionRemoved, userID, m, emoji))
		return err
	})
	return seq, err
}

// Reactors lists who reacted to a message with an emoji, in order of reacting.
func (s *Service) Reactors(ctx context.Context, userID, messageID, emoji string, p Page) ([]string, string, error) {
	if err := validEmoji(emoji); err != nil {
		return nil, "", err
	}
	if !ValidID(messageID) {
		return nil, "", noMessage()
	}
	return s.store.Reactors(ctx, userID, messageID, emoji, p)
}

func mayReact(c Chat, m Message) error {
	switch {
	case c.Archived:
		return Errorf(Conflict, "this chat is archived")
	case m.DeletedAt != nil:
		return Errorf(Conflict, "this message was deleted")
	}
	return nil
}

func reactionEvent(op Op, userID string, m Message, emoji string) Event {
	return Event{Op: op, ActorID: userID, MessageID: m.ID, MessageSeq: m.Seq,
		D: ReactionEvent{MessageID: m.ID, MessageSeq: m.Seq, UserID: userID, Emoji: emoji}}
}
