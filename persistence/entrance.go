package persistence

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"fechatter/chat"
)

// CreateUser implements chat.UserStore. Sign-ups come one at a time, for they lock the row of
// the names; whoever administers waits for the row of administration, and both come before
// the streams of chats.
func (s *Store) CreateUser(ctx context.Context, e chat.Entrance) (chat.User, error) {
	err := s.update(ctx, "create user", func(c *conn) ([]chat.Event, error) {
		t := &entrance{s: s, c: c, Entrance: e, verified: e.Verified}
		if err := lockNames(ctx, c); err != nil {
			return nil, err
		}
		if err := t.begin(ctx); err != nil {
			return nil, err
		}
		if err := t.add(ctx); err != nil {
			return nil, err
		}
		events, err := t.join(ctx)
		if err == nil {
			err = t.addEmail(ctx)
		}
		e.User = t.User
		return events, err
	})
	if err != nil {
		return chat.User{}, err
	}
	return e.User, nil
}

// entrance is one sign-up.
type entrance struct {
	chat.Entrance
	s          *Store
	c          *conn
	now        chat.Time
	appointed  bool
	detail     string           // how the administrator was appointed
	invitation *chat.Invitation // nil: none was used
	verified   bool             // the address is, for a provider says so or the invitation came by it
}

// begin decides whether somebody may come in, and uses up what they bring.
func (t *entrance) begin(ctx context.Context) (err error) {
	if t.now, err = t.s.clock(ctx, t.c); err != nil {
		return err
	}
	w, err := readWorkspace(ctx, t.c)
	if err != nil {
		return err
	}
	f := chat.EntranceFacts{Registration: cmp.Or(w.Registration, t.Registration, chat.Open)}
	if f.First, err = begins(ctx, t.c); err != nil {
		return err
	}
	if f.First && t.Setup != nil {
		_, err := t.s.readCode(ctx, t.c, chat.ForSetup, t.Setup, t.now, "")
		if f.SetUp = err == nil; err != nil && chat.CodeOf(err) != chat.NotFound {
			return err
		}
	}
	if !f.First && t.Invitation != nil {
		if f.Invited, err = t.findInvitation(ctx); err != nil {
			return err
		}
	}
	if t.appointed, err = t.Admit(f); err != nil {
		return err
	}
	t.detail = "the first user"
	return endCodes(ctx, t.c, chat.ForSetup, "")
}

func (t *entrance) findInvitation(ctx context.Context) (bool, error) {
	i, sentTo, err := t.s.invitation(ctx, t.c, t.Invitation, t.now, t.s.d.lock)
	if chat.CodeOf(err) == chat.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	t.invitation = &i
	t.verified = sentTo != "" && chat.EmailKey(sentTo) == chat.EmailKey(t.Email)
	if _, err := t.c.exec(ctx, "UPDATE invitations SET uses = uses + 1 WHERE id = $1", i.ID); err != nil {
		return false, fmt.Errorf("use invitation: %w", err)
	}
	return true, nil
}

// begins reports whether this is the first sign-up of all. It counts in any case: otherwise a
// stranger would be appointed much later, when the settings no longer name anybody.
func begins(ctx context.Context, c *conn) (bool, error) {
	n, err := c.exec(ctx, "UPDATE meta SET value = 'begun' WHERE name = $1 AND value = ''", metaAdministration)
	if err != nil {
		return false, fmt.Errorf("look for the first user: %w", err)
	}
	return n == 1, nil
}

// add inserts the user.
func (t *entrance) add(ctx context.Context) error {
	t.User.CreatedAt = t.now
	facts, err := nameFacts(ctx, t.c, t.User, t.appointed)
	if err == nil {
		err = t.User.AdmitSignUp(facts)
	}
	if err == nil {
		err = t.addProgram(ctx)
	}
	if err != nil {
		return err
	}
	if t.Identity != nil {
		if err := insertIdentity(ctx, t.c, t.User.ID, *t.Identity, t.now); err != nil {
			return err
		}
	}
	if t.appointed {
		err = record(ctx, t.c, chat.AuditEntry{ID: t.s.newID(), At: t.now, Actor: t.User.ID, Action: chat.AuditAppointed, Subject: t.User.ID, Detail: t.detail})
	}
	if err == nil {
		_, err = t.c.exec(ctx, "INSERT INTO streams (id, last_ts) VALUES ($1, $2)", t.User.ID, int64(t.now))
	}
	return err
}

// addProgram inserts the row, and what is to be known of a bot and of a user of an application.
func (t *entrance) addProgram(ctx context.Context) error {
	var madeBy string
	if t.User.Bot {
		madeBy = t.MadeBy
		var made int
		if err := t.c.one(ctx, "SELECT count(*) FROM users u WHERE u.bot_by = $1 AND NOT EXISTS (SELECT 1 FROM hooks h WHERE h.bot_id = u.id)", []any{madeBy}, &made); err != nil {
			return fmt.Errorf("count bots: %w", err)
		}
		if err := t.AdmitBot(made); err != nil {
			return err
		}
	}
	if err := t.s.insertUser(ctx, t.c, t.User, t.PasswordHash, t.appointed, madeBy); err != nil {
		return err
	}
	if t.External != nil {
		if err := t.s.insertExternal(ctx, t.c, t.User.ID, *t.External, t.now); err != nil {
			return err
		}
	}
	if t.Hook != nil {
		if err := insertHook(ctx, t.c, *t.Hook, t.now); err != nil {
			return err
		}
	}
	if t.MadeBy == "" {
		return nil
	}
	action := chat.AuditUserMade
	if t.User.Bot {
		action = chat.AuditBotMade
	}
	return record(ctx, t.c, chat.AuditEntry{ID: t.s.newID(), At: t.now, Actor: t.MadeBy, Action: action, Subject: t.User.ID})
}

// addEmail notes the address of a new user. One too many letters is no reason to keep
// somebody out.
func (t *entrance) addEmail(ctx context.Context) error {
	if t.Email == "" {
		return nil
	}
	change := chat.EmailChange{UserID: t.User.ID, Address: t.Email, Language: t.Language, Letter: t.Letter}
	if t.verified {
		change.Letter = nil
	}
	err := t.s.takeEmail(ctx, t.c, t.now, change, false)
	if chat.CodeOf(err) == chat.RateLimited {
		err = nil
	}
	if err != nil || !t.verified {
		return err
	}
	if t.External != nil {
		return t.claimEmail(ctx)
	}
	_, err = t.c.exec(ctx, `UPDATE users SET email_verified = 1 WHERE id = $1
		AND NOT EXISTS (SELECT 1 FROM users o WHERE o.email_key = $2 AND o.email_verified = 1)`, t.User.ID, chat.EmailKey(t.Email))
	if err != nil {
		return fmt.Errorf("verify address: %w", err)
	}
	return nil
}

// claimEmail verifies the address on the word of an application, which is told if it is
// somebody else's.
func (t *entrance) claimEmail(ctx context.Context) error {
	_, err := t.c.exec(ctx, "UPDATE users SET email_verified = 1 WHERE id = $1", t.User.ID)
	if t.s.d.classify(err) == failUnique {
		return addressTaken()
	}
	if err != nil {
		return fmt.Errorf("verify address: %w", err)
	}
	return nil
}

// join makes the user a member of the chats of the invitation, or of their maker.
func (t *entrance) join(ctx context.Context) ([]chat.Event, error) {
	chats, by := t.ChatIDs, t.MadeBy
	if t.invitation != nil {
		chats, by = t.invitation.ChatIDs, t.invitation.CreatedBy
	}
	if len(chats) == 0 {
		return nil, nil
	}
	streams, err := t.s.lockStreams(ctx, t.c, append(slices.Clone(chats), t.User.ID), t.s.d.lock)
	if err != nil {
		return nil, err
	}
	if t.now, err = t.s.clock(ctx, t.c); err != nil {
		return nil, err
	}
	log, opID := &changeLog{}, t.s.newID()
	for _, id := range chats {
		tx := &changeTx{s: t.s, c: t.c, change: chat.Change{OpID: opID, ChatID: id}, now: t.now, streams: streams, log: log}
		if err := t.Join(ctx, tx, t.User.ID, by); err != nil {
			return nil, err
		}
	}
	if err := t.s.insertEvents(ctx, t.c, opID, log.events); err != nil {
		return nil, err
	}
	return log.events, t.s.saveStreams(ctx, t.c, streams)
}
