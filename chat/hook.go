package chat

import (
	"context"
	"crypto/subtle"
)

// Hook lets a program post into a chat by an address that it was given. It posts as a bot of
// its own.
type Hook struct {
	ID         string `json:"id"`
	ChatID     string `json:"chat_id"`
	BotID      string `json:"bot_id"`
	Name       string `json:"name"`
	CreatedBy  string `json:"created_by"`
	CreatedAt  Time   `json:"created_at"`
	LastUsedAt *Time  `json:"last_used_at,omitempty"` // to the minute
}

// NewHook is a hook as the store gets it.
type NewHook struct {
	Hook
	Hash []byte // of the secret
}

const maxHooks = 50 // of one chat

// HookStore keeps hooks.
type HookStore interface {
	// Hooks lists those of a chat, newest first.
	Hooks(ctx context.Context, chatID string, p Page) (hooks []Hook, next string, err error)
	// Hook also returns the hash of its secret, and whether its bot is suspended. Errors:
	// not_found.
	Hook(ctx context.Context, id string) (h Hook, hash []byte, suspended bool, err error)
	TouchHook(ctx context.Context, id string) error // at most once a minute
	// DropHook errors: not_found.
	DropHook(ctx context.Context, chatID, id string) (Hook, error)
}

// AdmitHook decides about one more hook of a chat that has so many.
func AdmitHook(have int) error {
	if have >= maxHooks {
		return Errorf(Conflict, "this chat has %d hooks, the most there can be: delete one", have)
	}
	return nil
}

// MakeHook makes a hook with its bot, by an admin of the chat, and returns it with the secret,
// which nobody sees again. Errors: not_found, forbidden, bad_request, conflict.
func (s *Service) MakeHook(ctx context.Context, userID, chatID, name string) (h Hook, secret string, err error) {
	if err := s.administersChat(ctx, userID, chatID); err != nil {
		return Hook{}, "", err
	}
	secret, hash := newCode()
	h = Hook{ID: s.newID(), ChatID: chatID, CreatedBy: userID}
	bot, err := s.newUser("hook-"+h.ID[len(h.ID)-12:], name)
	if err != nil {
		return Hook{}, "", err
	}
	bot.Bot, h.BotID, h.Name = true, bot.ID, bot.DisplayName
	bot, err = s.enrol(ctx, userID, Entrance{User: bot, Program: true, MadeBy: userID, ChatIDs: []string{chatID}, Join: s.joinHook, Hook: &NewHook{h, hash}})
	h.CreatedAt = bot.CreatedAt
	return h, secret, err
}

// administersChat refuses who is no admin of a chat, as the lock-free first look.
func (s *Service) administersChat(ctx context.Context, userID, chatID string) error {
	if !ValidID(chatID) {
		return noChat()
	}
	e, err := s.store.Entry(ctx, userID, chatID)
	if err != nil {
		return err
	}
	return mayHook(e.Chat, e.Role)
}

func mayHook(c Chat, r Role) error {
	switch {
	case c.Kind == Direct:
		return Errorf(Conflict, "nobody can be added to a direct chat")
	case !r.administers():
		return Errorf(Forbidden, "this requires the role admin or owner")
	}
	return nil
}

// joinHook makes the bot of a hook a member of the chat of tx.
func (s *Service) joinHook(ctx context.Context, tx Tx, userID, by string) error {
	c, m, err := authorize(ctx, tx, by)
	if err == nil {
		err = mayHook(c, m.Role)
	}
	if err == nil {
		err = s.mayEnter(c)
	}
	if err != nil {
		return err
	}
	return enter(ctx, tx, by, Member{UserID: userID, Role: RoleMember, Standing: Accepted})
}

// Hooks lists the hooks of a chat, for its admins. Errors: not_found, forbidden.
func (s *Service) Hooks(ctx context.Context, userID, chatID string, p Page) ([]Hook, string, error) {
	if err := s.administersChat(ctx, userID, chatID); err != nil {
		return nil, "", err
	}
	return s.store.Hooks(ctx, chatID, p)
}

// DropHook ends a hook, by an admin of the chat; its bot leaves. Errors: not_found, forbidden.
func (s *Service) DropHook(ctx context.Context, userID, chatID, hookID string) error {
	if err := s.administersChat(ctx, userID, chatID); err != nil {
		return err
	}
	if !ValidID(hookID) {
		return noHook()
	}
	h, err := s.store.DropHook(ctx, chatID, hookID)
	if err != nil {
		return err
	}
	if _, err := s.RemoveMember(ctx, userID, chatID, h.BotID); CodeOf(err) != NotFound { // it may have been removed before
		return err
	}
	return nil
}

// UseHook returns the hook that an address leads to. Errors: not_found.
func (s *Service) UseHook(ctx context.Context, id, secret string) (Hook, error) {
	hash := codeHash(secret)
	if !ValidID(id) || hash == nil {
		return Hook{}, noHook()
	}
	h, want, suspended, err := s.store.Hook(ctx, id)
	if err != nil {
		return Hook{}, err
	}
	if suspended || subtle.ConstantTimeCompare(hash, want) != 1 {
		return Hook{}, noHook()
	}
	return h, nil
}

// UsedHook notes that a hook has posted.
func (s *Service) UsedHook(ctx context.Context, h Hook) error { return s.store.TouchHook(ctx, h.ID) }

// HasUser reports whether somebody has a username.
func (s *Service) HasUser(ctx context.Context, username string) bool {
	if !ValidUsername(username) {
		return false
	}
	_, err := s.store.AccountNamed(ctx, username)
	return err == nil
}

func noHook() error { return Errorf(NotFound, "there is no such hook") }
