package persistencetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
)

// key makes one, as root, who administers.
func (f *fixture) key(root, bot chat.User, lasts time.Duration, scopes ...string) (chat.Key, string) {
	f.t.Helper()
	k, token, err := f.svc.MakeKey(f.t.Context(), chat.ByUser(root.ID), bot.ID, chat.NewKey{Name: "ci", Scopes: scopes, Lasts: lasts})
	must(f.t, err)
	return k, token
}

func testBots(t *testing.T, f *fixture) {
	ctx := t.Context()
	root, ann := f.user("root"), f.user("ann")
	group := f.group(root, ann)
	by := chat.ByUser(root.ID)
	bot, err := f.svc.MakeBot(ctx, by, chat.NewBot{Username: "ci-bot", DisplayName: "Builds", ChatIDs: []string{group.ID, group.ID}})
	must(t, err)
	seen, err := f.svc.User(ctx, bot.ID)
	must(t, err)
	equal(t, "as others see it", seen, chat.User{ID: bot.ID, Username: "ci-bot", DisplayName: "Builds", CreatedAt: bot.CreatedAt, Bot: true})
	equal(t, "its role", f.entry(group, bot).Role, chat.RoleMember)
	listed, _, err := f.svc.Users(ctx, "ci-bot", chat.Page{Limit: 5})
	must(t, err)
	equalSlices(t, "the directory", listed, []chat.User{seen})

	for what, try := range map[string]struct {
		by   chat.Actor
		n    chat.NewBot
		want chat.Code
	}{
		"by somebody else":      {chat.ByUser(ann.ID), chat.NewBot{Username: "other"}, chat.Forbidden},
		"a name that is taken":  {by, chat.NewBot{Username: "ann"}, chat.Conflict},
		"no name":               {by, chat.NewBot{Username: "?"}, chat.BadRequest},
		"into a chat of others": {by, chat.NewBot{Username: "other", ChatIDs: []string{f.group(ann).ID}}, chat.NotFound},
	} {
		if _, err := f.svc.MakeBot(ctx, try.by, try.n); chat.CodeOf(err) != try.want {
			t.Errorf("%s: %v, want %s", what, err, try.want)
		}
	}
	_, err = f.svc.LogIn(ctx, "ci-bot", "", "phone")
	refused(t, err, chat.Unauthenticated)
	_, err = f.svc.IssueReset(ctx, by, bot.ID)
	refused(t, err, chat.Conflict)
	_, err = f.svc.Appoint(ctx, by, bot.ID)
	refused(t, err, chat.Conflict)

	bots := pages(t, func(p chat.Page) ([]chat.Bot, string, error) { return f.svc.Bots(ctx, by, p) })
	equalSlices(t, "bots", bots, []chat.Bot{{User: seen, MadeBy: root.ID}})
	_, _, err = f.svc.Bots(ctx, chat.ByUser(ann.ID), chat.Page{Limit: 5})
	refused(t, err, chat.Forbidden)
	entries, _, err := f.svc.Audit(ctx, by, chat.Page{Limit: 1})
	must(t, err)
	equal(t, "in the audit log", string(entries[0].Action)+entries[0].Subject+entries[0].Actor, "bot.made"+bot.ID+root.ID)
}

// testOwnBots: where everyone makes bots, they look after their own, and cannot give more
// than they have.
func testOwnBots(t *testing.T, f *fixture) {
	ctx := t.Context()
	_, ann, bob := f.user("root"), f.user("ann"), f.user("bob")
	svc := f.svc.WithBotsByEveryone()
	bot, err := svc.MakeBot(ctx, chat.ByUser(ann.ID), chat.NewBot{Username: "ann-bot"})
	must(t, err)
	bots, _, err := svc.Bots(ctx, chat.ByUser(ann.ID), chat.Page{Limit: 5})
	must(t, err)
	equal(t, "of ann", len(bots), 1)
	bots, _, err = svc.Bots(ctx, chat.ByUser(bob.ID), chat.Page{Limit: 5})
	must(t, err)
	equal(t, "of bob", len(bots), 0)
	grant := func(by chat.User, scopes ...string) error {
		_, _, err := svc.MakeKey(ctx, chat.ByUser(by.ID), bot.ID, chat.NewKey{Name: "k", Scopes: scopes})
		return err
	}
	must(t, grant(ann, "read", "send", "manage", "search"))
	refused(t, grant(ann, "read", "act_as"), chat.Forbidden)
	refused(t, grant(ann, "admin"), chat.Forbidden)
	refused(t, grant(bob, "read"), chat.Forbidden)
	_, _, err = f.svc.Keys(ctx, chat.ByUser(ann.ID), bot.ID, chat.Page{Limit: 5})
	refused(t, err, chat.Forbidden) // where administrators alone make them

	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 20 {
				_, err := svc.MakeBot(context.Background(), chat.ByUser(ann.ID), chat.NewBot{Username: "b" + NewID()[24:]})
				if code := chat.CodeOf(err); code != "" && code != chat.Conflict {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	all := pages(t, func(p chat.Page) ([]chat.Bot, string, error) { return svc.Bots(ctx, chat.ByUser(ann.ID), p) })
	equal(t, "the most there can be", len(all), 50)
}

func testBotKeys(t *testing.T, f *fixture) {
	ctx := t.Context()
	root, ann := f.user("root"), f.user("ann")
	bot, err := f.svc.MakeBot(ctx, chat.ByUser(root.ID), chat.NewBot{Username: "bot-one"})
	must(t, err)
	k, token := f.key(root, bot, 0, "send", "read")
	v, err := f.svc.Authenticate(ctx, token)
	must(t, err)
	equal(t, "whose", v.UserID+v.KeyOf+v.ID, bot.ID+bot.ID+k.ID)
	equal(t, "for what", v.Scopes, chat.ScopeRead|chat.ScopeSend)
	_, err = f.svc.Authenticate(ctx, token[:len(token)-1]+"x")
	refused(t, err, chat.Unauthenticated)
	keys, _, err := f.svc.Keys(ctx, chat.ByUser(root.ID), bot.ID, chat.Page{Limit: 5})
	must(t, err)
	if len(keys) != 1 || keys[0].LastUsedAt == nil || keys[0].ExpiresAt != nil || keys[0].CreatedBy != root.ID || keys[0].Scopes != v.Scopes {
		t.Errorf("listed as %+v", keys)
	}
	must(t, f.svc.KeepSession(ctx, v))

	as, err := f.svc.Authenticate(ctx, token)
	must(t, err)
	_, err = f.svc.ActAs(ctx, as, ann.ID)
	refused(t, err, chat.Forbidden)
	_, _, err = f.svc.MakeKey(ctx, as.Actor(), bot.ID, chat.NewKey{Name: "x", Scopes: []string{"read"}})
	refused(t, err, chat.Forbidden)

	events := len(f.log(bot.ID))
	must(t, f.svc.RevokeKey(ctx, chat.ByUser(root.ID), bot.ID, k.ID))
	refused(t, f.svc.RevokeKey(ctx, chat.ByUser(root.ID), bot.ID, k.ID), chat.NotFound)
	_, err = f.svc.Authenticate(ctx, token)
	refused(t, err, chat.Unauthenticated)
	refused(t, f.svc.KeepSession(ctx, v), chat.NotFound)
	log := f.log(bot.ID)
	if len(log) != events+1 || log[events].Op != chat.OpSessionRevoked {
		t.Errorf("its stream says %v", log)
	}
	for what, n := range map[string]chat.NewKey{
		"no scope": {Name: "k"}, "an unknown one": {Name: "k", Scopes: []string{"read", "root"}}, "no name": {Scopes: []string{"read"}},
		"too short": {Name: "k", Scopes: []string{"read"}, Lasts: time.Millisecond}, "too long": {Name: "k", Scopes: []string{"read"}, Lasts: 100_000 * time.Hour},
	} {
		if _, _, err := f.svc.MakeKey(ctx, chat.ByUser(root.ID), bot.ID, n); chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, _, err = f.svc.MakeKey(ctx, chat.ByUser(root.ID), ann.ID, chat.NewKey{Name: "k", Scopes: []string{"read"}})
	refused(t, err, chat.NotFound) // she is no bot
}

// testDelegation: a key administers by its scope, grants what it has itself, and acts as a
// user without their rights to administer.
func testDelegation(t *testing.T, f *fixture) {
	ctx := t.Context()
	root, ann := f.user("root"), f.user("ann")
	bot, err := f.svc.MakeBot(ctx, chat.ByUser(root.ID), chat.NewBot{Username: "bot-one"})
	must(t, err)
	_, token := f.key(root, bot, 0, "admin", "read", "act_as")
	v, err := f.svc.Authenticate(ctx, token)
	must(t, err)
	must(t, f.svc.MayAdminister(ctx, v.Actor()))
	other, err := f.svc.MakeBot(ctx, v.Actor(), chat.NewBot{Username: "bot-two"})
	must(t, err)
	_, _, err = f.svc.MakeKey(ctx, v.Actor(), other.ID, chat.NewKey{Name: "less", Scopes: []string{"read"}})
	must(t, err)
	_, _, err = f.svc.MakeKey(ctx, v.Actor(), other.ID, chat.NewKey{Name: "more", Scopes: []string{"read", "send"}})
	refused(t, err, chat.Forbidden)

	as, err := f.svc.ActAs(ctx, v, "ann")
	must(t, err)
	equal(t, "acts as", as.UserID, ann.ID)
	refused(t, f.svc.MayAdminister(ctx, as.Actor()), chat.Forbidden)
	asRoot, err := f.svc.ActAs(ctx, v, root.ID)
	must(t, err)
	must(t, f.svc.MayAdminister(ctx, asRoot.Actor()))
	_, _, err = f.svc.MakeKey(ctx, asRoot.Actor(), other.ID, chat.NewKey{Name: "more", Scopes: []string{"send"}})
	refused(t, err, chat.Forbidden)
	_, err = f.svc.ActAs(ctx, v, "nobody")
	refused(t, err, chat.NotFound)

	_, err = f.svc.Suspend(ctx, chat.ByUser(root.ID), ann.ID)
	must(t, err)
	_, err = f.svc.ActAs(ctx, v, ann.ID)
	refused(t, err, chat.Forbidden)
	_, err = f.svc.Suspend(ctx, chat.ByUser(root.ID), bot.ID)
	must(t, err)
	_, err = f.svc.Authenticate(ctx, token)
	refused(t, err, chat.Unauthenticated)
	refused(t, f.svc.MayAdminister(ctx, v.Actor()), chat.Forbidden) // a request that is under way
	_, _, err = f.svc.MakeKey(ctx, chat.ByUser(root.ID), bot.ID, chat.NewKey{Name: "k", Scopes: []string{"read"}})
	refused(t, err, chat.Forbidden)
	_, err = f.svc.Restore(ctx, chat.ByUser(root.ID), bot.ID)
	must(t, err)
	_, err = f.svc.Authenticate(ctx, token) // it has to get a new one, as people log in again
	refused(t, err, chat.Unauthenticated)
}

func testExternals(t *testing.T, f *fixture) {
	ctx := t.Context()
	root, ann := f.user("root"), f.user("ann")
	by := chat.ByUser(root.ID)
	put := func(by chat.Actor, id, username, shown, email string) (chat.User, bool, error) {
		return f.svc.PutExternal(ctx, by, chat.NewExternal{External: chat.External{Subject: id}, Username: username, DisplayName: shown, Email: email})
	}
	u, made, err := put(by, "crm/42", "grace", "Grace H", "grace@example.org")
	must(t, err)
	equal(t, "made", made, true)
	address, verified, err := f.svc.Email(ctx, u.ID)
	must(t, err)
	equal(t, "address", address, "grace@example.org")
	equal(t, "verified", verified, true)
	again, made, err := put(by, "crm/42", "grace", "Grace H", "")
	must(t, err)
	equal(t, "the same again", again, u)
	equal(t, "made again", made, false)
	changed, _, err := put(by, "crm/42", "grace.h", "Grace Hopper", "hopper@example.org")
	must(t, err)
	seen, err := f.svc.User(ctx, u.ID)
	must(t, err)
	equal(t, "changed", seen, changed)
	equal(t, "to", seen.Username+" "+seen.DisplayName, "grace.h Grace Hopper")
	found, _, err := f.svc.Users(ctx, "hopper", chat.Page{Limit: 5})
	must(t, err)
	equalSlices(t, "found by the new name", found, []chat.User{seen})

	_, _, err = put(chat.ByUser(ann.ID), "crm/43", "henry", "", "")
	refused(t, err, chat.Forbidden)
	_, _, err = put(by, "crm/43", "ann", "", "")
	refused(t, err, chat.Conflict)
	_, _, err = put(by, "crm/43", "henry", "", "hopper@example.org")
	refused(t, err, chat.Conflict)
	_, _, err = put(by, "crm/42", "ann", "", "")
	refused(t, err, chat.Conflict)
	_, _, err = put(by, "", "henry", "", "")
	refused(t, err, chat.BadRequest)
	other, made, err := f.svc.PutExternal(ctx, by, chat.NewExternal{External: chat.External{Issuer: "https://id", Subject: "crm/42"}, Username: "henry"})
	must(t, err)
	if !made || other.ID == u.ID {
		t.Error("the same id of another issuer is the same user")
	}

	link, err := f.svc.IssueReset(ctx, by, u.ID)
	must(t, err)
	_, err = f.svc.CompleteReset(ctx, link.Code, aPassword)
	must(t, err)
	_, err = f.svc.DeleteAccount(ctx, u.ID, aPassword)
	must(t, err)
	newcomer, made, err := put(by, "crm/42", "grace", "", "")
	must(t, err)
	if !made || newcomer.ID == u.ID {
		t.Error("whoever deleted their account comes back by an application")
	}

	var wait sync.WaitGroup
	ids := make(chan string, 8)
	for range 8 {
		wait.Go(func() {
			u, _, err := put(by, "crm/99", "nine", "", "")
			fine(t, err)
			ids <- u.ID
		})
	}
	wait.Wait()
	first := <-ids
	for range 7 {
		equal(t, "who came at once", <-ids, first)
	}
}

func testHooks(t *testing.T, f *fixture) {
	ctx := t.Context()
	_, ann, bob := f.user("root"), f.user("ann"), f.user("bob")
	group := f.group(ann, bob)
	h, secret, err := f.svc.MakeHook(ctx, ann.ID, group.ID, "Alerts")
	must(t, err)
	used, err := f.svc.UseHook(ctx, h.ID, secret)
	must(t, err)
	equal(t, "it posts as", used.BotID, h.BotID)
	_, other, err := f.svc.MakeHook(ctx, ann.ID, f.group(ann).ID, "Others")
	must(t, err)
	_, err = f.svc.UseHook(ctx, h.ID, other)
	refused(t, err, chat.NotFound)
	must(t, f.svc.UsedHook(ctx, h))
	bot, err := f.svc.User(ctx, h.BotID)
	must(t, err)
	equal(t, "its bot", bot.DisplayName+" "+string(f.entry(group, bot).Role), "Alerts member")

	// Hooks do not use up the bots that somebody may have, and there is an end to them, too.
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 20 {
				if _, _, err := f.svc.MakeHook(ctx, ann.ID, group.ID, "Hook"); err != nil && chat.CodeOf(err) != chat.Conflict {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	hooks := pages(t, func(p chat.Page) ([]chat.Hook, string, error) { return f.svc.Hooks(ctx, ann.ID, group.ID, p) })
	equal(t, "the most there can be", len(hooks), 50)
	_, err = f.svc.WithBotsByEveryone().MakeBot(ctx, chat.ByUser(ann.ID), chat.NewBot{Username: "ann-bot"})
	must(t, err)

	_, _, err = f.svc.Hooks(ctx, bob.ID, group.ID, chat.Page{Limit: 1})
	refused(t, err, chat.Forbidden)
	refused(t, f.svc.DropHook(ctx, bob.ID, group.ID, h.ID), chat.Forbidden)
	refused(t, f.svc.DropHook(ctx, ann.ID, f.group(ann).ID, h.ID), chat.NotFound)
	must(t, f.svc.DropHook(ctx, ann.ID, group.ID, h.ID))
	_, err = f.svc.UseHook(ctx, h.ID, secret)
	refused(t, err, chat.NotFound)
	_, err = f.store.Entry(ctx, h.BotID, group.ID)
	refused(t, err, chat.NotFound)
}
