package server

import (
	"context"
	"strconv"

	"fechatter/chat"
	"fechatter/security"
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

// administrator is the caller, or the key that administers, in that role. The domain decides
// whether they have it.
func administrator(ctx context.Context) chat.Actor { return callerOf(ctx).session.Actor() }

func (s *Server) listAccounts(ctx context.Context, in *SearchUsersInput) (*accountsOutput, error) {
	accounts, next, err := s.chat.Accounts(ctx, administrator(ctx), in.Q, in.page())
	out := &accountsOutput{}
	out.Body.Users, out.Body.Next = list(accounts), next
	return out, err
}

// act binds a change of an account to a route.
func (s *Server) act(event security.Event, change func(ctx context.Context, by chat.Actor, userID string) (chat.Account, error)) binding {
	return typed(func(ctx context.Context, in *IDInput) (*accountOutput, error) {
		a, err := change(ctx, administrator(ctx), in.ID)
		if err == nil {
			s.note(callerOf(ctx), security.Entry{Event: event, Subject: a.ID})
		}
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
	if err == nil {
		s.noteAll(ctx, in.ID, n)
	}
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
		Days int `json:"days" required:"true" doc:"0 keeps messages forever"`
	}
}

type retentionOutput struct {
	Body chat.Retention
}

func (s *Server) setRetention(ctx context.Context, in *setRetentionInput) (*retentionOutput, error) {
	r, err := s.chat.SetRetention(ctx, administrator(ctx), in.ID, in.Body.Days)
	if err == nil {
		s.note(callerOf(ctx), security.Entry{Event: security.RetentionSet, Chat: in.ID, Detail: strconv.Itoa(r.Days)})
	}
	return &retentionOutput{Body: r}, err
}

func (s *Server) deleteChat(ctx context.Context, in *IDInput) (*struct{}, error) {
	err := s.chat.DeleteChat(ctx, administrator(ctx), in.ID)
	if err == nil {
		s.note(callerOf(ctx), security.Entry{Event: security.ChatDeleted, Chat: in.ID})
	}
	return nil, err
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

// adminPath is where the routes for administrators are.
const adminPath = v1 + "/admin"

// adminRoutes are for administrators; the domain refuses everyone else.
func (s *Server) adminRoutes() []route {
	return []route{
		{"GET", adminPath + "/users", forAdmin, ofRequests, typed(s.listAccounts), "List accounts", 0},
		{"POST", adminPath + "/users/{id}/suspend", forAdmin, ofRequests, s.act(security.Suspended, s.chat.Suspend), "Suspend a user: their sessions end, and they cannot log in", 200},
		{"POST", adminPath + "/users/{id}/restore", forAdmin, ofRequests, s.act(security.Restored, s.chat.Restore), "Lift a suspension", 200},
		{"PUT", adminPath + "/users/{id}/administrator", forAdmin, ofRequests, s.act(security.Appointed, s.chat.Appoint), "Make a user an administrator", 200},
		{"DELETE", adminPath + "/users/{id}/administrator", forAdmin, ofRequests, s.act(security.Dismissed, s.chat.Dismiss), "Dismiss an administrator", 200},
		{"DELETE", adminPath + "/users/{id}/sessions", forAdmin, ofRequests, typed(s.revokeSessions), "Revoke all sessions of a user", 0},
		{"GET", adminPath + "/chats", forAdmin, ofRequests, typed(s.listRetentions), "List all chats with their retention", 0},
		{"PUT", adminPath + "/chats/{id}/retention", forAdmin, ofRequests, typed(s.setRetention), "Set how many days a chat keeps messages", 200},
		{"DELETE", adminPath + "/chats/{id}", forAdmin, ofRequests, typed(s.deleteChat), "Delete a chat: its members lose it at once, its messages follow within an hour", 0},
		{"GET", adminPath + "/jobs", forAdmin, ofRequests, typed(s.listJobs), "List the work behind the scenes: how much waits, and what failed for good", 0},
		{"POST", adminPath + "/jobs/{kind}/{key}/retry", forAdmin, ofRequests, s.judgeJob(security.JobRevived, s.chat.ReviveJob), "Try a job again that failed for good", 0},
		{"DELETE", adminPath + "/jobs/{kind}/{key}", forAdmin, ofRequests, s.judgeJob(security.JobDropped, s.chat.DropJob), "Give up a job that failed for good", 0},
		{"GET", adminPath + "/audit", forAdmin, ofRequests, typed(s.listAudit), "List what administrators did, newest first", 0},
	}
}
