package persistence_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// TestFilesTouchedUnderANode: somebody removes the log, or puts a backup in the place of the
// database, while a node runs. It ends at once, and what it had acknowledged by then is in
// the file that it had open.
func TestFilesTouchedUnderANode(t *testing.T) {
	for name, touch := range map[string]func(path string) (left string, err error){
		"the log is removed": func(path string) (string, error) { return path, os.Remove(path + "-wal") },
		"the database is replaced": func(path string) (string, error) {
			left := path + ".before"
			if err := os.Rename(path, left); err != nil {
				return "", err
			}
			return left, os.WriteFile(path, nil, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := sqliteURL(t)
			path := strings.TrimPrefix(url, "sqlite:")
			store, err := open(t, url)
			if err != nil {
				t.Fatal(err)
			}
			rooms, people := persistencetest.Populate(t, store, 1, 2)
			left, err := touch(path)
			if err != nil {
				t.Fatal(err)
			}
			acked := map[string]int64{}
			for i := range 20 {
				key := fmt.Sprint("k", i)
				sent, err := store.SendAlone(t.Context(), message(rooms[0], people[0][0], key))
				if err != nil {
					t.Fatal(err)
				}
				acked[key] = sent.Seq
			}
			ran := make(chan error, 1)
			go func() { ran <- store.Run(context.Background()) }()
			select {
			case err := <-ran:
				if err == nil || !strings.Contains(err.Error(), "under a running node") {
					t.Errorf("ended with %v", err)
				}
			case <-time.After(time.Minute):
				t.Fatal("goes on with files that nobody will find")
			}
			if _, err := store.SendAlone(t.Context(), message(rooms[0], people[0][0], "late")); err == nil {
				t.Error("acknowledged what nobody will find")
			}
			_ = store.Close()
			stored := storedKeys(t, start(t, persistence.Config{URL: "sqlite:" + left}, nobody{}), rooms[0].ID)
			for key, seq := range acked {
				if stored[key] != seq {
					t.Errorf("%s was acknowledged with seq %d and is stored at %d", key, seq, stored[key])
				}
			}
		})
	}
}
