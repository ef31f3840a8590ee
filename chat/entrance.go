package chat

import "context"

// Entrance is a sign-up, as the store gets it.
type Entrance struct {
	User         User
	PasswordHash string
	Email        string
	Language     string  // of letters to it
	Verified     bool    // Email is, as far as whoever vouches is believed
	Letter       *Letter // to confirm Email; nil: none
	// Setup and Invitation are the hashes of the codes that came; nil: none did.
	Setup, Invitation []byte
	AppointFirst      bool         // whoever comes first is administrator, if registration is open
	Registration      Registration // unless an administrator chose another

	// Identity is who somebody is to the provider that vouches for them, which counts as an
	// invitation; nil: none does.
	Identity *Identity
	// MayBegin lets somebody in before the first administrator, without the setup code.
	MayBegin bool
	// Program is set for those whom no one signs up: a bot, which MadeBy made, and the users
	// of an application. Registration does not concern them.
	Program bool
	MadeBy  string
	ChatIDs []string // in which MadeBy makes them a member
	// MostBots is how many MadeBy may have made; 0 is no limit.
	MostBots int
	Hook     *NewHook  // of a bot; nil: none
	External *External // who somebody is to the application; nil: nobody

	// Join makes the new user a member of the chat of tx, into which by has invited them.
	Join func(ctx context.Context, tx Tx, userID, by string) error
}

// EntranceFacts is what the store reads before somebody comes in, one at a time.
type EntranceFacts struct {
	First        bool // there has been no user
	Registration Registration
	SetUp        bool // the setup code is good
	Invited      bool // the invitation is good
}

// Admit decides whether somebody may come in, and whether as an administrator. Errors:
// forbidden.
func (e Entrance) Admit(f EntranceFacts) (appoint bool, err error) {
	switch {
	case e.Program && f.First:
		return false, notSetUp()
	case e.Program:
		return false, nil
	case f.First && f.Registration == Open:
		appoint = e.AppointFirst
	case f.First && f.SetUp:
		return true, nil
	case f.First && !e.MayBegin:
		return false, notSetUp()
	case f.Registration == Closed:
		return false, Errorf(Forbidden, "this server takes no new users")
	}
	if e.Invitation != nil && !f.Invited {
		return false, Errorf(Forbidden, "this invitation is unknown, used up or expired")
	}
	if f.Registration == ByInvitation && !f.Invited && e.Identity == nil {
		return false, Errorf(Forbidden, "signing up takes an invitation: ask somebody who is here for a link")
	}
	return appoint, nil
}

func notSetUp() error {
	return Errorf(Forbidden, "nobody has set this server up yet: that takes the setup link, which it printed at its start")
}

// mayComeIn refuses those whom the store would refuse, before a password is hashed for them:
// strangers are not to keep the node busy. The store decides again.
func (s *Service) mayComeIn(ctx context.Context, e Entrance) error {
	w, begun, err := s.store.Workspace(ctx)
	if err != nil {
		return err
	}
	f := EntranceFacts{First: !begun, Registration: s.inForce(w).Registration, SetUp: e.Setup != nil}
	if begun && e.Invitation != nil {
		_, _, err := s.store.FindInvitation(ctx, e.Invitation)
		if f.Invited = err == nil; err != nil && CodeOf(err) != NotFound {
			return err
		}
	}
	_, err = e.Admit(f)
	return err
}

// unknownHash is what a code that can be none is looked for by: in vain.
func unknownHash(code string) []byte {
	if code == "" {
		return nil
	}
	if hash := codeHash(code); hash != nil {
		return hash
	}
	return []byte{}
}
