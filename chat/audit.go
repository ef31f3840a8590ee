package chat

import "context"

// Action names what an administrator did.
type Action string

// The actions of the audit log.
const (
	AuditAppointed       Action = "administrator.appointed"
	AuditDismissed       Action = "administrator.dismissed"
	AuditSuspended       Action = "user.suspended"
	AuditRestored        Action = "user.restored"
	AuditSessionsRevoked Action = "sessions.revoked"
	AuditRetentionSet    Action = "retention.set"
)

// AuditEntry is one act of an administrator. Actor is a user's id, or "operator"
// for the command line and the settings; Subject the id of a user or chat.
type AuditEntry struct {
	ID      string `json:"id"`
	At      Time   `json:"at"`
	Actor   string `json:"actor"`
	Action  Action `json:"action"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// Audit lists what administrators did, the newest first; for administrators.
func (s *Service) Audit(ctx context.Context, actor Actor, p Page) ([]AuditEntry, string, error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return nil, "", err
	}
	return s.store.Audit(ctx, p)
}
