package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"fechatter/chat"
	"fechatter/security"
)

// The limits that are no setting, as the security log names them.
const (
	limitResumes   = "resumes"
	limitSearches  = "searches"
	limitCommands  = "commands"
	limitStrangers = "strangers"
	limitGuesses   = "logins_of_an_account"
	limitHashes    = "passwords"
	limitJoins     = "joins"
	limitFloods    = "floods"
	limitHooks     = "hooks"
)

// The limits that are settings have the names of these. What begins like a log-in or a
// sign-up has an event of its own.
const (
	limitSends              = "sends_per_second"
	limitDeliveries         = "deliveries_per_second"
	limitBytes              = "bytes_per_day"
	limitRequests           = "requests_per_second"
	limitConnections        = "connections"
	limitConnectionsPerUser = "connections_per_user"
	limitLogIns             = "logins_per_ip_per_minute"
	limitSignUps            = "signups_per_ip_per_minute"
	limitPeople             = "people_per_minute"
)

// note writes a security event of a caller, for whom the entry needs no fields.
func (s *Server) note(c caller, e security.Entry) {
	if e.Address == "" && c.at.IsValid() {
		e.Address = c.at.String()
	}
	if e.User == "" {
		e.User = c.session.UserID
	}
	if e.Session == "" {
		e.Session = c.session.ID
	}
	s.security.Note(e)
}

// noteRefusal writes the security event that an error is, if it is one. Every route and
// every command ends here when it fails.
func (s *Server) noteRefusal(c caller, path string, err error) {
	limit := chat.LimitOf(err)
	switch {
	case strings.HasPrefix(limit, "logins"):
		s.note(c, security.Entry{Event: security.LogInThrottled, Limit: limit})
	case strings.HasPrefix(limit, "signups"):
		s.note(c, security.Entry{Event: security.SignUpThrottled, Limit: limit})
	case limit != "":
		s.note(c, security.Entry{Event: security.LimitHit, Limit: limit})
	case strings.HasPrefix(path, adminPath) && chat.CodeOf(err) == chat.Forbidden:
		s.note(c, security.Entry{Event: security.AccessRefused, Detail: path})
	}
}

// noteOrigin writes that a page of another origin used this server.
func (s *Server) noteOrigin(r *http.Request) {
	s.note(caller{at: s.client(r)}, security.Entry{Event: security.OriginRefused, Detail: strings.Join(r.Header.Values("Origin"), " ")})
}

// noteSignUp writes that there is a user, who may be the first administrator.
func (s *Server) noteSignUp(ctx context.Context, u chat.User) {
	c := callerOf(ctx)
	s.note(c, security.Entry{Event: security.SignedUp, User: u.ID})
	if a, err := s.chat.Account(ctx, u.ID); err == nil && a.Administrator {
		s.note(c, security.Entry{Event: security.Appointed, User: u.ID, Subject: u.ID})
	}
}

// noteRole writes that somebody gave a member of a chat a role.
func (s *Server) noteRole(ctx context.Context, chatID string, m chat.Member) {
	s.note(callerOf(ctx), security.Entry{Event: security.RoleChanged, Chat: chatID, Subject: m.UserID, Detail: string(m.Role)})
}

// noteRevoked writes that a user ended a session of theirs, which may be this one.
func (s *Server) noteRevoked(c caller, sessionID string) {
	if sessionID == c.session.ID {
		s.note(c, security.Entry{Event: security.LoggedOut})
		return
	}
	s.note(c, security.Entry{Event: security.SessionRevoked, Subject: sessionID})
}

// noteAll writes that an administrator ended n sessions of a user.
func (s *Server) noteAll(ctx context.Context, userID string, n int) {
	s.note(callerOf(ctx), security.Entry{Event: security.SessionsRevoked, Subject: userID, Detail: strconv.Itoa(n)})
}
