package persistencetest

import (
	"sync"
	"testing"

	"fechatter/chat"
)

// testNames: who may be called what beside those who are there.
func testNames(t *testing.T, f *fixture) {
	f.user("root") // the administrator
	alice, torn := f.user("alice"), f.user("torn")
	must(t, save(f, alice, "Alice Müller"))
	for name, want := range map[string]chat.Code{
		"Alice Müller": "", "alice müller": "", "Alice Muller": "", "ALICE MÜLLER": "", // namesakes
		"Alice Schmidt": "", "Torn Schmidt": "", "Алиса Мюллер": "", "山田太郎 (Taro)": "", "Özgür O'Brien": "", "José-María": "",
		"Аlice Müller": chat.Conflict, "AIice Müller": chat.Conflict, "A1ice Müller": chat.Conflict, "Alice M\u03c5\u0308ller": chat.Conflict,
		"Alice": chat.Conflict, "alice": chat.Conflict, "аӏісе": chat.Conflict, "AlIce": "", // another's username, but for the last
		"Tom": chat.Conflict, "Root": chat.Conflict, "Admin": chat.Conflict, "ѕуѕtеm": chat.Conflict, "Every.one": chat.Conflict,
		"ⓐⓓⓜⓘⓝ": chat.Conflict, "ᴀᴅᴍɪɴ": chat.Conflict, "🅰🅳🅼🅸🅽": chat.Conflict, "ꜱᴜᴘᴘᴏʀᴛ": chat.Conflict, "$upport": chat.Conflict,
		"ᴀlice Müller": chat.Conflict, "🅰lice Müller": chat.Conflict, "Ⓐlice Müller": "", // the last is a namesake to a search
		"bob": "", "Bob B.": "",
	} {
		bob := f.user(NewID()[24:])
		refused(t, save(f, bob, name), want)
	}
	must(t, save(f, alice, "Alice"))
	must(t, save(f, alice, "alice"))
	must(t, save(f, torn, "Torn"))
	for name, want := range map[string]chat.Code{
		"bob": "", "kern": "", "aIice": chat.BadRequest, "alice": chat.Conflict, "a1ice": chat.Conflict, "tom": chat.Conflict, "to.rn": "",
		"admin": chat.Conflict, "s-y-s-t-e-m": chat.Conflict, "supp0rt": chat.Conflict, "all": chat.Conflict, "everyone": chat.Conflict,
	} {
		_, err := f.svc.SignUp(t.Context(), chat.NewUser{Username: name, Password: "a good password"})
		refused(t, err, want)
	}
	_, err := f.svc.SignUp(t.Context(), chat.NewUser{Username: "eve", Password: "a good password", DisplayName: "alicе"})
	refused(t, err, chat.BadRequest) // mixed, whoever is there
	_, err = f.svc.SignUp(t.Context(), chat.NewUser{Username: "eve", Password: "a good password", DisplayName: "Torn"})
	must(t, err)
}

// testNamesAtOnce: of names that look alike and are taken at the same time one is there first.
func testNamesAtOnce(t *testing.T, f *fixture) {
	f.user("root")
	var people []chat.User
	for _, name := range []string{"ann", "bob", "cid", "dan"} {
		people = append(people, f.user(name))
	}
	var all sync.WaitGroup
	codes := make([]chat.Code, len(people))
	for i, name := range []string{"Scope", "Ѕсоре", "ScоpeX", "Sсоре"} {
		all.Go(func() {
			codes[i] = chat.CodeOf(save(f, people[i], name))
		})
	}
	all.Wait()
	taken := 0
	for i, code := range codes {
		if code == "" && i != 2 {
			taken++
		} else if i != 2 {
			equal(t, "refusal", code, chat.Conflict)
		}
	}
	equal(t, "taken", taken, 1)
	for round := range 8 {
		signUps := make([]chat.Code, 4)
		for i, name := range []string{"moon0", "moono", "rnoon0", "rnoono"} {
			all.Go(func() {
				_, err := f.svc.SignUp(t.Context(), chat.NewUser{Username: name + string(rune('a'+round)), Password: "a good password"})
				signUps[i] = chat.CodeOf(err)
			})
		}
		all.Wait()
		taken = 0
		for _, code := range signUps {
			if code == "" {
				taken++
				continue
			}
			equal(t, "refusal", code, chat.Conflict)
		}
		equal(t, "signed up", taken, 1)
	}
}
