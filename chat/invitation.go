package chat

import (
	"context"
	"slices"
	"time"
)

// Invitation lets people sign up.
type Invitation struct {
	ID        string   `json:"id"`
	CreatedBy string   `json:"created_by"` // a user, or the operator
	CreatedAt Time     `json:"created_at"`
	ExpiresAt Time     `json:"expires_at"`
	Uses      int      `json:"uses"`
	MaxUses   int      `json:"max_uses"`
	ChatIDs   []string `json:"chat_ids"`
	Email     string   `json:"email,omitempty"`
}

// NewInvitation describes an invitation. Zero fields select the defaults.
type NewInvitation struct {
	ChatIDs   []string // of which those who come are members from the start
	MaxUses   int
	ExpiresIn time.Duration
	Email     string // to which it is sent as well
	Language  string // of the letter
}

const (
	maxInvitedChats    = 20
	maxInvitationUses  = 10_000
	invitationTTL      = 7 * 24 * time.Hour
	maxInvitationTTL   = 90 * 24 * time.Hour
	maxOpenInvitations = 200 // of one user
)

// InvitationStore keeps invitations.
type InvitationStore interface {
	// AddInvitation sets when it was made and when it expires, and has the letter sent, if
	// there is one. Errors: conflict from so many open ones of its maker on, rate_limited.
	AddInvitation(ctx context.Context, i Invitation, lasts time.Duration, hash []byte, l *Letter, most int) (Invitation, error)
	// Invitations lists those of a user, or of all for "", newest first.
	Invitations(ctx context.Context, userID string, p Page) (list []Invitation, next string, err error)
	// DropInvitation deletes one, of this user or of anybody for "". Errors: not_found.
	DropInvitation(ctx context.Context, userID, id string) error
	// FindInvitation returns one that still lets somebody in. Errors: not_found.
	FindInvitation(ctx context.Context, hash []byte) (i Invitation, by string, err error)
}

// EveryoneInvites reports whether users invite, or administrators alone.
func (s *Service) EveryoneInvites() bool { return !s.admission.InviteByAdministrators }

// Invite makes an invitation, and returns it with the code, which nobody sees again. Whoever
// joins by it is a member of its chats, to which the actor must be able to add members.
// Errors: forbidden, bad_request, not_found, conflict, rate_limited.
func (s *Service) Invite(ctx context.Context, actor Actor, n NewInvitation) (i Invitation, code string, err error) {
	if !s.TakesPasswords() {
		return Invitation{}, "", Errorf(Forbidden, "nobody signs up with a password here: people come by a provider")
	}
	if !s.EveryoneInvites() {
		if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
			return Invitation{}, "", err
		}
	}
	if i, err = s.newInvitation(ctx, actor, n); err != nil {
		return Invitation{}, "", err
	}
	lasts := n.ExpiresIn
	if lasts == 0 {
		lasts = invitationTTL
	}
	if lasts < time.Second || lasts > maxInvitationTTL {
		return Invitation{}, "", Errorf(BadRequest, "expires_in_s must be 1 to %d", int(maxInvitationTTL/time.Second))
	}
	var letter *Letter
	if i.Email != "" && s.mail {
		letter = &Letter{ID: s.newID(), Purpose: ForInvitation, Cause: i.CreatedBy, Invitation: i.ID, Address: i.Email, Language: n.Language}
	}
	code, hash := newCode()
	i, err = s.store.AddInvitation(ctx, i, lasts, hash, letter, maxOpenInvitations)
	return i, code, err
}

func (s *Service) newInvitation(ctx context.Context, actor Actor, n NewInvitation) (Invitation, error) {
	i := Invitation{ID: s.newID(), CreatedBy: actor.name(), MaxUses: n.MaxUses, Email: n.Email, ChatIDs: []string{}}
	if i.MaxUses == 0 {
		i.MaxUses = 1
	}
	if i.MaxUses < 1 || i.MaxUses > maxInvitationUses {
		return Invitation{}, Errorf(BadRequest, "max_uses must be 1 to %d", maxInvitationUses)
	}
	if i.Email != "" {
		if err := validEmail(i.Email); err != nil {
			return Invitation{}, err
		}
	}
	var err error
	i.ChatIDs, err = s.chatsToEnter(ctx, actor, n.ChatIDs)
	return i, err
}

// chatsToEnter returns chats into which the actor may put somebody, each once.
func (s *Service) chatsToEnter(ctx context.Context, actor Actor, ids []string) ([]string, error) {
	chats := []string{}
	if len(ids) > maxInvitedChats {
		return nil, Errorf(BadRequest, "chat_ids must have at most %d entries", maxInvitedChats)
	}
	for _, id := range ids {
		if slices.Contains(chats, id) {
			continue
		}
		if !ValidID(id) {
			return nil, noChat()
		}
		c, err := s.store.Chat(ctx, actor.userID, id)
		if err != nil {
			return nil, err
		}
		if err := s.mayInvite(c); err != nil {
			return nil, err
		}
		chats = append(chats, id)
	}
	return chats, nil
}

func (s *Service) mayInvite(c Chat) error {
	if c.Kind == Direct {
		return Errorf(Conflict, "nobody can be added to a direct chat")
	}
	return s.mayEnter(c)
}

// joinInvited makes a new user a member of the chat of tx, as their invitation says, unless
// whoever invited them is gone from it or it takes nobody any more.
func (s *Service) joinInvited(ctx context.Context, tx Tx, userID, by string) error {
	c, _, err := authorize(ctx, tx, by)
	if err == nil {
		err = s.mayInvite(c)
	}
	if code := CodeOf(err); code == NotFound || code == Conflict {
		return nil
	}
	if err != nil {
		return err
	}
	return enter(ctx, tx, by, Member{UserID: userID, Role: RoleMember, Standing: Accepted})
}

// Invitations lists a user's own invitations; of an administrator, all.
func (s *Service) Invitations(ctx context.Context, userID string, p Page) ([]Invitation, string, error) {
	whose, err := s.invitationsOf(ctx, userID)
	if err != nil {
		return nil, "", err
	}
	return s.store.Invitations(ctx, whose, p)
}

// Withdraw ends an invitation of the user, or, by an administrator, any. Who has joined by
// it stays. Errors: not_found.
func (s *Service) Withdraw(ctx context.Context, userID, id string) error {
	if !ValidID(id) {
		return noInvitation()
	}
	whose, err := s.invitationsOf(ctx, userID)
	if err != nil {
		return err
	}
	return s.store.DropInvitation(ctx, whose, id)
}

func (s *Service) invitationsOf(ctx context.Context, userID string) (string, error) {
	a, err := s.store.Account(ctx, userID)
	if err == nil && a.Administrator {
		return "", nil
	}
	return userID, err
}

// CheckedInvitation is what somebody who holds a code may see.
type CheckedInvitation struct {
	Workspace string `json:"workspace"`
	InvitedBy string `json:"invited_by"`
	ExpiresAt Time   `json:"expires_at"`
}

// CheckInvitation returns what a code is for. Errors: not_found, for an unknown one as for one
// that was used up or has expired.
func (s *Service) CheckInvitation(ctx context.Context, code string) (CheckedInvitation, error) {
	hash := codeHash(code)
	if hash == nil {
		return CheckedInvitation{}, noInvitation()
	}
	i, by, err := s.store.FindInvitation(ctx, hash)
	if err != nil {
		return CheckedInvitation{}, err
	}
	name, err := s.workspaceName(ctx)
	if by == "" {
		by = name // the operator has no name of their own
	}
	return CheckedInvitation{name, by, i.ExpiresAt}, err
}

func noInvitation() error {
	return Errorf(NotFound, "this invitation is unknown, used up or expired")
}
