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
	meiliMaxHits    = 2000 // that a search can give
	// settingsTimeout is long because new settings may mean to index everything anew.
	settingsTimeout = 5 * time.Minute
)

// meiliSettings is all that this program needs to be so; the rest (synonyms,
// stop words, …) is the operator's. None of the lists may be empty: the library
// does not send what is.
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

// Prepare makes the index where it is missing and sets what is not as it must be.
// When all is well that is two requests. A key of another name than id, which
// only a foreign hand can have made, costs the index its content.
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
		m.log.Warn("the index has a foreign primary key and is made anew", "index", m.name, "key", index.PrimaryKey)
		if err := m.remove(ctx, m.name); err != nil {
			return err
		}
		return m.create(ctx, m.name)
	}
	return m.configure(ctx, m.name)
}

// create makes an empty index and its settings in one go.
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

// settingsUnderWay waits for a change that is in the queue already: a Prepare that
// is repeated while the server indexes everything anew must not ask for the same
// work again.
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

// settingsToSend gives what the server is to be sent, if it has anything else.
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
