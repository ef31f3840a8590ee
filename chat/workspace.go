package chat

import (
	"cmp"
	"context"
)

// Registration is who may sign up.
type Registration string

// The ways of registration. Whatever it is, the first user needs the setup code, unless it
// is open.
const (
	ByInvitation Registration = "invite"
	Open         Registration = "open"
	Closed       Registration = "closed"
)

// Valid reports whether there is such a way.
func (r Registration) Valid() bool { return r == ByInvitation || r == Open || r == Closed }

// Workspace is what all users of a database share. Empty fields are those that no
// administrator has set.
type Workspace struct {
	Name         string       `json:"name,omitempty"`
	Registration Registration `json:"registration,omitempty"`
}

// WorkspaceChange is a change by an administrator; nil leaves a field alone.
type WorkspaceChange struct {
	Name         *string
	Registration *Registration
}

// WorkspaceStore keeps the workspace.
type WorkspaceStore interface {
	// Workspace also reports whether there has been a user.
	Workspace(ctx context.Context) (w Workspace, begun bool, err error)
	// AddSetupCode adds a code for the first administrator, beside a few earlier ones: every
	// node shows its own. added is false if there has been a user.
	AddSetupCode(ctx context.Context, hash []byte) (added bool, err error)
}

const (
	defaultName      = "Fechatter"
	maxWorkspaceName = 64
)

// Admission is what the settings say about who may come in.
type Admission struct {
	Registration Registration // until an administrator chooses another
	// InviteByAdministrators keeps others from inviting.
	InviteByAdministrators bool
}

// WithAdmission returns a copy of the service that admits users so. Without it registration
// is open.
func (s *Service) WithAdmission(a Admission) *Service {
	named := *s
	named.admission = a
	return &named
}

// Workspace returns the workspace in force, and whether it waits for its first administrator,
// who needs the setup code. Where passwords are off nobody could use one.
func (s *Service) Workspace(ctx context.Context) (w Workspace, setup bool, err error) {
	w, begun, err := s.store.Workspace(ctx)
	if err != nil {
		return Workspace{}, false, err
	}
	w = s.inForce(w)
	return w, !begun && w.Registration != Open && s.TakesPasswords(), nil
}

// inForce fills in what no administrator has set.
func (s *Service) inForce(w Workspace) Workspace {
	return Workspace{cmp.Or(w.Name, defaultName), cmp.Or(w.Registration, s.admission.Registration, Open)}
}

func (s *Service) workspaceName(ctx context.Context) (string, error) {
	w, _, err := s.Workspace(ctx)
	return w.Name, err
}

// ChangeWorkspace changes what all users share; for administrators. What they choose holds
// whatever the settings say. Errors: forbidden, bad_request.
func (s *Service) ChangeWorkspace(ctx context.Context, actor Actor, ch WorkspaceChange) (w Workspace, err error) {
	if ch.Name != nil {
		name, err := cleanName("name", *ch.Name, 1, maxWorkspaceName)
		if err != nil {
			return Workspace{}, err
		}
		ch.Name = &name
	}
	if ch.Registration != nil && !ch.Registration.Valid() {
		return Workspace{}, Errorf(BadRequest, "registration must be invite, open or closed")
	}
	err = s.administer(ctx, actor, "", func(ctx context.Context, tx AdminTx) (did audit, err error) {
		if w, err = tx.Workspace(ctx); err != nil {
			return did, err
		}
		if ch.Name != nil && *ch.Name != s.inForce(w).Name {
			w.Name, did = *ch.Name, audit{AuditWorkspaceChanged, "name " + *ch.Name}
		}
		if ch.Registration != nil && *ch.Registration != s.inForce(w).Registration {
			w.Registration = *ch.Registration
			did = audit{AuditWorkspaceChanged, did.detail + " registration " + string(w.Registration)}
		}
		return did, tx.SaveWorkspace(ctx, w)
	})
	return s.inForce(w), err
}

// SetupCode makes a code for the first administrator. needed is false where nobody needs one:
// there has been a user, or registration is open.
func (s *Service) SetupCode(ctx context.Context) (code string, needed bool, err error) {
	_, needed, err = s.Workspace(ctx)
	if err != nil || !needed {
		return "", false, err
	}
	code, hash := newCode()
	needed, err = s.store.AddSetupCode(ctx, hash)
	return code, needed, err
}
