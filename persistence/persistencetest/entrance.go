package persistencetest

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
)

// byInvitation returns the use cases of a deployment where one needs an invitation.
func (f *fixture) byInvitation() *chat.Service {
	return f.svc.WithAdmission(chat.Admission{Registration: chat.ByInvitation})
}

// setUp makes the first administrator of such a deployment.
func (f *fixture) setUp(svc *chat.Service) chat.User {
	f.t.Helper()
	code, needed, err := svc.SetupCode(f.t.Context())
	must(f.t, err)
	equal(f.t, "a setup code is needed", needed, true)
	u, err := svc.SignUp(f.t.Context(), chat.NewUser{Username: "root", Password: "a good password", SetupCode: code})
	must(f.t, err)
	return u
}

func testSetup(t *testing.T, f *fixture) {
	svc := f.byInvitation()
	_, setup, err := svc.Workspace(t.Context())
	must(t, err)
	equal(t, "it waits for its first administrator", setup, true)
	enter := func(name, code string) error {
		_, err := svc.SignUp(t.Context(), chat.NewUser{Username: name, Password: "a good password", SetupCode: code})
		return err
	}
	refused(t, enter("eve", ""), chat.Forbidden)
	refused(t, enter("eve", strings.Repeat("A", 43)), chat.Forbidden)
	refused(t, enter("eve", "nonsense"), chat.Forbidden)
	first, _, err := svc.SetupCode(t.Context())
	must(t, err)
	second, _, err := svc.SetupCode(t.Context()) // another node's, or the command's
	must(t, err)
	refused(t, enter("here", first), chat.Conflict) // which uses nothing up
	must(t, enter("ann", first))
	a, err := f.store.AccountNamed(t.Context(), "ann")
	must(t, err)
	equal(t, "administrator", a.Administrator, true)
	refused(t, enter("eve", first), chat.Forbidden)
	refused(t, enter("eve", second), chat.Forbidden)
	_, needed, err := svc.SetupCode(t.Context())
	must(t, err)
	equal(t, "needed once more", needed, false)
	_, setup, err = svc.Workspace(t.Context())
	must(t, err)
	equal(t, "it still waits", setup, false)
}

// testSetupCodes: of many codes the last ones work.
func testSetupCodes(t *testing.T, f *fixture) {
	svc := f.byInvitation()
	var codes []string
	for range 20 {
		code, _, err := svc.SetupCode(t.Context())
		must(t, err)
		codes = append(codes, code)
	}
	_, err := svc.SignUp(t.Context(), chat.NewUser{Username: "eve", Password: "a good password", SetupCode: codes[0]})
	refused(t, err, chat.Forbidden)
	_, err = svc.SignUp(t.Context(), chat.NewUser{Username: "ann", Password: "a good password", SetupCode: codes[19]})
	must(t, err)
}

// testSetupRace: twenty come at once with one code.
func testSetupRace(t *testing.T, f *fixture) {
	svc := f.byInvitation()
	code, _, err := svc.SetupCode(t.Context())
	must(t, err)
	in := atOnce(20, func(i int) error {
		_, err := svc.SignUp(t.Context(), chat.NewUser{Username: fmt.Sprintf("user-%d", i), Password: "a good password", SetupCode: code})
		return err
	})
	equal(t, "who came in", in[""], 1)
	equal(t, "who was refused", in[chat.Forbidden], 19)
	accounts, _, err := f.store.Accounts(t.Context(), "", chat.Page{Limit: 50})
	must(t, err)
	equal(t, "accounts", len(accounts), 1)
	equal(t, "administrator", accounts[0].Administrator, true)

	hash := sha256.Sum256([]byte(code)) // of somebody whom the service let pass before the first was in
	late := chat.Entrance{User: chat.User{ID: NewID(), Username: "late", DisplayName: "late"}, PasswordHash: "x", Setup: hash[:], Registration: chat.ByInvitation}
	_, err = f.store.CreateUser(t.Context(), late)
	refused(t, err, chat.Forbidden)
}

// testInvitationRace: of those that somebody makes at once, no more are there than may be.
func testInvitationRace(t *testing.T, f *fixture) {
	root := f.user("root")
	made := atOnce(16, func(int) error {
		i := chat.Invitation{ID: NewID(), CreatedBy: root.ID, MaxUses: 1, ChatIDs: []string{}}
		_, err := f.store.AddInvitation(t.Context(), i, time.Hour, []byte(i.ID), nil, 2)
		return err
	})
	equal(t, "made", made[""], 2)
	equal(t, "refused", made[chat.Conflict], 14)
}

// atOnce runs many and counts how they end.
func atOnce(many int, do func(int) error) map[chat.Code]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	ends := map[chat.Code]int{}
	for i := range many {
		all.Go(func() {
			code := chat.CodeOf(do(i))
			mu.Lock()
			defer mu.Unlock()
			ends[code]++
		})
	}
	all.Wait()
	return ends
}

func testInvitations(t *testing.T, f *fixture) {
	svc := f.byInvitation()
	root := f.setUp(svc)
	by := chat.ByUser(root.ID)
	group, _, err := svc.CreateChat(t.Context(), root.ID, chat.NewChat{Kind: chat.Group})
	must(t, err)
	open, _, err := svc.CreateChat(t.Context(), root.ID, chat.NewChat{Kind: chat.Public, Name: "open"})
	must(t, err)
	i, code, err := svc.Invite(t.Context(), by, chat.NewInvitation{ChatIDs: []string{group.ID, open.ID, group.ID}, MaxUses: 2})
	must(t, err)
	equal(t, "chats", len(i.ChatIDs), 2)
	if lasts := i.ExpiresAt.Time().Sub(i.CreatedAt.Time()); lasts != 7*24*time.Hour {
		t.Errorf("it lasts %s", lasts)
	}
	checked, err := svc.CheckInvitation(t.Context(), code)
	must(t, err)
	equal(t, "who invites", checked.InvitedBy+" to "+checked.Workspace, "root to Fechatter")
	enter := func(name, code string) (chat.User, error) {
		return svc.SignUp(t.Context(), chat.NewUser{Username: name, Password: "a good password", Invitation: code})
	}
	_, err = enter("eve", "")
	refused(t, err, chat.Forbidden)
	_, err = enter("eve", strings.Repeat("A", 43))
	refused(t, err, chat.Forbidden)
	ann, err := enter("ann", code)
	must(t, err)
	e, err := f.store.Entry(t.Context(), ann.ID, group.ID)
	must(t, err)
	equal(t, "role", e.Role, chat.RoleMember)
	equal(t, "is no request", e.Request, false)
	log := f.log(group.ID)
	last := log[len(log)-1]
	equal(t, "event", string(last.Op)+" "+last.Subject+" "+last.ActorID, "member.added "+ann.ID+" "+root.ID)
	equal(t, "published", f.published.of(group.ID)[len(log)-1].Seq, last.Seq)
	equal(t, "personal", len(f.log(ann.ID)), 2)
	must(t, func() error { _, err := enter("bob", code); return err }())
	for _, used := range []string{code, "nonsense"} {
		_, err = svc.CheckInvitation(t.Context(), used)
		refused(t, err, chat.NotFound)
	}
	_, err = enter("cid", code)
	refused(t, err, chat.Forbidden)

	list := pages(t, func(p chat.Page) ([]chat.Invitation, string, error) { return svc.Invitations(t.Context(), ann.ID, p) })
	equal(t, "of somebody else", len(list), 0)
	own, second, err := svc.Invite(t.Context(), chat.ByUser(ann.ID), chat.NewInvitation{})
	must(t, err)
	list = pages(t, func(p chat.Page) ([]chat.Invitation, string, error) { return svc.Invitations(t.Context(), ann.ID, p) })
	equalSlices(t, "one's own", mapTo(list, func(i chat.Invitation) string { return i.ID }), []string{own.ID})
	list = pages(t, func(p chat.Page) ([]chat.Invitation, string, error) { return svc.Invitations(t.Context(), root.ID, p) })
	equal(t, "an administrator sees all", len(list), 2)
	equal(t, "uses", list[1].Uses, 2)
	refused(t, svc.Withdraw(t.Context(), ann.ID, i.ID), chat.NotFound)
	must(t, svc.Withdraw(t.Context(), root.ID, own.ID))
	_, err = enter("cid", second)
	refused(t, err, chat.Forbidden)
}

func testInvitationRefusals(t *testing.T, f *fixture) {
	svc := f.byInvitation()
	root := f.setUp(svc)
	by := chat.ByUser(root.ID)
	_, code, err := svc.Invite(t.Context(), by, chat.NewInvitation{MaxUses: 5})
	must(t, err)
	ann, err := svc.SignUp(t.Context(), chat.NewUser{Username: "ann", Password: "a good password", Invitation: code})
	must(t, err)
	group, _, err := svc.CreateChat(t.Context(), root.ID, chat.NewChat{Kind: chat.Group, MemberIDs: []string{ann.ID}})
	must(t, err)
	direct, _, err := svc.CreateChat(t.Context(), root.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{ann.ID}})
	must(t, err)
	archived, _, err := svc.CreateChat(t.Context(), root.ID, chat.NewChat{Kind: chat.Group})
	must(t, err)
	_, err = svc.UpdateChat(t.Context(), root.ID, archived.ID, chat.ChatChange{Archived: new(true)})
	must(t, err)
	for what, c := range map[string]struct {
		actor chat.Actor
		n     chat.NewInvitation
		want  chat.Code
	}{
		"into a direct chat":    {by, chat.NewInvitation{ChatIDs: []string{direct.ID}}, chat.Conflict},
		"into an archived chat": {by, chat.NewInvitation{ChatIDs: []string{archived.ID}}, chat.Conflict},
		"into a chat of others": {chat.ByUser(ann.ID), chat.NewInvitation{ChatIDs: []string{archived.ID}}, chat.NotFound},
		"into no chat":          {by, chat.NewInvitation{ChatIDs: []string{"x"}}, chat.NotFound},
		"into too many":         {by, chat.NewInvitation{ChatIDs: make([]string, 21)}, chat.BadRequest},
		"for too many":          {by, chat.NewInvitation{MaxUses: 10_001}, chat.BadRequest},
		"for fewer than one":    {by, chat.NewInvitation{MaxUses: -1}, chat.BadRequest},
		"for too long":          {by, chat.NewInvitation{ExpiresIn: 91 * 24 * time.Hour}, chat.BadRequest},
		"for no time":           {by, chat.NewInvitation{ExpiresIn: -time.Second}, chat.BadRequest},
		"to what is no address": {by, chat.NewInvitation{Email: "ann\r\nBcc: eve@example.org"}, chat.BadRequest},
	} {
		_, _, err := svc.Invite(t.Context(), c.actor, c.n)
		if chat.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	few := svc.WithAdmission(chat.Admission{Registration: chat.ByInvitation, InviteByAdministrators: true})
	_, _, err = few.Invite(t.Context(), chat.ByUser(ann.ID), chat.NewInvitation{})
	refused(t, err, chat.Forbidden)
	_, fromAnn, err := svc.Invite(t.Context(), chat.ByUser(ann.ID), chat.NewInvitation{ChatIDs: []string{group.ID}, MaxUses: 9})
	must(t, err)
	_, err = svc.RemoveMember(t.Context(), root.ID, group.ID, ann.ID)
	must(t, err)
	bob, err := svc.SignUp(t.Context(), chat.NewUser{Username: "bob", Password: "a good password", Invitation: fromAnn})
	must(t, err)
	_, err = f.store.Entry(t.Context(), bob.ID, group.ID)
	refused(t, err, chat.NotFound) // who invited has lost the chat
	closed := chat.Closed
	_, err = svc.ChangeWorkspace(t.Context(), by, chat.WorkspaceChange{Registration: &closed})
	must(t, err)
	_, err = svc.SignUp(t.Context(), chat.NewUser{Username: "cid", Password: "a good password", Invitation: fromAnn})
	refused(t, err, chat.Forbidden)
	open := chat.Open
	_, err = svc.ChangeWorkspace(t.Context(), by, chat.WorkspaceChange{Registration: &open, Name: new("Acme\u200b ")})
	must(t, err)
	_, err = svc.Suspend(t.Context(), by, ann.ID)
	must(t, err)
	_, err = svc.SignUp(t.Context(), chat.NewUser{Username: "cid", Password: "a good password", Invitation: fromAnn})
	refused(t, err, chat.Forbidden) // what came with it counts, and who gave it is suspended
	cid, err := svc.SignUp(t.Context(), chat.NewUser{Username: "cid", Password: "a good password"})
	must(t, err)
	a, err := f.store.Account(t.Context(), cid.ID)
	must(t, err)
	equal(t, "administrator", a.Administrator, false)
	w, _, err := svc.Workspace(t.Context())
	must(t, err)
	equal(t, "workspace", w, chat.Workspace{Name: "Acme", Registration: chat.Open})
	_, err = svc.ChangeWorkspace(t.Context(), chat.ByUser(cid.ID), chat.WorkspaceChange{})
	refused(t, err, chat.Forbidden)
	_, err = svc.ChangeWorkspace(t.Context(), by, chat.WorkspaceChange{Name: new(" ")})
	refused(t, err, chat.BadRequest)
	other := chat.Registration("other")
	_, err = svc.ChangeWorkspace(t.Context(), by, chat.WorkspaceChange{Registration: &other})
	refused(t, err, chat.BadRequest)
}

// testLastUseRace: many come at once by an invitation for three.
func testLastUseRace(t *testing.T, f *fixture) {
	svc := f.byInvitation()
	root := f.setUp(svc)
	group, _, err := svc.CreateChat(t.Context(), root.ID, chat.NewChat{Kind: chat.Group})
	must(t, err)
	i, code, err := svc.Invite(t.Context(), chat.ByUser(root.ID), chat.NewInvitation{MaxUses: 3, ChatIDs: []string{group.ID}})
	must(t, err)
	ends := atOnce(12, func(n int) error {
		if n%3 == 2 { // beside the sends of the chat that they join
			_, err := f.svc.Send(t.Context(), chat.Send{ChatID: group.ID, SenderID: root.ID, Key: NewID(), Body: "hello"})
			return err
		}
		_, err := svc.SignUp(t.Context(), chat.NewUser{Username: fmt.Sprintf("user-%d", n), Password: "a good password", Invitation: code})
		return err
	})
	equal(t, "who came in, and what was sent", ends[""], 3+4)
	equal(t, "who was refused", ends[chat.Forbidden], 5)
	list, _, err := svc.Invitations(t.Context(), root.ID, chat.Page{Limit: 1})
	must(t, err)
	equal(t, "uses", list[0].ID+fmt.Sprint(list[0].Uses), i.ID+"3")
	members, _, err := svc.Members(t.Context(), root.ID, group.ID, chat.Page{Limit: 50})
	must(t, err)
	equal(t, "members", len(members), 4)
}
