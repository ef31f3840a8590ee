package chat

import "context"

// NewBot describes a bot. An empty DisplayName means the username.
type NewBot struct {
	Username, DisplayName string
	ChatIDs               []string // of which it is a member from the start
}

// Limits of bots and keys.
const (
	maxBots    = 50 // of one user who is no administrator
	maxBotKeys = 50 // of one bot
)

// BotStore keeps bots and their keys.
type BotStore interface {
	// Bots lists bots by username: those that a user made, or all for "".
	Bots(ctx context.Context, madeBy string, p Page) (bots []Bot, next string, err error)
	// Keys lists those of a bot, newest first.
	Keys(ctx context.Context, botID string, p Page) (keys []Key, next string, err error)
	// KeyByToken also reports whether its bot is suspended. Errors: not_found.
	KeyByToken(ctx context.Context, tokenHash []byte) (k Key, suspended bool, now Time, err error)
	// TouchKey marks a key as used now. Errors: not_found, also for one that has expired.
	TouchKey(ctx context.Context, keyID string) error
	// Record writes an entry into the audit log by itself.
	Record(ctx context.Context, e AuditEntry) error
}

// Bot is a bot, and who made it.
type Bot struct {
	User
	MadeBy string `json:"made_by"`
}

// WithBotsByEveryone returns a copy of the service in which everyone makes bots, not only
// administrators.
func (s *Service) WithBotsByEveryone() *Service {
	named := *s
	named.botsByEveryone = true
	return &named
}

// MakeBot makes a user without a password, a member of chats to which the actor can add
// members. Errors: forbidden, bad_request, not_found, conflict.
func (s *Service) MakeBot(ctx context.Context, actor Actor, n NewBot) (User, error) {
	most, err := s.mayMakeBots(ctx, actor)
	if err != nil {
		return User{}, err
	}
	u, err := s.newUser(n.Username, n.DisplayName)
	if err != nil {
		return User{}, err
	}
	u.Bot = true
	chats, err := s.chatsToEnter(ctx, actor, n.ChatIDs)
	if err != nil {
		return User{}, err
	}
	return s.enrol(ctx, actor.userID, Entrance{User: u, Program: true, MadeBy: actor.name(), MostBots: most, ChatIDs: chats, Join: s.joinInvited})
}

// enrol makes a bot, and charges whoever makes it for the chats that it enters.
func (s *Service) enrol(ctx context.Context, actorID string, e Entrance) (User, error) {
	cost := Cost{Events: len(e.ChatIDs), Bytes: eventBytes * len(e.ChatIDs)}
	if actorID == "" || cost.Events == 0 {
		return s.store.CreateUser(ctx, e)
	}
	if err := s.charge(ctx, actorID, cost); err != nil {
		return User{}, err
	}
	deliveries, join := 0, e.Join
	e.Join = func(ctx context.Context, tx Tx, userID, by string) error {
		did := metered{Tx: tx}
		err := join(ctx, &did, userID, by)
		deliveries += did.deliveries
		return err
	}
	u, err := s.store.CreateUser(ctx, e)
	switch CodeOf(err) {
	case "":
		s.meter.Settle(actorID, cost, deliveries)
	case UnknownOutcome:
	default:
		s.meter.Refund(actorID, Cost{Bytes: cost.Bytes})
	}
	return u, err
}

// newUser checks the names of somebody new.
func (s *Service) newUser(username, shown string) (User, error) {
	if err := validUsername(username); err != nil {
		return User{}, err
	}
	if shown == "" {
		shown = username
	}
	name, err := displayName(shown)
	return User{ID: s.newID(), Username: username, DisplayName: name}, err
}

// mayMakeBots returns how many bots the actor may have; 0 is no limit.
func (s *Service) mayMakeBots(ctx context.Context, actor Actor) (most int, err error) {
	err = authorizeAdmin(ctx, actor, s.store.Account)
	if CodeOf(err) != Forbidden || !s.botsByEveryone || actor.byKey {
		return 0, err
	}
	return maxBots, nil
}

// AdmitBot decides about one more bot of somebody who has made so many.
func (e Entrance) AdmitBot(made int) error {
	if e.MostBots > 0 && made >= e.MostBots {
		return Errorf(Conflict, "you have %d bots, the most there can be", made)
	}
	return nil
}

// authorizeBot decides who looks after a bot: administrators, and whoever made it, where
// everyone makes bots. To all others there is no such bot.
func (s *Service) authorizeBot(ctx context.Context, actor Actor, account func(context.Context, string) (Account, error), botID string) (bot Account, trusted bool, err error) {
	if !ValidID(botID) {
		return Account{}, false, noBot()
	}
	if bot, err = account(ctx, botID); CodeOf(err) == NotFound || err == nil && !bot.Bot {
		err = noBot()
	}
	if err != nil {
		return Account{}, false, err
	}
	err = authorizeAdmin(ctx, actor, account)
	if CodeOf(err) == Forbidden && s.botsByEveryone && !actor.byKey && bot.MadeBy == actor.userID {
		return bot, false, nil
	}
	return bot, err == nil, err
}

// Bots lists those that the actor looks after. Errors: forbidden.
func (s *Service) Bots(ctx context.Context, actor Actor, p Page) ([]Bot, string, error) {
	whose := ""
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		if CodeOf(err) != Forbidden || !s.botsByEveryone || actor.byKey {
			return nil, "", err
		}
		whose = actor.userID
	}
	return s.store.Bots(ctx, whose, p)
}

func noBot() error { return Errorf(NotFound, "there is no such bot") }
