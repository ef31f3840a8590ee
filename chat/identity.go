package chat

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
)

// Identity is who somebody is to an identity provider. Only Issuer and Subject name the
// person: everything else may change, and may be somebody else's tomorrow.
type Identity struct {
	Provider        string // by the settings
	Issuer, Subject string
	Session         string // of the provider; "" if it has none to tell
	Email           string
	EmailVerified   bool
	Username, Name  string // as the provider has them; may be ""
	Groups          []string
}

// ProviderRules say whom a provider may let in, and as whom.
type ProviderRules struct {
	// LinkByEmail lets somebody new to the provider have the account with the address that
	// the provider has verified.
	LinkByEmail bool
	// AllowedDomains are those of which a verified address must be. Empty: any, or none.
	AllowedDomains []string
	// Groups are those whose members are administrators. Empty: nobody is by them.
	Groups []string
	// Create makes a user of somebody who has none.
	Create bool
}

// IdentityStore keeps which user somebody is to a provider.
type IdentityStore interface {
	// UserByIdentity also returns whether the provider's groups made the user an
	// administrator. Errors: not_found.
	UserByIdentity(ctx context.Context, issuer, subject string) (u User, appointed bool, err error)
	// UserByVerifiedEmail returns the user with an address that was verified; not_found if
	// there is none.
	UserByVerifiedEmail(ctx context.Context, email string) (User, error)
	// LinkIdentity gives a user an identity: conflict if somebody has it.
	LinkIdentity(ctx context.Context, userID string, id Identity) error
	SaveAppointed(ctx context.Context, issuer, subject string, appointed bool) error
	// RevokeSubject ends all sessions that were opened by a subject, or, if that is "", under
	// a session of the provider. It returns whose they were.
	RevokeSubject(ctx context.Context, issuer, subject, session string) (userIDs []string, revoked int, err error)
}

// Arrival is a log-in by a provider, and what came of it besides the session.
type Arrival struct {
	Login
	Created, Linked, Appointed, Dismissed bool
}

// LogInByProvider opens a session for somebody whom a provider has vouched for, as the
// rules of the provider say. Errors: forbidden, which says by which rule.
func (s *Service) LogInByProvider(ctx context.Context, id Identity, device string) (a Arrival, err error) {
	rules, known := s.signIn.Providers[id.Provider]
	if !known {
		return a, noProvider()
	}
	if device, err = cleanText("device", device, maxDevice); err != nil {
		return a, err
	}
	if err := rules.admit(id); err != nil {
		return a, err
	}
	u, appointed, err := s.identified(ctx, rules, id, &a)
	if err != nil {
		return a, err
	}
	a.User = u
	if err := s.followGroups(ctx, rules, id, appointed, &a); err != nil {
		return a, err
	}
	err = s.store.SignIn(ctx, u.ID, func(ctx context.Context, tx SignInTx) error {
		a.Login, err = s.openSession(ctx, tx, Session{Method: ByProvider, Device: device, Issuer: id.Issuer, Subject: id.Subject, ProviderSession: id.Session})
		return err
	})
	return a, err
}

func noProvider() error { return Errorf(NotFound, "there is no such provider") }

// admit judges by the domain of the address, which has to be verified: anybody can have
// any address with some providers.
func (r ProviderRules) admit(id Identity) error {
	if len(r.AllowedDomains) == 0 {
		return nil
	}
	_, domain, _ := strings.Cut(id.email(), "@")
	if domain == "" || !slices.ContainsFunc(r.AllowedDomains, func(d string) bool { return strings.EqualFold(d, domain) }) {
		return Errorf(Forbidden, "the provider has verified no address of yours in a domain that may log in here")
	}
	return nil
}

// email returns the verified address in lower case, or "".
func (id Identity) email() string {
	if !id.EmailVerified || strings.Count(id.Email, "@") != 1 {
		return ""
	}
	return strings.ToLower(id.Email)
}

// identified finds or makes the user of an identity.
func (s *Service) identified(ctx context.Context, rules ProviderRules, id Identity, a *Arrival) (u User, appointed bool, err error) {
	u, appointed, err = s.store.UserByIdentity(ctx, id.Issuer, id.Subject)
	if CodeOf(err) != NotFound {
		return u, appointed, err
	}
	if rules.LinkByEmail && id.email() != "" {
		u, err = s.store.UserByVerifiedEmail(ctx, id.email())
		if err == nil {
			a.Linked = true
			return u, false, s.store.LinkIdentity(ctx, u.ID, id)
		}
		if CodeOf(err) != NotFound {
			return User{}, false, err
		}
	}
	if !rules.Create {
		return User{}, false, Errorf(Forbidden, "you have no account here yet: ask an administrator for one")
	}
	u, err = s.join(ctx, rules, id)
	a.Created = err == nil
	return u, false, err
}

// entrance describes somebody new whom a provider vouches for. Nobody is an administrator for
// coming first by a provider, and, unless its groups make them one or nobody could use the
// setup code, nobody comes before the first administrator. An address is believed of those
// that may link by it: otherwise it would lead whoever owns it to a stranger's account.
func (s *Service) entrance(rules ProviderRules, id Identity) Entrance {
	e := Entrance{Identity: &id, Registration: s.admission.Registration, MayBegin: rules.appoints(id) || !s.TakesPasswords()}
	if rules.LinkByEmail && validEmail(id.email()) == nil {
		e.Email, e.Verified = id.email(), true
	}
	return e
}

// join makes a user under the first of some names that may be had. Errors: forbidden, as
// Entrance.Admit decides.
func (s *Service) join(ctx context.Context, rules ProviderRules, id Identity) (User, error) {
	e := s.entrance(rules, id)
	shown, err := displayName(id.Name)
	var last error
	for _, username := range usernames(id) {
		names := []string{username}
		if err == nil {
			names = []string{shown, username}
		}
		for _, name := range names {
			e.User = User{ID: s.newID(), Username: username, DisplayName: name}
			u, err := s.store.CreateUser(ctx, e)
			if CodeOf(err) != Conflict {
				return u, err
			}
			last = err
			if u, _, err := s.store.UserByIdentity(ctx, id.Issuer, id.Subject); CodeOf(err) != NotFound {
				return u, err // they came twice at once
			}
		}
	}
	return User{}, last
}

// usernames returns names for somebody new: what the provider calls them, in the letters of
// a username, with a number behind if others have it, and at last one that nobody has.
func usernames(id Identity) (names []string) {
	local, _, _ := strings.Cut(id.Email, "@")
	base := ""
	for _, source := range []string{id.Username, local, id.Name} {
		source, _, _ = strings.Cut(source, "@")
		if base = inUsername(source); len(base) >= minUsername {
			names = append(names, base)
			break
		}
	}
	for n := 2; n < 10 && len(names) > 0; n++ {
		names = append(names, cut(base, maxUsername-1)+strconv.Itoa(n))
	}
	return append(names, "user-"+strings.ToLower(rand.Text()[:8]))
}

// inUsername returns the characters of a text that a username may have, and a dash for runs
// of others between them.
func inUsername(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-'
	})
	return strings.Trim(cut(strings.Join(words, "-"), maxUsername), "-._")
}

// appoints reports whether the groups of somebody make an administrator.
func (r ProviderRules) appoints(id Identity) bool {
	return slices.ContainsFunc(id.Groups, func(g string) bool { return slices.Contains(r.Groups, g) })
}

func cut(s string, size int) string { return s[:min(len(s), size)] }

// followGroups makes an administrator of who is in a group for it, and an ordinary user of
// whom the groups had made one and who has left them. The last administrator stays one.
func (s *Service) followGroups(ctx context.Context, rules ProviderRules, id Identity, appointed bool, a *Arrival) error {
	if len(rules.Groups) == 0 {
		return nil
	}
	member := rules.appoints(id)
	if member == appointed {
		return nil
	}
	detail := "by the groups of " + id.Provider
	before, err := s.store.Account(ctx, a.User.ID)
	if err != nil {
		return err
	}
	if member {
		if before.Administrator { // made one by somebody: that is not the groups' to take back
			return nil
		}
		_, err = s.changeAccount(ctx, ByOperator(), a.User.ID, appoint(detail))
		a.Appointed = err == nil
	} else {
		_, err = s.changeAccount(ctx, ByOperator(), a.User.ID, dismissed(detail))
		if CodeOf(err) == Conflict {
			return nil
		}
		a.Dismissed = err == nil && before.Administrator
	}
	if err != nil {
		return err
	}
	return s.store.SaveAppointed(ctx, id.Issuer, id.Subject, member)
}

func dismissed(detail string) accountChange {
	return func(ctx context.Context, tx AdminTx, a *Account) (audit, error) {
		did, err := dismiss(ctx, tx, a)
		did.detail = detail
		return did, err
	}
}

// Farewell is a provider's word that somebody has logged out there.
type Farewell struct {
	Issuer, Subject, Session string
	ID                       string // of the word: it counts once
}

// LogOutByProvider ends every session that the subject of a farewell opened by the
// provider. Errors: conflict for one that was said before.
func (s *Service) LogOutByProvider(ctx context.Context, f Farewell) (userIDs []string, revoked int, err error) {
	mark := markOf("farewell", f.Issuer+"\x00"+f.ID)
	spent, err := s.store.Spent(ctx, mark)
	if err == nil && spent {
		err = Errorf(Conflict, "this was said before")
	}
	if err == nil { // before it is spent: what fails here may be said again
		userIDs, revoked, err = s.store.RevokeSubject(ctx, f.Issuer, f.Subject, f.Session)
	}
	if err == nil {
		err = s.store.Spend(ctx, mark, farewellLasts)
	}
	return userIDs, revoked, err
}
