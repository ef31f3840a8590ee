package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
	"fechatter/security"
)

// LinkInput is what it takes to write a link that opens here.
type LinkInput struct {
	origin   string
	language string
}

// Resolve notes where the request came to, and the language that the client prefers. Links in
// mail never use the former: anybody may name any host.
func (in *LinkInput) Resolve(ctx huma.Context) []error {
	in.origin = "http://" + ctx.Host()
	if ctx.TLS() != nil {
		in.origin = "https://" + ctx.Host()
	}
	in.language = languageOf(ctx.Header("Accept-Language"))
	return nil
}

// languageOf returns the language of letters that fits best: the first that is named.
func languageOf(accepted string) string {
	if first := strings.ToLower(strings.TrimSpace(accepted)); first == "zh" || strings.HasPrefix(first, "zh-") ||
		strings.HasPrefix(first, "zh,") || strings.HasPrefix(first, "zh;") {
		return "zh"
	}
	return "en"
}

// link returns an address of the page with a code in the fragment, which no log sees.
func (s *Server) link(in LinkInput, name, code string) string {
	return s.base(in) + "/#" + name + "=" + code
}

// base returns the address of this server as others reach it.
func (s *Server) base(in LinkInput) string {
	if s.cfg.PublicURL != "" {
		return strings.TrimRight(s.cfg.PublicURL, "/")
	}
	return in.origin
}

type inviteInput struct {
	LinkInput
	Body struct {
		ChatIDs   []string `json:"chat_ids,omitempty" doc:"at most 20, of which whoever joins is a member at once"`
		MaxUses   int      `json:"max_uses,omitempty" doc:"1 to 10,000; by default 1"`
		ExpiresIn int64    `json:"expires_in_s,omitempty" doc:"at most 90 days; by default 7"`
		Email     string   `json:"email,omitempty" doc:"to which it is sent as well, where the server has mail"`
	}
}

type inviteOutput struct {
	Body struct {
		chat.Invitation
		Code string `json:"code" doc:"shown this once"`
		URL  string `json:"url"`
	}
}

func (s *Server) invite(ctx context.Context, in *inviteInput) (*inviteOutput, error) {
	b := in.Body
	lasts := time.Duration(min(max(b.ExpiresIn, -1), 1<<31)) * time.Second
	i, code, err := s.chat.Invite(ctx, administrator(ctx), chat.NewInvitation{ChatIDs: b.ChatIDs, MaxUses: b.MaxUses, ExpiresIn: lasts, Email: b.Email, Language: in.language})
	if err != nil {
		return nil, err
	}
	s.note(callerOf(ctx), security.Entry{Event: security.Invited, Subject: i.ID})
	out := &inviteOutput{}
	out.Body.Invitation, out.Body.Code, out.Body.URL = i, code, s.link(in.LinkInput, "join", code)
	return out, nil
}

type invitationsOutput struct {
	Body struct {
		Invitations []chat.Invitation `json:"invitations"`
		Next        string            `json:"next,omitempty"`
	}
}

func (s *Server) listInvitations(ctx context.Context, in *PageInput) (*invitationsOutput, error) {
	found, next, err := s.chat.Invitations(ctx, callerOf(ctx).userID(), in.page())
	out := &invitationsOutput{}
	out.Body.Invitations, out.Body.Next = list(found), next
	return out, err
}

func (s *Server) withdrawInvitation(ctx context.Context, in *IDInput) (*struct{}, error) {
	err := s.chat.Withdraw(ctx, callerOf(ctx).userID(), in.ID)
	if err == nil {
		s.note(callerOf(ctx), security.Entry{Event: security.InvitationWithdrawn, Subject: in.ID})
	}
	return nil, err
}

type checkInvitationInput struct {
	Body struct {
		Code string `json:"code" required:"true"`
	}
}

type checkInvitationOutput struct {
	Body chat.CheckedInvitation
}

func (s *Server) checkInvitation(ctx context.Context, in *checkInvitationInput) (*checkInvitationOutput, error) {
	if err := s.rates.logins.charge(callerOf(ctx).from); err != nil {
		return nil, err
	}
	checked, err := s.chat.CheckInvitation(ctx, in.Body.Code)
	return &checkInvitationOutput{Body: checked}, err
}

// entranceRoutes are how people come in.
func (s *Server) entranceRoutes() []route {
	return []route{
		{"GET", v1 + "/workspace", anyone, unlimited, typed(s.getWorkspace), "Get what this server is called, and how one comes in", 0},
		{"PATCH", v1 + "/workspace", forAdmin, ofRequests, typed(s.changeWorkspace), "Change the workspace; for administrators", 0},
		{"POST", v1 + "/invitations", signedIn, ofRequests, typed(s.invite), "Invite people", 201},
		{"GET", v1 + "/invitations", signedIn, ofRequests, typed(s.listInvitations), "List your invitations; administrators: all", 0},
		{"DELETE", v1 + "/invitations/{id}", signedIn, ofRequests, typed(s.withdrawInvitation), "Withdraw an invitation", http.StatusNoContent},
		{"POST", v1 + "/invitations/check", anyone, ofLogIns, typed(s.checkInvitation), "See who invites, before signing up", http.StatusOK},
		{"POST", v1 + "/password-resets", anyone, ofLogIns, typed(s.requestReset), "Ask for a link to a new password", http.StatusAccepted},
		{"POST", v1 + "/password-resets/complete", anyone, ofLogIns, typed(s.completeReset), "Choose a new password by such a link", http.StatusNoContent},
		{"PUT", v1 + "/me/email", signedIn, ofRequests, typed(s.changeEmail), "Give an address, to which a link is sent", http.StatusAccepted},
		{"POST", v1 + "/me/email/confirm", signedIn, ofRequests, typed(s.confirmEmail), "Confirm an address by that link", http.StatusNoContent},
		{"POST", adminPath + "/users/{id}/password-reset", forAdmin, ofRequests, typed(s.issueReset), "Make a link to a new password, to hand over", http.StatusOK},
	}
}
