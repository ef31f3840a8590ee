package chat

import "context"

// Action names what an administrator did.
type Action string

// The actions of the audit log.
const (
	AuditAppointed        Action = "administrator.appointed"
	AuditDismissed        Action = "administrator.dismissed"
	AuditSuspended        Action = "user.suspended"
	AuditRestored         Action = "user.restored"
	AuditSessionsRevoked  Action = "sessions.revoked"
	AuditRetentionSet     Action = "retention.set"
	AuditBusKeyRotated    Action = "bus_key.rotated"
	AuditChatDeleted      Action = "chat.deleted"
	AuditResetIssued      Action = "password_reset.issued"
	AuditWorkspaceChanged Action = "workspace.changed"
	AuditJobRevived       Action = "job.revived"
	AuditJobDropped       Action = "job.dropped"
	AuditFactorsRemoved   Action = "second_factor.removed"
	AuditBotMade          Action = "bot.made"
	AuditKeyMade          Action = "key.made"
	AuditKeyRevoked       Action = "key.revoked"
	AuditActed            Action = "acted.as" // the subject is the user in whose name
	AuditUserMade         Action = "user.made"
	AuditUserChanged      Action = "user.changed"
)

// AuditEntry is one act of an administrator. Actor is a user's id, or "operator"
// for the command line and the settings; Subject is the id of a user or chat.
type AuditEntry struct {
	ID      string `json:"id"`
	At      Time   `json:"at"`
	Actor   string `json:"actor"`
	Action  Action `json:"action"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// Audit lists what administrators did, newest first; for administrators.
func (s *Service) Audit(ctx context.Context, actor Actor, p Page) ([]AuditEntry, string, error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return nil, "", err
	}
	return s.store.Audit(ctx, p)
}
