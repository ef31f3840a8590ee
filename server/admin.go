package server

import (
	"context"

	"fechatter/chat"
)

type accountOutput struct {
	Body chat.Account
}

type accountsOutput struct {
	Body struct {
		Users []chat.Account `json:"users"`
		Next  string         `json:"next,omitempty"`
	}
}

// administrator is the caller as who administers. The domain judges whether they do.
func administrator(ctx context.Context) chat.Actor { return chat.ByUser(callerOf(ctx).userID()) }

func (s *Server) listAccounts(ctx context.Context, in *listUsersInput) (*accountsOutput, error) {
	accounts, next, err := s.chat.Accounts(ctx, administrator(ctx), in.Q, in.page())
	out := &accountsOutput{}
	out.Body.Users, out.Body.Next = list(accounts), next
	return out, err
}

// act binds a change of an account to a route.
func act(change func(ctx context.Context, by chat.Actor, userID string) (chat.Account, error)) binding {
	return typed(func(ctx context.Context, in *IDInput) (*accountOutput, error) {
		a, err := change(ctx, administrator(ctx), in.ID)
		return &accountOutput{Body: a}, err
	})
}

type revokedSessionsOutput struct {
	Body struct {
		Revoked int `json:"revoked"`
	}
}

func (s *Server) revokeSessions(ctx context.Context, in *IDInput) (*revokedSessionsOutput, error) {
	n, err := s.chat.RevokeSessions(ctx, administrator(ctx), in.ID)
	out := &revokedSessionsOutput{}
	out.Body.Revoked = n
	return out, err
}

type retentionsOutput struct {
	Body struct {
		Chats []chat.Retention `json:"chats"`
		Next  string           `json:"next,omitempty"`
	}
}

func (s *Server) listRetentions(ctx context.Context, in *listPublicInput) (*retentionsOutput, error) {
	chats, next, err := s.chat.Retentions(ctx, administrator(ctx), in.Q, in.page())
	out := &retentionsOutput{}
	out.Body.Chats, out.Body.Next = list(chats), next
	return out, err
}

type setRetentionInput struct {
	IDInput
	Body struct {
		Days int `json:"days" required:"true" doc:"0 keeps messages for ever"`
	}
}

type retentionOutput struct {
	Body chat.Retention
}

func (s *Server) setRetention(ctx context.Context, in *setRetentionInput) (*retentionOutput, error) {
	r, err := s.chat.SetRetention(ctx, administrator(ctx), in.ID, in.Body.Days)
	return &retentionOutput{Body: r}, err
}

type auditOutput struct {
	Body struct {
		Entries []chat.AuditEntry `json:"entries"`
		Next    string            `json:"next,omitempty"`
	}
}

func (s *Server) listAudit(ctx context.Context, in *PageInput) (*auditOutput, error) {
	entries, next, err := s.chat.Audit(ctx, administrator(ctx), in.page())
	out := &auditOutput{}
	out.Body.Entries, out.Body.Next = list(entries), next
	return out, err
}

// adminRoutes are for administrators; everybody else is refused by the domain.
func (s *Server) adminRoutes() []route {
	const admin = v1 + "/admin"
	return []route{
		{"GET", admin + "/users", signedIn, typed(s.listAccounts), "List accounts", 0},
		{"POST", admin + "/users/{id}/suspend", signedIn, act(s.chat.Suspend), "Suspend a user: their sessions end, and they open no other", 200},
		{"POST", admin + "/users/{id}/restore", signedIn, act(s.chat.Restore), "End a suspension", 200},
		{"PUT", admin + "/users/{id}/administrator", signedIn, act(s.chat.Appoint), "Make a user an administrator", 200},
		{"DELETE", admin + "/users/{id}/administrator", signedIn, act(s.chat.Dismiss), "Make an administrator an ordinary user", 200},
		{"DELETE", admin + "/users/{id}/sessions", signedIn, typed(s.revokeSessions), "Revoke all sessions of a user", 0},
		{"GET", admin + "/chats", signedIn, typed(s.listRetentions), "List all chats with their retention", 0},
		{"PUT", admin + "/chats/{id}/retention", signedIn, typed(s.setRetention), "Set for how many days a chat keeps messages", 200},
		{"GET", admin + "/audit", signedIn, typed(s.listAudit), "Read what administrators did, the newest first", 0},
	}
}
