package persistencetest

import (
	"strings"
	"testing"
	"time"

	"fechatter/chat"
)

// letters claims the letters that wait, and opens them as the one who sends them does.
func (f *fixture) letters() (opened []chat.Mail) {
	f.t.Helper()
	jobs, err := f.store.ClaimJobs(f.t.Context(), chat.JobMail, 10*time.Minute, 100)
	must(f.t, err)
	for _, j := range jobs {
		m, wanted, err := f.svc.OpenLetter(f.t.Context(), j.Payload)
		must(f.t, err)
		if wanted && m.Code != "" && strings.Contains(string(j.Payload), m.Code) {
			f.t.Errorf("the outbox holds the code: %s", j.Payload)
		}
		if wanted {
			opened = append(opened, m)
		}
		_, err = f.store.FinishJob(f.t.Context(), j)
		must(f.t, err)
	}
	return opened
}

// answerResets does the wishes for a new password that wait.
func (f *fixture) answerResets() int {
	f.t.Helper()
	jobs, err := f.store.ClaimJobs(f.t.Context(), chat.JobReset, 10*time.Minute, 100)
	must(f.t, err)
	for _, j := range jobs {
		must(f.t, f.svc.AnswerReset(f.t.Context(), j))
		must(f.t, f.svc.AnswerReset(f.t.Context(), j)) // a second node, late
	}
	return len(jobs)
}

func (f *fixture) openSession(u chat.User, password string) (chat.Login, error) {
	return f.svc.LogIn(f.t.Context(), u.Username, password, "")
}

// verified gives a user an address.
func (f *fixture) verified(u chat.User, address string) chat.Session {
	f.t.Helper()
	l, err := f.openSession(u, "a good password")
	must(f.t, err)
	must(f.t, f.svc.ChangeEmail(f.t.Context(), l.Session, address, "a good password", "en"))
	mails := f.letters()
	if len(mails) != 1 || mails[0].Address != address || mails[0].Purpose != chat.ForEmail {
		f.t.Fatalf("letters: %+v", mails)
	}
	must(f.t, f.svc.ConfirmEmail(f.t.Context(), u.ID, mails[0].Code, "zh"))
	return l.Session
}

func testEmail(t *testing.T, f *fixture) {
	f.svc = f.svc.WithMail()
	ann, bob := f.user("ann"), f.user("bob")
	session := f.verified(ann, "Ann@Example.org")
	address, verified, err := f.svc.Email(t.Context(), ann.ID)
	must(t, err)
	equal(t, "address", address, "Ann@Example.org")
	equal(t, "verified", verified, true)
	change := func(s chat.Session, address, password string) error {
		return f.svc.ChangeEmail(t.Context(), s, address, password, "en")
	}
	refused(t, change(session, "ann@example.com", "wrong"), chat.Forbidden)
	for _, bad := range []string{"", "ann", "Ann <ann@example.org>", "ann@example.org\r\nBcc: eve@example.org", "a b@example.org", "ann@[127.0.0.1]", strings.Repeat("a", 250) + "@b.org", "ann@example.org,eve@example.org"} {
		refused(t, change(session, bad, "a good password"), chat.BadRequest)
	}
	must(t, change(session, "Ann@Example.org", "a good password"))
	equal(t, "letters to an address that is verified", len(f.letters()), 0)
	must(t, change(session, "new@example.org", "a good password"))
	first := f.letters()[0]
	address, verified, err = f.svc.Email(t.Context(), ann.ID)
	must(t, err)
	equal(t, "until the new one is confirmed", address, "Ann@Example.org")
	equal(t, "it stays verified", verified, true)

	l, err := f.openSession(bob, "a good password")
	must(t, err)
	must(t, change(l.Session, "ann@example.org", "a good password")) // in another case, and another's: no oracle
	theirs := f.letters()[0]
	confirm := func(who chat.User, code string) error { return f.svc.ConfirmEmail(t.Context(), who.ID, code, "en") }
	refused(t, confirm(bob, theirs.Code), chat.Conflict)
	refused(t, confirm(bob, first.Code), chat.NotFound) // whoever reads the mailbox of a mistyped address
	must(t, confirm(ann, first.Code))
	refused(t, confirm(ann, first.Code), chat.NotFound)
	must(t, confirm(bob, theirs.Code)) // nobody has it any more
	refused(t, confirm(ann, "nonsense"), chat.NotFound)
}

// testTold: the owner of an account learns what was done to it, where they can be reached.
func testTold(t *testing.T, f *fixture) {
	silent := f.svc
	f.svc = f.svc.WithMail()
	ann, bob := f.user("ann"), f.user("bob")
	session := f.verified(ann, "ann@example.org")
	told := func(p chat.Purpose, address string) {
		t.Helper()
		mails := f.letters()
		if len(mails) != 1 {
			t.Fatalf("letters: %+v", mails)
		}
		m := mails[0]
		equal(t, "told", string(m.Purpose)+" "+m.Address+" "+m.Language+" "+m.Name, string(p)+" "+address+" zh ann")
		equal(t, "code", m.Code, "")
	}
	must(t, f.svc.ChangePassword(t.Context(), session, "a good password", "another password"))
	told(chat.PasswordChanged, "ann@example.org")
	link, err := f.svc.IssueReset(t.Context(), chat.ByUser(ann.ID), ann.ID)
	must(t, err)
	_, err = f.svc.CompleteReset(t.Context(), link.Code, "a good password")
	must(t, err)
	told(chat.PasswordChanged, "ann@example.org")

	move := func(address string) {
		t.Helper()
		l, err := f.openSession(ann, "a good password")
		must(t, err)
		must(t, f.svc.ChangeEmail(t.Context(), l.Session, address, "a good password", "zh"))
		must(t, f.svc.ConfirmEmail(t.Context(), ann.ID, f.letters()[0].Code, "zh"))
	}
	move("new@example.org")
	told(chat.EmailChanged, "ann@example.org")
	move("NEW@example.org")
	equal(t, "letters about one's own mailbox", len(f.letters()), 0)

	l, err := f.openSession(bob, "a good password")
	must(t, err)
	must(t, f.svc.ChangePassword(t.Context(), l.Session, "a good password", "another password"))
	equal(t, "letters to somebody without an address", len(f.letters()), 0)
	l, err = f.openSession(ann, "a good password")
	must(t, err)
	must(t, silent.ChangePassword(t.Context(), l.Session, "a good password", "another password"))
	equal(t, "letters where there is no mail", len(f.letters()), 0)
}

// testMailbox: nobody can have a mailbox filled.
func testMailbox(t *testing.T, f *fixture) {
	f.svc = f.svc.WithMail()
	sent := 0
	for _, name := range []string{"ann", "bob", "cid", "dan", "eve"} {
		l, err := f.openSession(f.user(name), "a good password")
		must(t, err)
		if err := f.svc.ChangeEmail(t.Context(), l.Session, "victim@example.org", "a good password", ""); err == nil {
			sent++
		} else {
			refused(t, err, chat.RateLimited)
		}
	}
	equal(t, "letters to one address", sent, 3)
	l, err := f.openSession(f.user("frank"), "a good password")
	must(t, err)
	for i := range 8 {
		err := f.svc.ChangeEmail(t.Context(), l.Session, strings.Repeat("x", i+1)+"@example.org", "a good password", "")
		if want := i < 5; want != (err == nil) {
			t.Errorf("letter %d of one user: %v", i, err)
		}
	}
	u, err := f.svc.SignUp(t.Context(), chat.NewUser{Username: "greta", Password: "a good password", Email: "VICTIM@example.org"})
	must(t, err) // but no letter
	equal(t, "letters", len(f.letters()), 3+5)
	address, verified, err := f.svc.Email(t.Context(), u.ID)
	must(t, err)
	equal(t, "address", address, "VICTIM@example.org")
	equal(t, "verified", verified, false)
}

func testPasswordReset(t *testing.T, f *fixture) {
	f.svc = f.svc.WithMail()
	ann, bob := f.user("ann"), f.user("bob")
	session := f.verified(ann, "ann@example.org")
	ask := func(r chat.ResetRequest) {
		t.Helper()
		must(t, f.svc.RequestReset(t.Context(), r))
	}
	ask(chat.ResetRequest{Username: "nobody"})
	ask(chat.ResetRequest{Username: bob.Username}) // has no address
	ask(chat.ResetRequest{Email: "nobody@example.org"})
	for range 5 {
		ask(chat.ResetRequest{Username: ann.Username})
	}
	ask(chat.ResetRequest{Email: "ANN@example.org", Language: "zh"})
	equal(t, "wishes of one name are one", f.answerResets(), 5)
	mails := f.letters()
	equal(t, "letters", len(mails), 2)
	for range 4 {
		ask(chat.ResetRequest{Username: ann.Username})
		f.answerResets()
	}
	more := f.letters()
	equal(t, "letters of an account within an hour", len(mails)+len(more), 3)
	for _, r := range []chat.ResetRequest{{}, {Username: "a", Email: "b"}, {Username: "a\x00"}, {Email: strings.Repeat("a", 300)}} {
		refused(t, f.svc.RequestReset(t.Context(), r), chat.BadRequest)
	}
	complete := func(code, password string) error {
		_, err := f.svc.CompleteReset(t.Context(), code, password)
		return err
	}
	refused(t, complete(mails[0].Code, "short"), chat.BadRequest)
	refused(t, complete("nonsense", "another password"), chat.NotFound)
	must(t, complete(mails[0].Code, "another password"))
	equal(t, "told", f.letters()[0].Purpose, chat.PasswordChanged)
	for _, code := range []string{mails[0].Code, mails[1].Code, more[0].Code} {
		refused(t, complete(code, "a third password"), chat.NotFound)
	}
	err := f.svc.KeepSession(t.Context(), session)
	refused(t, err, chat.NotFound)
	_, err = f.openSession(ann, "a good password")
	refused(t, err, chat.Unauthenticated)
	_, err = f.openSession(ann, "another password")
	must(t, err)

	boss := chat.ByUser(ann.ID) // the first user
	link, err := f.svc.IssueReset(t.Context(), boss, bob.ID)
	must(t, err)
	_, err = f.svc.IssueReset(t.Context(), chat.ByUser(bob.ID), ann.ID)
	refused(t, err, chat.Forbidden)
	ends := atOnce(8, func(int) error { return complete(link.Code, "bobs new password") })
	equal(t, "a code is used once", ends[""], 1)
	equal(t, "and then unknown", ends[chat.NotFound], 7)
	entries, _, err := f.svc.Audit(t.Context(), boss, chat.Page{Limit: 1})
	must(t, err)
	equal(t, "audit", entries[0].Action, chat.AuditResetIssued)

	late, err := f.svc.IssueReset(t.Context(), boss, bob.ID)
	must(t, err)
	l, err := f.openSession(bob, "bobs new password")
	must(t, err)
	must(t, f.svc.ChangePassword(t.Context(), l.Session, "bobs new password", "bobs own password"))
	refused(t, complete(late.Code, "a third password"), chat.NotFound)
}

// testStaleLetters: what nobody needs any more is not sent, and opens nothing.
func testStaleLetters(t *testing.T, f *fixture) {
	f.svc = f.svc.WithMail()
	root, ann := f.user("root"), f.user("ann")
	f.verified(ann, "ann@example.org")
	must(t, f.svc.RequestReset(t.Context(), chat.ResetRequest{Username: "ann"}))
	f.answerResets()
	i, _, err := f.svc.Invite(t.Context(), chat.ByUser(root.ID), chat.NewInvitation{Email: "guest@example.org"})
	must(t, err)
	_, _, err = f.svc.Invite(t.Context(), chat.ByUser(root.ID), chat.NewInvitation{Email: "other@example.org"})
	must(t, err)
	must(t, f.svc.Withdraw(t.Context(), root.ID, i.ID))
	_, err = f.svc.Suspend(t.Context(), chat.ByUser(root.ID), ann.ID)
	must(t, err)
	mails := f.letters()
	equal(t, "letters", len(mails), 1)
	equal(t, "to", mails[0].Address+" from "+mails[0].By, "other@example.org from root")
	u, err := f.svc.SignUp(t.Context(), chat.NewUser{Username: "guest", Password: "a good password", Invitation: mails[0].Code, Email: "Other@example.org"})
	must(t, err)
	_, verified, err := f.svc.Email(t.Context(), u.ID)
	must(t, err)
	equal(t, "verified by the letter that brought them", verified, true)
	equal(t, "letters to confirm it", len(f.letters()), 0)
	_, err = f.svc.CheckInvitation(t.Context(), mails[0].Code)
	refused(t, err, chat.NotFound) // its one use is gone, whichever code it was
}
