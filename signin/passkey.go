package signin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"fechatter/chat"
)

// Passkeys is WebAuthn for credentials that name their user, and whose authenticator
// asks for a finger, a face or a PIN each time. It implements chat.Passkeys. What is
// attested about authenticators is not asked for: everybody may use their own.
type Passkeys struct{ server string }

// NewPasskeys returns passkeys that browsers show under the name of server.
func NewPasskeys(server string) Passkeys { return Passkeys{server} }

// errNoCredential is about an answer that holds none.
var errNoCredential = errors.New("the answer holds no credential")

func (p Passkeys) of(site chat.Site) (*webauthn.WebAuthn, error) {
	resident := true
	w, err := webauthn.New(&webauthn.Config{
		RPID: site.Name, RPDisplayName: p.server, RPOrigins: site.Origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{RequireResidentKey: &resident,
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired},
		// Password managers answer extensions that nobody asked for; none is used here.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", site.Name, err)
	}
	return w, nil
}

// holder is a user as the library sees one.
type holder struct {
	user        chat.User
	credentials []webauthn.Credential
}

// WebAuthnID returns the id of the user: it tells nothing about the person.
func (h holder) WebAuthnID() []byte                         { return []byte(h.user.ID) }
func (h holder) WebAuthnName() string                       { return h.user.Username }
func (h holder) WebAuthnDisplayName() string                { return h.user.DisplayName }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// CreationOptions implements chat.Passkeys.
func (p Passkeys) CreationOptions(site chat.Site, challenge []byte, u chat.User, known []chat.Passkey) ([]byte, error) {
	w, err := p.of(site)
	if err != nil {
		return nil, err
	}
	var exclude []protocol.CredentialDescriptor
	for _, k := range known {
		c, err := read(k)
		if err != nil {
			return nil, err
		}
		exclude = append(exclude, c.Descriptor())
	}
	creation, _, err := w.BeginRegistration(holder{user: u}, webauthn.WithExclusions(exclude), func(o *protocol.PublicKeyCredentialCreationOptions) error {
		o.Challenge = challenge
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	return json.Marshal(creation.Response)
}

// Create implements chat.Passkeys.
func (p Passkeys) Create(site chat.Site, challenge []byte, u chat.User, answer []byte) (chat.Passkey, error) {
	w, err := p.of(site)
	if err != nil {
		return chat.Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return chat.Passkey{}, explain("read the answer", err)
	}
	session := session(site, challenge)
	session.UserID, session.CredParams = []byte(u.ID), webauthn.CredentialParametersDefault()
	c, err := w.CreateCredential(holder{user: u}, session, parsed)
	if err != nil {
		return chat.Passkey{}, explain("check the answer", err)
	}
	made := chat.Passkey{Credential: name(c.ID), Counter: c.Authenticator.SignCount}
	made.Data, err = write(*c)
	return made, err
}

// RequestOptions implements chat.Passkeys.
func (p Passkeys) RequestOptions(site chat.Site, challenge []byte) ([]byte, error) {
	w, err := p.of(site)
	if err != nil {
		return nil, err
	}
	request, _, err := w.BeginDiscoverableLogin(webauthn.WithChallenge(challenge))
	if err != nil {
		return nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	return json.Marshal(request.Response)
}

// Claimed implements chat.Passkeys.
func (p Passkeys) Claimed(answer []byte) (userID, credential string, err error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return "", "", explain("read the answer", err)
	}
	if len(parsed.RawID) == 0 || len(parsed.Response.UserHandle) == 0 {
		return "", "", errNoCredential
	}
	return string(parsed.Response.UserHandle), name(parsed.RawID), nil
}

// Verify implements chat.Passkeys.
func (p Passkeys) Verify(site chat.Site, challenge []byte, known chat.Passkey, answer []byte) (counter uint32, data string, err error) {
	w, err := p.of(site)
	if err != nil {
		return 0, "", err
	}
	c, err := read(known)
	if err != nil {
		return 0, "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return 0, "", explain("read the answer", err)
	}
	owner := holder{user: chat.User{ID: known.UserID}, credentials: []webauthn.Credential{c}}
	find := func(_, _ []byte) (webauthn.User, error) { return owner, nil }
	_, used, err := w.ValidatePasskeyLogin(find, session(site, challenge), parsed)
	if err != nil {
		return 0, "", explain("check the answer", err)
	}
	data, err = write(*used)
	return parsed.Response.AuthenticatorData.Counter, data, err
}

// session is what the library remembers of a question.
func session(site chat.Site, challenge []byte) webauthn.SessionData {
	return webauthn.SessionData{Challenge: base64.RawURLEncoding.EncodeToString(challenge), RelyingPartyID: site.Name,
		UserVerification: protocol.VerificationRequired}
}

func name(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// write returns what is kept of a credential. The attestation is not: it is large, and
// proves nothing that is asked for.
func write(c webauthn.Credential) (string, error) {
	c.Attestation = webauthn.CredentialAttestation{}
	c.Authenticator.CloneWarning = false // the store's counter decides
	data, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode credential: %w", err)
	}
	return string(data), nil
}

func read(p chat.Passkey) (c webauthn.Credential, err error) {
	if err := json.Unmarshal([]byte(p.Data), &c); err != nil {
		return c, fmt.Errorf("decode credential %s: %w", p.ID, err)
	}
	c.Authenticator.SignCount = p.Counter
	return c, nil
}

// explain adds what the library keeps for developers: its errors tell little by themselves.
func explain(what string, err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return fmt.Errorf("%s: %w: %s", what, err, e.DevInfo)
	}
	return fmt.Errorf("%s: %w", what, err)
}
