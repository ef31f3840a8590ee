package chat

import (
	"context"
	"encoding/json"
)

// JobMail and JobReset are the jobs that end in a letter.
const (
	JobMail  JobKind = "mail"
	JobReset JobKind = "reset"
)

// Letter is a mail that waits. It holds no code: that is made when the letter is sent, so
// that nobody who reads the database finds one that works.
type Letter struct {
	ID      string  `json:"id"`
	Purpose Purpose `json:"purpose"`
	// Cause is who is counted for it: the user who gave an address, invites, or has
	// forgotten a password.
	Cause      string `json:"cause"`
	UserID     string `json:"user_id,omitempty"`    // whom a reset or an address is about
	Invitation string `json:"invitation,omitempty"` // the id
	Address    string `json:"address"`
	Language   string `json:"language,omitempty"`
}

// Job returns the job that sends the letter.
func (l Letter) Job() (Job, error) {
	payload, err := json.Marshal(l)
	return Job{Kind: JobMail, Key: l.ID, Payload: payload}, err
}

// Mail is a letter as it goes out, with its code, which one that tells something has not.
// Nothing keeps it.
type Mail struct {
	Letter
	Name      string // of the user, "" for somebody who is none yet
	By        string // who invites
	Workspace string
	Code      string
	ExpiresAt Time
}

// notice returns a letter that tells something, whose address the store fills in: the verified
// one, in the language in which it was confirmed. It is nil where there is no mail.
func (s *Service) notice(p Purpose) *Letter {
	if !s.mail {
		return nil
	}
	return &Letter{ID: s.newID(), Purpose: p}
}

// WithMail returns a copy of the service that has letters sent.
func (s *Service) WithMail() *Service {
	named := *s
	named.mail = true
	return &named
}

// HasMail reports whether letters are sent.
func (s *Service) HasMail() bool { return s.mail }

// OpenLetter makes the code of a letter, right before it is sent. Every attempt makes another
// one: of two mails that arrive, both work, until one of them is used. wanted is false
// for what nobody needs any more, such as an invitation that was withdrawn.
func (s *Service) OpenLetter(ctx context.Context, payload []byte) (m Mail, wanted bool, err error) {
	var l Letter
	if err := json.Unmarshal(payload, &l); err != nil {
		return Mail{}, false, Errorf(BadRequest, "the letter cannot be read")
	}
	code, hash := newCode()
	if l.Purpose.Tells() {
		code, hash = "", nil
	}
	m, err = s.store.MintCode(ctx, l, hash)
	m.Letter, m.Code = l, code
	if CodeOf(err) == NotFound {
		return Mail{}, false, nil
	}
	if err == nil {
		m.Workspace, err = s.workspaceName(ctx)
	}
	return m, err == nil, err
}
