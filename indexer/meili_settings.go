package indexer

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/meilisearch/meilisearch-go"
)

const (
	meiliPrimaryKey = "id"
	meiliMaxHits    = 2000 // of one search
	// settingsTimeout is long because new settings may make the server reindex
	// everything.
	settingsTimeout = 5 * time.Minute
)

// meiliSettings returns the settings that this program depends on; the rest
// (synonyms, stop words, …) is the operator's. None of the lists may be empty: the
// library does not send empty ones.
func meiliSettings() meilisearch.Settings {
	return meilisearch.Settings{
		SearchableAttributes: []string{"body"},
		FilterableAttributes: []string{"chat_id", "sender_id", "created_at", "has_link"},
		SortableAttributes:   []string{"created_at"},
		DisplayedAttributes:  []string{"*"},
		RankingRules: []string{
			"words", "typo", "proximity", "attribute", "sort", "exactness", "created_at:desc",
		},
		Pagination: &meilisearch.Pagination{MaxTotalHits: meiliMaxHits},
	}
}

// Prepare creates a missing index and corrects its settings; if all is well, that
// takes two requests. An index with a primary key other than id, which this program
// cannot have created, is deleted and created again.
func (m *Meili) Prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settingsTimeout)
	defer cancel()
	index, err := m.client.GetIndex(ctx, m.name)
	if meiliMissing(err) {
		return m.create(ctx, m.name)
	}
	if err != nil {
		return meiliError("look for the index", err)
	}
	if index.PrimaryKey != meiliPrimaryKey {
		m.log.Warn("the search index has a foreign primary key and is being recreated", "index", m.name, "key", index.PrimaryKey)
		if err := m.remove(ctx, m.name); err != nil {
			return err
		}
		return m.create(ctx, m.name)
	}
	return m.configure(ctx, m.name)
}

// create creates an empty index with its settings.
func (m *Meili) create(ctx context.Context, uid string) error {
	task, err := m.client.CreateIndex(ctx, &meilisearch.IndexConfig{Uid: uid, PrimaryKey: meiliPrimaryKey})
	if err != nil {
		return meiliError("create index", err)
	}
	err = m.wait(ctx, task)
	if a, ok := errors.AsType[*meiliAnswer](err); ok && a.code == string(meilisearch.APIErrCodeIndexAlreadyExists) {
		err = nil // another node was faster
	}
	if err != nil {
		return meiliError("create index", err)
	}
	return m.configure(ctx, uid)
}

func (m *Meili) remove(ctx context.Context, uid string) error {
	task, err := m.client.DeleteIndex(ctx, uid)
	if err == nil {
		err = m.wait(ctx, task)
	}
	if err != nil && !meiliMissing(err) {
		return meiliError("delete index", err)
	}
	return nil
}

func (m *Meili) configure(ctx context.Context, uid string) error {
	for {
		now, err := m.index(uid).GetSettings(ctx)
		if err != nil {
			return meiliError("read settings", err)
		}
		wanted, differ := settingsToSend(*now)
		if !differ {
			return nil
		}
		waited, err := m.settingsUnderWay(ctx, uid)
		if err != nil {
			return err
		}
		if !waited {
			return m.update(ctx, uid, wanted)
		}
	}
}

func (m *Meili) update(ctx context.Context, uid string, wanted meilisearch.Settings) error {
	task, err := m.index(uid).UpdateSettings(ctx, &wanted)
	if err == nil {
		err = m.wait(ctx, task)
	}
	if err != nil {
		return meiliError("update settings", err)
	}
	return nil
}

// settingsUnderWay waits for a change of settings that is already in the queue and
// reports whether there was one: a Prepare repeated while the server reindexes must
// not request the same work again.
func (m *Meili) settingsUnderWay(ctx context.Context, uid string) (bool, error) {
	found, err := m.client.GetTasks(ctx, &meilisearch.TasksQuery{
		Limit:     1,
		IndexUIDS: []string{uid},
		Types:     []meilisearch.TaskType{meilisearch.TaskTypeSettingsUpdate},
		Statuses:  []meilisearch.TaskStatus{meilisearch.TaskStatusEnqueued, meilisearch.TaskStatusProcessing},
	})
	if err != nil {
		return false, meiliError("look for a change of settings", err)
	}
	if len(found.Results) == 0 {
		return false, nil
	}
	t := found.Results[0]
	if err := m.wait(ctx, &meilisearch.TaskInfo{TaskUID: t.UID, EnqueuedAt: t.EnqueuedAt}); err != nil {
		return true, meiliError("wait for a change of settings", err)
	}
	return true, nil
}

// settingsToSend returns the settings to send and whether the server's differ.
func settingsToSend(now meilisearch.Settings) (meilisearch.Settings, bool) {
	wanted := meiliSettings()
	same := slices.Equal(now.SearchableAttributes, wanted.SearchableAttributes) &&
		slices.Equal(now.DisplayedAttributes, wanted.DisplayedAttributes) &&
		slices.Equal(now.RankingRules, wanted.RankingRules) &&
		sameSet(now.FilterableAttributes, wanted.FilterableAttributes) &&
		sameSet(now.SortableAttributes, wanted.SortableAttributes) &&
		now.Pagination != nil && *now.Pagination == *wanted.Pagination
	if now.TypoTolerance != nil && !now.TypoTolerance.Enabled {
		typo := *now.TypoTolerance
		typo.Enabled = true
		wanted.TypoTolerance = &typo
		same = false
	}
	return wanted, !same
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
