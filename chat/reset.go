package chat

import (
	"context"
	"encoding/hex"
	"encoding/json"
)

// ResetRequest is a wish for a new password, by somebody who is nobody yet: by username or
// by address.
type ResetRequest struct {
	Username string `json:"username,omitempty"`
	Email    string `json:"email,omitempty"`
	Language string `json:"language,omitempty"`
}

// RequestReset notes the wish as a job, and looks nothing up: whatever was asked for, the same
// is done in the same time. Wishes for one account that wait are one. Errors: forbidden where
// passwords are off.
func (s *Service) RequestReset(ctx context.Context, r ResetRequest) error {
	if !s.TakesPasswords() {
		return passwordsOff()
	}
	if (r.Username == "") == (r.Email == "") {
		return Errorf(BadRequest, "name an account by username or by email")
	}
	if len(r.Username) > maxEmail || len(r.Email) > maxEmail {
		return Errorf(BadRequest, "username and email must be at most %d bytes", maxEmail)
	}
	if err := validText("username", r.Username+r.Email, 0, maxEmail); err != nil {
		return err
	}
	if !s.mail {
		return nil
	}
	payload, err := json.Marshal(r)
	if err != nil {
		return err
	}
	key := hex.EncodeToString(s.fingerprint("reset", r.Username, EmailKey(r.Email)))
	return s.store.PutJobs(ctx, Job{Kind: JobReset, Key: key, Keep: true, Payload: payload})
}

// AnswerReset does a job of RequestReset: it has a letter sent if there is an account with a
// verified address and a password, unless that had its letters for this hour: who comes by a
// provider alone would get round it, and is helped by administrators. The job is finished in the
// same transaction.
func (s *Service) AnswerReset(ctx context.Context, j ClaimedJob) error {
	var r ResetRequest
	if err := json.Unmarshal(j.Payload, &r); err != nil {
		return Errorf(BadRequest, "the wish cannot be read")
	}
	return s.store.AnswerReset(ctx, j, r, func(u User, address string) Letter {
		return Letter{ID: s.newID(), Purpose: ForReset, Cause: u.ID, UserID: u.ID, Address: address, Language: r.Language}
	})
}

// CompleteReset sets a new password for the user of a code, and ends all of their sessions and
// all other codes for it. Errors: not_found for the code, bad_request for the password.
func (s *Service) CompleteReset(ctx context.Context, code, password string) (User, error) {
	if !s.TakesPasswords() {
		return User{}, passwordsOff()
	}
	hash := codeHash(code)
	if hash == nil {
		return User{}, noCode()
	}
	u, err := s.store.ResetUser(ctx, hash)
	if err != nil {
		return User{}, err
	}
	if err := s.validPassword(u.Username, password); err != nil {
		return User{}, err
	}
	hashed, err := s.passwords.Hash(ctx, password)
	if err != nil {
		return User{}, Wrap(Unavailable, err, "passwords cannot be hashed right now")
	}
	return u, s.store.ResetPassword(ctx, hash, hashed, s.notice(PasswordChanged))
}

// ResetLink is a code for a new password that an administrator hands over.
type ResetLink struct {
	Code      string
	ExpiresAt Time
}

// IssueReset makes a code for a user's new password; for administrators. Errors: forbidden,
// not_found.
func (s *Service) IssueReset(ctx context.Context, actor Actor, userID string) (l ResetLink, err error) {
	_, err = s.changeAccount(ctx, actor, userID, func(ctx context.Context, tx AdminTx, a *Account) (audit, error) {
		if !s.TakesPasswords() {
			return audit{}, passwordsOff()
		}
		if a.Bot {
			return audit{}, Errorf(Conflict, "a bot has no password: it has keys")
		}
		code, hash := newCode()
		l = ResetLink{code, tx.Now().Add(ResetTTL)}
		return audit{action: AuditResetIssued}, tx.InsertCode(ctx, LinkCode{Purpose: ForReset, Subject: a.ID, Hash: hash, ExpiresAt: l.ExpiresAt})
	})
	return l, err
}
