package server

import (
	"context"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
	"fechatter/security"
)

// factorPasskey is what security events call a passkey.
const factorPasskey = "passkey"

// anyObject is JSON that this package passes on as it is.
type anyObject []byte

// Schema implements huma.SchemaProvider.
func (anyObject) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *anyObject) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '{' {
		return chat.Errorf(chat.BadRequest, "not an object")
	}
	*o = append((*o)[:0], data...)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (o anyObject) MarshalJSON() ([]byte, error) { return json.RawMessage(o).MarshalJSON() }

type ceremonyOutput struct {
	Body struct {
		Options   anyObject `json:"options" doc:"of PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON"`
		Challenge string    `json:"challenge" doc:"to be sent with the answer, within 5 minutes, once"`
	}
}

func ceremony(c chat.Ceremony, err error) (*ceremonyOutput, error) {
	out := &ceremonyOutput{}
	out.Body.Options, out.Body.Challenge = c.Options, c.Challenge
	return out, err
}

func (s *Server) beginPasskey(ctx context.Context, _ *struct{}) (*ceremonyOutput, error) {
	c := callerOf(ctx)
	return ceremony(s.chat.BeginPasskey(ctx, c.userID(), c.site))
}

type addPasskeyInput struct {
	Body struct {
		Name       string    `json:"name" required:"true" doc:"1 to 64 characters, for the list of passkeys"`
		Challenge  string    `json:"challenge" required:"true"`
		Credential anyObject `json:"credential" required:"true" doc:"what navigator.credentials.create returned, by its toJSON"`
	}
}

type passkeyOutput struct {
	Body chat.Passkey
}

func (s *Server) addPasskey(ctx context.Context, in *addPasskeyInput) (*passkeyOutput, error) {
	c := callerOf(ctx)
	p, err := s.chat.AddPasskey(ctx, c.userID(), c.site, in.Body.Name, in.Body.Challenge, in.Body.Credential)
	if err == nil {
		s.note(c, security.Entry{Event: security.FactorSet, Detail: factorPasskey})
	}
	return &passkeyOutput{Body: p}, err
}

type passkeysOutput struct {
	Body struct {
		Passkeys []chat.Passkey `json:"passkeys"`
		Next     string         `json:"next,omitempty"`
	}
}

func (s *Server) listPasskeys(ctx context.Context, in *PageInput) (*passkeysOutput, error) {
	found, next, err := s.chat.Passkeys(ctx, callerOf(ctx).userID(), in.page())
	out := &passkeysOutput{}
	out.Body.Passkeys, out.Body.Next = list(found), next
	return out, err
}

func (s *Server) deletePasskey(ctx context.Context, in *IDInput) (*struct{}, error) {
	c := callerOf(ctx)
	err := s.chat.DeletePasskey(ctx, c.userID(), in.ID)
	if err == nil {
		s.note(c, security.Entry{Event: security.FactorRemoved, Detail: factorPasskey})
	}
	return nil, err
}

func (s *Server) beginPasskeyLogIn(ctx context.Context, _ *struct{}) (*ceremonyOutput, error) {
	return ceremony(s.chat.BeginPasskeyLogIn(callerOf(ctx).site))
}

type passkeyLogInInput struct {
	Body struct {
		Challenge  string    `json:"challenge" required:"true"`
		Credential anyObject `json:"credential" required:"true" doc:"what navigator.credentials.get returned, by its toJSON"`
		Device     string    `json:"device,omitempty" doc:"the session's name in the list of sessions"`
	}
}

// logInByPasskey is limited by address alone: nobody can guess a signature, so that
// nobody's guesses may keep the holder of a passkey out.
func (s *Server) logInByPasskey(ctx context.Context, in *passkeyLogInInput) (*logInOutput, error) {
	c := callerOf(ctx)
	if err := s.rates.logins.charge(c.from); err != nil {
		return nil, err
	}
	l, err := s.chat.LogInByPasskey(ctx, c.site, in.Body.Challenge, in.Body.Credential, in.Body.Device)
	if code := chat.CodeOf(err); code == chat.Unauthenticated || code == chat.Forbidden {
		s.note(c, security.Entry{Event: security.FactorRefused, User: l.User.ID, Detail: factorPasskey})
	}
	if err != nil {
		return nil, err
	}
	return s.loggedIn(ctx, l), nil
}
