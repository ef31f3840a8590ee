package chat

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// Account is a user as an administrator sees them.
type Account struct {
	User
	Administrator bool  `json:"administrator"`
	SuspendedAt   *Time `json:"suspended_at,omitempty"`
}

// Actor is who administers: a user who must be an administrator, or the operator
// at the command line, who has the database anyway.
type Actor struct {
	userID   string
	operator bool
}

// ByUser is the user of an authenticated session.
func ByUser(userID string) Actor { return Actor{userID: userID} }

// ByOperator is who runs the program.
func ByOperator() Actor { return Actor{operator: true} }

// operatorName is how the audit log calls the operator; no user's id is like it.
const operatorName = "operator"

func (a Actor) name() string {
	if a.operator {
		return operatorName
	}
	return a.userID
}

// Appointment says whether a sign-up makes an administrator.
type Appointment int

// The appointments: nobody; whoever is the first user of this database; the user
// in any case, for the settings name them.
const (
	AppointNobody Appointment = iota
	AppointFirst
	AppointNamed
)

// WithAdministrators gives the use cases with names that become administrators
// by their sign-up. Without names it is the first user.
func (s *Service) WithAdministrators(names []string) *Service {
	named := *s
	named.administrators = names
	return &named
}

func (s *Service) appointment(username string) Appointment {
	switch {
	case slices.Contains(s.administrators, username):
		return AppointNamed
	case len(s.administrators) == 0:
		return AppointFirst
	}
	return AppointNobody
}

// AppointNamed makes those users administrators whom the settings name and who
// have signed up: at the start of a node.
func (s *Service) AppointNamed(ctx context.Context) error {
	for _, name := range s.administrators {
		a, err := s.store.AccountNamed(ctx, name)
		if err == nil && !a.Administrator {
			_, err = s.changeAccount(ctx, ByOperator(), a.ID, appoint("named by the settings"))
		}
		if err != nil && CodeOf(err) != NotFound {
			return err
		}
	}
	return nil
}

// authorizeAdmin is the one place that decides who administers. Acts ask it
// again inside their transaction.
func authorizeAdmin(ctx context.Context, actor Actor, account func(context.Context, string) (Account, error)) error {
	if actor.operator {
		return nil
	}
	a, err := account(ctx, actor.userID)
	if err != nil && CodeOf(err) != NotFound {
		return err
	}
	if err != nil || !a.Administrator || a.SuspendedAt != nil {
		return Errorf(Forbidden, "this is for administrators")
	}
	return nil
}

// Account gives a user's own account.
func (s *Service) Account(ctx context.Context, userID string) (Account, error) {
	return s.store.Account(ctx, userID)
}

// AccountNamed gives the account of a username; for administrators.
func (s *Service) AccountNamed(ctx context.Context, actor Actor, username string) (Account, error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return Account{}, err
	}
	return s.store.AccountNamed(ctx, username)
}

// Accounts lists all users by username, or those that contain q; for administrators.
func (s *Service) Accounts(ctx context.Context, actor Actor, q string, p Page) ([]Account, string, error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return nil, "", err
	}
	if err := validText("q", q, 0, maxDisplayName); err != nil {
		return nil, "", err
	}
	return s.store.Accounts(ctx, strings.ToLower(strings.TrimSpace(q)), p)
}

// PlaceOf says where a message is, and nothing else of it; for administrators.
func (s *Service) PlaceOf(ctx context.Context, actor Actor, messageID string) (chatID string, seq int64, err error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return "", 0, err
	}
	if !ValidID(messageID) {
		return "", 0, noMessage()
	}
	return s.store.PlaceOfMessage(ctx, messageID)
}

// Suspend ends a user's sessions and lets them open no other until they are
// restored. Suspending again changes nothing. Errors: forbidden, not_found,
// conflict for the last administrator.
func (s *Service) Suspend(ctx context.Context, actor Actor, userID string) (Account, error) {
	return s.changeAccount(ctx, actor, userID, suspend)
}

// Restore ends a suspension. The user logs in again.
func (s *Service) Restore(ctx context.Context, actor Actor, userID string) (Account, error) {
	return s.changeAccount(ctx, actor, userID, restore)
}

// Appoint makes a user an administrator.
func (s *Service) Appoint(ctx context.Context, actor Actor, userID string) (Account, error) {
	return s.changeAccount(ctx, actor, userID, appoint(""))
}

// Dismiss makes an administrator an ordinary user; conflict for the last one.
func (s *Service) Dismiss(ctx context.Context, actor Actor, userID string) (Account, error) {
	return s.changeAccount(ctx, actor, userID, dismiss)
}

// RevokeSessions ends all sessions of a user and answers how many there were.
func (s *Service) RevokeSessions(ctx context.Context, actor Actor, userID string) (revoked int, err error) {
	_, err = s.changeAccount(ctx, actor, userID, func(ctx context.Context, tx AdminTx, a *Account) (audit, error) {
		revoked, err = tx.RevokeSessions(ctx, a.ID)
		if revoked == 0 {
			return audit{}, err
		}
		return audit{AuditSessionsRevoked, strconv.Itoa(revoked) + " sessions"}, err
	})
	return revoked, err
}

// audit is what an act leaves in the log; without an action there was none.
type audit struct {
	action Action
	detail string
}

type accountChange func(ctx context.Context, tx AdminTx, a *Account) (audit, error)

func (s *Service) changeAccount(ctx context.Context, actor Actor, userID string, change accountChange) (a Account, err error) {
	err = s.administer(ctx, actor, userID, func(ctx context.Context, tx AdminTx) (did audit, err error) {
		if !ValidID(userID) {
			return did, noUser()
		}
		if a, err = tx.Account(ctx, userID); err != nil {
			return did, err
		}
		if did, err = change(ctx, tx, &a); err != nil || did.action == "" {
			return did, err
		}
		return did, tx.SaveAccount(ctx, a)
	})
	return a, err
}

// administer is the frame of every act: the actor is judged and the log written
// in the transaction that does it.
func (s *Service) administer(ctx context.Context, actor Actor, subject string, act func(context.Context, AdminTx) (audit, error)) error {
	return s.store.Administer(ctx, subject, func(ctx context.Context, tx AdminTx) error {
		if err := authorizeAdmin(ctx, actor, tx.Account); err != nil {
			return err
		}
		did, err := act(ctx, tx)
		if err != nil || did.action == "" {
			return err
		}
		return tx.Record(ctx, AuditEntry{ID: s.newID(), Actor: actor.name(), Action: did.action, Subject: subject, Detail: did.detail})
	})
}

func suspend(ctx context.Context, tx AdminTx, a *Account) (audit, error) {
	if a.SuspendedAt != nil {
		return audit{}, nil
	}
	if err := othersAdminister(ctx, tx, *a); err != nil {
		return audit{}, err
	}
	now := tx.Now()
	a.SuspendedAt = &now
	if err := tx.SaveAccount(ctx, *a); err != nil { // first: from here on nobody opens another
		return audit{}, err
	}
	n, err := tx.RevokeSessions(ctx, a.ID)
	return audit{AuditSuspended, strconv.Itoa(n) + " sessions revoked"}, err
}

func restore(_ context.Context, _ AdminTx, a *Account) (audit, error) {
	if a.SuspendedAt == nil {
		return audit{}, nil
	}
	a.SuspendedAt = nil
	return audit{action: AuditRestored}, nil
}

func appoint(detail string) accountChange {
	return func(_ context.Context, _ AdminTx, a *Account) (audit, error) {
		if a.Administrator {
			return audit{}, nil
		}
		a.Administrator = true
		return audit{AuditAppointed, detail}, nil
	}
}

func dismiss(ctx context.Context, tx AdminTx, a *Account) (audit, error) {
	if !a.Administrator {
		return audit{}, nil
	}
	if err := othersAdminister(ctx, tx, *a); err != nil {
		return audit{}, err
	}
	a.Administrator = false
	return audit{action: AuditDismissed}, nil
}

// othersAdminister refuses to lose the last administrator who can act.
func othersAdminister(ctx context.Context, tx AdminTx, a Account) error {
	if !a.Administrator || a.SuspendedAt != nil {
		return nil
	}
	n, err := tx.Administrators(ctx)
	if err == nil && n <= 1 {
		err = Errorf(Conflict, "this is the last administrator")
	}
	return err
}

func noUser() error { return Errorf(NotFound, "there is no such user") }
