package persistencetest

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
)

// upload stores what is known of a file; its bytes are not this suite's business.
func (f *fixture) upload(u chat.User, mediaType string) chat.File {
	f.t.Helper()
	file := chat.File{ID: NewID(), Name: "a.bin", MediaType: mediaType, Size: 10, SHA256: strings.Repeat("0", 64), Width: 4, Height: 3, Thumb: true, UploadedBy: u.ID}
	at, err := f.store.BeginFile(f.t.Context(), file, time.Hour, 0)
	must(f.t, err)
	_, err = f.svc.File(f.t.Context(), u.ID, file.ID)
	refused(f.t, err, chat.NotFound) // its bytes are on their way
	must(f.t, f.store.FinishFile(f.t.Context(), file.ID))
	file.CreatedAt = at
	return file
}

func (f *fixture) attach(c chat.Chat, u chat.User, files ...chat.File) (chat.Sent, error) {
	ids := make([]string, len(files))
	for i, file := range files {
		ids[i] = file.ID
	}
	return f.svc.Send(f.t.Context(), chat.Send{ChatID: c.ID, SenderID: u.ID, Key: NewID(), Attachments: ids})
}

// testFiles: a message carries its files everywhere, and who sees it sees them, nobody else.
func testFiles(t *testing.T, f *fixture) {
	ctx := t.Context()
	ann, bob, eve := f.user("ann"), f.user("bob"), f.user("eve")
	c := f.group(ann, bob)
	one, two := f.upload(ann, "image/png"), f.upload(ann, "text/plain")
	_, err := f.svc.File(ctx, bob.ID, one.ID)
	refused(t, err, chat.NotFound)
	_, err = f.attach(c, bob, one) // another's
	refused(t, err, chat.NotFound)

	sent, err := f.attach(c, ann, one, two)
	must(t, err)
	for _, u := range []chat.User{ann, bob} {
		file, err := f.svc.File(ctx, u.ID, one.ID)
		must(t, err)
		equal(t, "file", file, one)
	}
	_, err = f.svc.File(ctx, eve.ID, one.ID)
	refused(t, err, chat.NotFound)

	both := []chat.File{one, two}
	m, err := f.svc.Message(ctx, bob.ID, sent.MessageID)
	must(t, err)
	equalSlices(t, "of the message", m.Attachments, both)
	h, err := f.svc.History(ctx, bob.ID, c.ID, chat.Range{Limit: 1})
	must(t, err)
	equalSlices(t, "of the history", h.Messages[0].Attachments, both)
	equalSlices(t, "of the entry", f.entry(c, bob).LastMessage.Attachments, both)
	published := f.published.of(c.ID)
	equalSlices(t, "of the event", published[len(published)-1].D.(chat.MessageCreated).Attachments, both)
	log := f.log(c.ID)
	equalSlices(t, "of the log", log[len(log)-1].D.(chat.MessageCreated).Attachments, both)

	// Forwarding: by whoever sees it, to those who did not.
	other := f.group(bob, eve)
	_, err = f.attach(other, bob, one)
	must(t, err)
	_, err = f.svc.File(ctx, eve.ID, one.ID)
	must(t, err)
	_, err = f.svc.RemoveMember(ctx, bob.ID, other.ID, eve.ID)
	must(t, err)
	_, err = f.svc.File(ctx, eve.ID, one.ID)
	refused(t, err, chat.NotFound)
}

// testFileRefusals: what cannot be attached, and that a key is about its files, too.
func testFileRefusals(t *testing.T, f *fixture) {
	ctx := t.Context()
	ann, bob := f.user("ann"), f.user("bob")
	c := f.group(ann, bob)
	one, two := f.upload(ann, "image/png"), f.upload(ann, "image/png")
	_, err := f.attach(c, ann, one, one)
	refused(t, err, chat.BadRequest)
	many := make([]chat.File, 11)
	for i := range many {
		many[i] = chat.File{ID: NewID()}
	}
	_, err = f.attach(c, ann, many...)
	refused(t, err, chat.TooLarge)
	_, err = f.attach(c, ann, many[0])
	refused(t, err, chat.NotFound)
	_, err = f.attach(c, ann)
	refused(t, err, chat.BadRequest) // neither text nor files

	m := chat.Send{ChatID: c.ID, SenderID: ann.ID, Key: "k", Body: "see", Attachments: []string{one.ID}}
	first, err := f.svc.Send(ctx, m)
	must(t, err)
	again, err := f.svc.Send(ctx, m)
	must(t, err)
	equal(t, "replayed", again.Replayed && again.MessageID == first.MessageID, true)
	for _, ids := range [][]string{nil, {two.ID}, {one.ID, two.ID}} {
		m.Attachments = ids
		_, err = f.svc.Send(ctx, m)
		refused(t, err, chat.KeyReused)
	}

	// A send is known by its key when its files cannot be had any more: those of another whom the
	// sender does not meet now.
	m = chat.Send{ChatID: c.ID, SenderID: bob.ID, Key: "k", Attachments: []string{one.ID}}
	first, err = f.svc.Send(ctx, m)
	must(t, err)
	_, err = f.svc.RemoveMember(ctx, ann.ID, c.ID, bob.ID)
	must(t, err)
	again, err = f.svc.Send(ctx, m)
	must(t, err)
	equal(t, "replayed without its files", again.Replayed && again.MessageID == first.MessageID, true)

	_, err = f.store.BeginFile(ctx, chat.File{ID: NewID(), Size: 90, UploadedBy: bob.ID}, time.Hour, 100)
	must(t, err)
	_, err = f.store.BeginFile(ctx, chat.File{ID: NewID(), Size: 11, UploadedBy: bob.ID}, time.Hour, 100)
	refused(t, err, chat.TooLarge)
}

// sweep drops what no message has and whose time is over, and returns how many that were.
func (f *fixture) sweep() int {
	f.t.Helper()
	ids, err := f.store.DoomFiles(f.t.Context(), 100)
	must(f.t, err)
	for _, id := range ids {
		must(f.t, f.store.DropFile(f.t.Context(), id))
	}
	return len(ids)
}

// give sends a message with a file that nobody holds any more.
func (f *fixture) give(c chat.Chat, u chat.User, file chat.File) chat.Sent {
	f.t.Helper()
	sent, err := f.store.Send(f.t.Context(), chat.Send{ChatID: c.ID, SenderID: u.ID, Key: NewID(), MessageID: NewID(), OpID: NewID(), Fingerprint: []byte("f"), MaxChats: 10, Files: []chat.File{file}})
	must(f.t, err)
	return sent
}

// testFileEnds: a file goes with the last message that has it, and not before.
func testFileEnds(t *testing.T, f *fixture) {
	ctx := t.Context()
	ann, bob := f.user("ann"), f.user("bob")
	c, other := f.group(ann, bob), f.group(ann, bob)
	file := f.upload(ann, "image/png")
	equal(t, "swept while it is new", f.sweep(), 0)
	first, second := f.give(c, ann, file), f.give(other, bob, file)
	must(t, f.store.DropFile(ctx, file.ID)) // nothing: it is in use

	_, err := f.svc.Delete(ctx, ann.ID, first.MessageID)
	must(t, err)
	equal(t, "swept while one message has it", f.sweep(), 0)
	m, err := f.svc.Message(ctx, ann.ID, first.MessageID)
	must(t, err)
	equal(t, "files of a deleted message", len(m.Attachments), 0)
	_, err = f.svc.File(ctx, bob.ID, file.ID)
	must(t, err)

	_, err = f.svc.Delete(ctx, bob.ID, second.MessageID)
	must(t, err)
	_, err = f.svc.File(ctx, bob.ID, file.ID)
	refused(t, err, chat.NotFound)
	equal(t, "swept", f.sweep(), 1)
	equal(t, "swept again", f.sweep(), 0)
	_, err = f.svc.File(ctx, ann.ID, file.ID)
	refused(t, err, chat.NotFound)

	short := chat.File{ID: NewID(), Size: 1, UploadedBy: ann.ID}
	_, err = f.store.BeginFile(ctx, short, 0, 0)
	must(t, err)
	equal(t, "swept: an upload that came to nothing", f.sweep(), 1)
	refused(t, f.store.FinishFile(ctx, short.ID), chat.NotFound)
}

// testHeldFile: what a message is about to get is kept, though the last one that had it goes.
func testHeldFile(t *testing.T, f *fixture) {
	ctx := t.Context()
	ann := f.user("ann")
	c := f.group(ann, f.user("bob"))
	file := f.upload(ann, "image/png")
	first := f.give(c, ann, file)
	held, err := f.store.HoldFiles(ctx, ann.ID, []string{file.ID}, time.Hour)
	must(t, err)
	_, err = f.svc.Delete(ctx, ann.ID, first.MessageID)
	must(t, err)
	equal(t, "swept while it is held", f.sweep(), 0)
	f.give(c, ann, held[0])
	_, err = f.svc.File(ctx, ann.ID, file.ID)
	must(t, err)
}

// testFileRace: a message and the sweep that meet either both have the file, or neither.
func testFileRace(t *testing.T, f *fixture) {
	ctx := t.Context()
	ann := f.user("ann")
	c := f.group(ann, f.user("bob"))
	for range 20 {
		file := chat.File{ID: NewID(), MediaType: "image/png", Size: 1, UploadedBy: ann.ID}
		_, err := f.store.BeginFile(ctx, file, 0, 0)
		must(t, err)
		must(t, f.store.FinishFile(ctx, file.ID))
		var both sync.WaitGroup
		both.Go(func() { f.sweep() })
		_, err = f.attach(c, ann, file)
		both.Wait()
		if err != nil {
			refused(t, err, chat.NotFound)
			continue
		}
		_, err = f.svc.File(ctx, ann.ID, file.ID)
		must(t, err)
	}
}

// testChatFiles pages through a chat's files by the messages that have them.
func testChatFiles(t *testing.T, f *fixture) {
	ctx := t.Context()
	ann, eve := f.user("ann"), f.user("eve")
	c := f.group(ann, f.user("bob"))
	var all []string
	for i := range 6 {
		files := []chat.File{f.upload(ann, "image/png"), f.upload(ann, "video/mp4"), f.upload(ann, "application/pdf")}[:1+i%3]
		_, err := f.attach(c, ann, files...)
		must(t, err)
		for _, file := range files {
			all = append(all, file.ID)
		}
	}
	for _, limit := range []int{1, 2, 3, 4, 100} {
		var got []string
		q := chat.FileQuery{Limit: limit}
		for more := true; more; {
			var page []chat.ChatFile
			var err error
			page, more, err = f.svc.ChatFiles(ctx, ann.ID, c.ID, q)
			must(t, err)
			for _, file := range page {
				got = append(got, file.File.ID)
			}
			q.Before = page[len(page)-1].Seq
		}
		slices.Sort(got)
		equalSlices(t, "ids", got, slices.Sorted(slices.Values(all)))
	}
	videos, _, err := f.svc.ChatFiles(ctx, ann.ID, c.ID, chat.FileQuery{Kind: "video", Limit: 10})
	must(t, err)
	equal(t, "videos", len(videos), 4)
	_, _, err = f.svc.ChatFiles(ctx, ann.ID, c.ID, chat.FileQuery{Kind: "cats", Limit: 10})
	refused(t, err, chat.BadRequest)
	_, _, err = f.svc.ChatFiles(ctx, eve.ID, c.ID, chat.FileQuery{Limit: 10})
	refused(t, err, chat.NotFound)
}
