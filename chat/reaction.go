package chat

import "context"

// Reaction is one emoji under a message. UserIDs are the first ReactionUsers of
// Count; Me reports whether the reader is among all of them.
type Reaction struct {
	Emoji   string   `json:"emoji"`
	Count   int      `json:"count"`
	UserIDs []string `json:"user_ids"`
	Me      bool     `json:"me"`
}

const (
	maxEmojiBytes = 64
	maxEmojis     = 50
	// ReactionUsers is how many users a Reaction names.
	ReactionUsers = 20
)

// React adds the user's emoji to a message; seq is 0 if it was already there.
func (s *Service) React(ctx context.Context, userID, messageID, emoji string) (seq int64, err error) {
	emoji, err = validEmoji(emoji)
	if err != nil {
		return 0, err
	}
	err = s.changeMessage(ctx, userID, messageID, emoji, func(ctx context.Context, tx Tx, c Chat, actor Member, m Message) error {
		seq = 0
		if err := mayReact(c, m); err != nil {
			return err
		}
		if err := actor.Bar.admits(c.Kind); err != nil {
			return err
		}
		emoji, err = tx.Spelling(ctx, m.ID, emoji)
		if err != nil {
			return err
		}
		added, distinct, err := tx.AddReaction(ctx, m.ID, userID, emoji)
		if err != nil || !added {
			return err
		}
		if distinct > maxEmojis {
			return Errorf(Conflict, "a message can have at most %d different emoji", maxEmojis)
		}
		if err := s.accept(ctx, tx, actor); err != nil {
			return err
		}
		seq, err = tx.Append(ctx, reactionEvent(OpReactionAdded, userID, m, emoji))
		return err
	})
	if err != nil {
		return 0, err
	}
	return seq, nil
}

// Unreact removes the user's emoji; seq is 0 if it was not there. What is no emoji can be removed
// where it was stored when reactions were any text.
func (s *Service) Unreact(ctx context.Context, userID, messageID, emoji string) (seq int64, err error) {
	emoji = WithoutTextSelector(emoji)
	if !wasReaction(emoji) {
		return 0, notEmoji()
	}
	err = s.changeMessage(ctx, userID, messageID, emoji, func(ctx context.Context, tx Tx, c Chat, _ Member, m Message) error {
		seq = 0
		if err := mayReact(c, m); err != nil {
			return err
		}
		emoji, err = tx.Spelling(ctx, m.ID, emoji)
		if err != nil {
			return err
		}
		removed, err := tx.RemoveReaction(ctx, m.ID, userID, emoji)
		if err == nil && !removed && !isEmoji(emoji) {
			err = notEmoji()
		}
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
	emoji = WithoutTextSelector(emoji)
	if !wasReaction(emoji) {
		return nil, "", notEmoji()
	}
	if !ValidID(messageID) {
		return nil, "", noMessage()
	}
	users, next, err := s.store.Reactors(ctx, userID, messageID, emoji, p)
	if err == nil && len(users) == 0 && p.After == "" && !isEmoji(emoji) {
		err = notEmoji()
	}
	return users, next, err
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
