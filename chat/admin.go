package chat

import (
	"context"
	"strconv"
	"strings"
)

// Account is a user as an administrator sees them.
type Account struct {
	User
	Administrator bool  `json:"administrator"`
	SuspendedAt   *Time `json:"suspended_at,omitempty"`
	// MadeBy is who made a bot.
	MadeBy string `json:"made_by,omitempty"`
}

// Actor is whoever performs an administrative act: a user, who must be an
// administrator, or the operator at the command line, who has the database anyway.
type Actor struct {
	userID   string
	operator bool
	// byKey is set where a key acts, with its scopes; delegated, where it may administer
	// although its bot is no administrator.
	byKey, delegated bool
	scopes           Scopes
}

// ByUser returns the actor for the user of an authenticated session.
func ByUser(userID string) Actor { return Actor{userID: userID} }

// ByOperator returns the actor for whoever runs the program.
func ByOperator() Actor { return Actor{operator: true} }

// Operator names the operator in the audit log; no user's id looks like it.
const Operator = "operator"

func (a Actor) name() string {
	if a.operator {
		return Operator
	}
	return a.userID
}

// WithAdministrators returns a copy of the service for which the settings name these
// users as administrators: see AppointNamed. Signing up under one of the names makes
// nobody an administrator. Without names the first user becomes one.
func (s *Service) WithAdministrators(names []string) *Service {
	named := *s
	named.administrators = names
	return &named
}

// AppointNamed makes the users whom the settings name administrators, and returns those
// who were not one before. It passes over the names that make nobody one: those that no
// user has, and those that none had when they were first named. Whoever has taken such
// a name since may be anybody, so that somebody who knows must appoint them. A node
// calls it at start.
func (s *Service) AppointNamed(ctx context.Context) (appointed []Account, passedOver []string, err error) {
	for _, name := range s.administrators {
		a, known, err := s.appointNamed(ctx, name)
		switch {
		case err != nil:
			return appointed, passedOver, err
		case !known:
			passedOver = append(passedOver, name)
		case a.ID != "":
			appointed = append(appointed, a)
		}
	}
	return appointed, passedOver, nil
}

// appointNamed returns the account if it has become an administrator's.
func (s *Service) appointNamed(ctx context.Context, name string) (appointed Account, known bool, err error) {
	a, err := s.store.AccountNamed(ctx, name)
	if CodeOf(err) == NotFound {
		return Account{}, false, s.store.NoteAbsent(ctx, name)
	}
	if err != nil || a.Administrator {
		return Account{}, true, err
	}
	if absent, err := s.store.WasAbsent(ctx, name); err != nil || absent {
		return Account{}, false, err
	}
	a, err = s.changeAccount(ctx, ByOperator(), a.ID, appoint("named by the settings"))
	return a, true, err
}

// authorizeAdmin is the one place that decides who may administer. Acts call it
// inside their transaction.
func authorizeAdmin(ctx context.Context, actor Actor, account func(context.Context, string) (Account, error)) error {
	if actor.operator {
		return nil
	}
	a, err := account(ctx, actor.userID)
	if err != nil && CodeOf(err) != NotFound {
		return err
	}
	if err != nil || !a.Administrator && !actor.delegated || a.SuspendedAt != nil {
		return Errorf(Forbidden, "only administrators may do this")
	}
	return nil
}

// MayAdminister refuses who may not.
func (s *Service) MayAdminister(ctx context.Context, actor Actor) error {
	return authorizeAdmin(ctx, actor, s.store.Account)
}

// Account returns a user's own account.
func (s *Service) Account(ctx context.Context, userID string) (Account, error) {
	return s.store.Account(ctx, userID)
}

// AccountNamed returns the account with a username; for administrators.
func (s *Service) AccountNamed(ctx context.Context, actor Actor, username string) (Account, error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return Account{}, err
	}
	return s.store.AccountNamed(ctx, username)
}

// Accounts lists users by username, all or those whose name contains q; for
// administrators.
func (s *Service) Accounts(ctx context.Context, actor Actor, q string, p Page) ([]Account, string, error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return nil, "", err
	}
	if err := validText("q", q, 0, maxDisplayName); err != nil {
		return nil, "", err
	}
	return s.store.Accounts(ctx, strings.TrimSpace(q), p)
}

// PlaceOf returns where a message is and nothing else about it; for administrators.
func (s *Service) PlaceOf(ctx context.Context, actor Actor, messageID string) (chatID string, seq int64, err error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return "", 0, err
	}
	if !ValidID(messageID) {
		return "", 0, noMessage()
	}
	return s.store.PlaceOfMessage(ctx, messageID)
}

// Suspend ends a user's sessions and prevents new ones until Restore. Suspending
// a suspended user changes nothing. Errors: forbidden, not_found, conflict for the
// last administrator.
func (s *Service) Suspend(ctx context.Context, actor Actor, userID string) (Account, error) {
	return s.changeAccount(ctx, actor, userID, suspend)
}

// Restore ends a suspension. The user has to log in again.
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

// RevokeSessions ends all sessions of a user and returns how many there were.
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

// audit is what an act leaves in the log; an empty action leaves nothing.
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

// administer runs an act: it authorizes the actor and writes the audit log in the
// transaction of the act itself.
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
	if err := tx.SaveAccount(ctx, *a); err != nil { // first: from here on no new session can be opened
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
		if a.Bot {
			return audit{}, Errorf(Conflict, "a bot administers by a key with the scope admin")
		}
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

// othersAdminister refuses the loss of the last administrator who is not suspended.
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
