package indexer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/meilisearch/meilisearch-go"
)

const (
	applyTimeout = time.Minute
	// payloadBytes bounds one request. The server accepts 100 MB, a proxy in front of
	// it perhaps less.
	payloadBytes = 4 << 20
)

// meiliDocument is a Document as the server stores it.
type meiliDocument struct {
	Document
	CreatedAt int64 `json:"created_at"`
}

// Apply enqueues the change as tasks, which the server executes in order, and waits
// for all of them.
func (m *Meili) Apply(ctx context.Context, b Batch) error {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	// The server would create a missing index without our settings.
	if _, err := m.client.GetIndex(ctx, m.name); err != nil {
		return meiliError("look for the index", err)
	}
	return m.apply(ctx, m.name, b)
}

func (m *Meili) apply(ctx context.Context, uid string, b Batch) error {
	payloads, err := encodeDocuments(b.Documents)
	if err != nil {
		return err
	}
	key := meiliPrimaryKey
	var tasks []*meilisearch.TaskInfo
	for _, p := range payloads {
		task, err := m.index(uid).AddDocumentsNdjson(ctx, p, &meilisearch.DocumentOptions{PrimaryKey: &key})
		if err != nil {
			return meiliBatchError("add documents", err)
		}
		tasks = append(tasks, task)
	}
	if len(b.Deleted) > 0 {
		task, err := m.index(uid).DeleteDocuments(ctx, b.Deleted, nil)
		if err != nil {
			return meiliBatchError("delete documents", err)
		}
		tasks = append(tasks, task)
	}
	if len(tasks) == 0 {
		return nil
	}
	if err := m.wait(ctx, tasks...); err != nil {
		return meiliBatchError("index documents", err)
	}
	return nil
}

// encodeDocuments encodes one document per line, in parts of about payloadBytes.
func encodeDocuments(documents []Document) ([][]byte, error) {
	var payloads [][]byte
	var now bytes.Buffer
	for _, d := range documents {
		line, err := json.Marshal(meiliDocument{d, int64(d.CreatedAt)})
		if err != nil {
			return nil, fmt.Errorf("encode document: %w", err)
		}
		if now.Len() > 0 && now.Len()+len(line) >= payloadBytes {
			payloads = append(payloads, bytes.Clone(now.Bytes()))
			now.Reset()
		}
		now.Write(line)
		now.WriteByte('\n')
	}
	if now.Len() > 0 {
		payloads = append(payloads, now.Bytes())
	}
	return payloads, nil
}
