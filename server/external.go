package server

import (
	"context"
	"net/http"
	"strings"

	"fechatter/chat"
	"fechatter/security"
)

// externalPath is what ids of applications are behind. Two patterns of the mux would match
// its path for some of these ids, so that the mux has it under muxExternalPath.
const (
	externalPath    = adminPath + "/users/by-external-id/"
	muxExternalPath = adminPath + "/by-external-id/"
)

// muxPath returns the pattern under which the mux serves a path of the table.
func muxPath(path string) string {
	if rest, ok := strings.CutPrefix(path, externalPath); ok {
		return muxExternalPath + rest
	}
	return path
}

// forMux returns a request as the mux has its path; nobody else asks for muxExternalPath.
func forMux(r *http.Request) *http.Request {
	path := r.URL.EscapedPath()
	switch {
	case strings.HasPrefix(path, externalPath):
		path = muxPath(path)
	case strings.HasPrefix(path, muxExternalPath):
		path = "/" + oddSegment
	default:
		return r
	}
	return withPath(r, path)
}

type putExternalInput struct {
	ExternalID string `path:"external_id" doc:"at most 255 bytes"`
	Body       struct {
		Username    string `json:"username" required:"true" doc:"3 to 32 characters of a-z 0-9 _ . -"`
		DisplayName string `json:"display_name,omitempty" doc:"defaults to the username"`
		Email       string `json:"email,omitempty" doc:"taken to be verified; missing: as it is"`
		Issuer      string `json:"issuer,omitempty" doc:"one of the setting jwt, whose tokens have the id as their subject; missing: the id is of your own"`
	}
}

type putExternalOutput struct {
	Status int
	Body   chat.User
}

func (s *Server) putExternal(ctx context.Context, in *putExternalInput) (*putExternalOutput, error) {
	b := in.Body
	u, made, err := s.chat.PutExternal(ctx, administrator(ctx), chat.NewExternal{
		External: chat.External{Issuer: b.Issuer, Subject: in.ExternalID}, Username: b.Username, DisplayName: b.DisplayName, Email: b.Email})
	if err != nil {
		return nil, err
	}
	out := &putExternalOutput{Status: http.StatusOK, Body: u}
	if made {
		out.Status = http.StatusCreated
		s.note(callerOf(ctx), security.Entry{Event: security.UserMade, Subject: u.ID})
	}
	return out, nil
}
