package app

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"fechatter/chat"
	"fechatter/persistence"

	"github.com/caddyserver/certmagic"
)

const (
	// lockFor is how long a lock outlives the node that held it.
	lockFor = time.Minute
	// lockRenewal keeps a lock well within that.
	lockRenewal = lockFor / 4
	// lockAtMost ends a lock that nobody gives back: longer than a certificate takes.
	lockAtMost = 4 * acmePerAttempt
	// lockPoll is how often one who waits for a lock asks for it.
	lockPoll = time.Second
	// lockPrefix begins the names of locks among the leases.
	lockPrefix = "certificate/"
)

// certificateStore keeps files and leases for all nodes.
type certificateStore interface {
	SaveCertificate(ctx context.Context, name string, value []byte) error
	Certificate(ctx context.Context, name string) (value []byte, found bool, err error)
	Certificates(ctx context.Context, folder string) ([]persistence.CertificateFile, error)
	DeleteCertificates(ctx context.Context, name string) error
	AcquireLease(ctx context.Context, l chat.Lease, ttl time.Duration) (held bool, err error)
	ReleaseLease(ctx context.Context, l chat.Lease) error
}

// certificateStorage is a certmagic.Storage in the database.
type certificateStorage struct {
	store certificateStore
	node  string

	mu      sync.Mutex
	held    map[string]*heldLock
	renewal sync.WaitGroup
}

type heldLock struct {
	lease  chat.Lease
	cancel context.CancelFunc
	done   chan struct{} // closed when it is no longer renewed
}

func newCertificateStorage(store certificateStore, node string) *certificateStorage {
	return &certificateStorage{store: store, node: node, held: map[string]*heldLock{}}
}

var _ certmagic.Storage = (*certificateStorage)(nil)

// Store implements certmagic.Storage.
func (s *certificateStorage) Store(ctx context.Context, key string, value []byte) error {
	return s.store.SaveCertificate(ctx, key, value)
}

// Load implements certmagic.Storage. Only what is known not to exist is reported so:
// otherwise a database that is away would have another certificate ordered.
func (s *certificateStorage) Load(ctx context.Context, key string) ([]byte, error) {
	value, found, err := s.store.Certificate(ctx, key)
	if err == nil && !found {
		err = fmt.Errorf("%s: %w", key, fs.ErrNotExist)
	}
	return value, err
}

// Delete implements certmagic.Storage.
func (s *certificateStorage) Delete(ctx context.Context, key string) error {
	return s.store.DeleteCertificates(ctx, key)
}

// Exists implements certmagic.Storage.
func (s *certificateStorage) Exists(ctx context.Context, key string) bool {
	files, err := s.store.Certificates(ctx, key)
	return err == nil && len(files) > 0
}

// List implements certmagic.Storage.
func (s *certificateStorage) List(ctx context.Context, folder string, recursive bool) ([]string, error) {
	files, err := s.store.Certificates(ctx, folder)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, f := range files {
		key := f.Name
		if !recursive {
			key = childOf(folder, key)
		}
		if key != folder && (len(keys) == 0 || keys[len(keys)-1] != key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: %w", folder, fs.ErrNotExist)
	}
	return keys, nil
}

// childOf returns what directly in folder holds name.
func childOf(folder, name string) string {
	prefix := folder
	if prefix != "" {
		prefix += "/"
	}
	child, _, _ := strings.Cut(strings.TrimPrefix(name, prefix), "/")
	return prefix + child
}

// Stat implements certmagic.Storage.
func (s *certificateStorage) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	files, err := s.store.Certificates(ctx, key)
	if err != nil {
		return certmagic.KeyInfo{}, err
	}
	if len(files) == 0 {
		return certmagic.KeyInfo{}, fmt.Errorf("%s: %w", key, fs.ErrNotExist)
	}
	if f := files[0]; f.Name == key {
		return certmagic.KeyInfo{Key: key, Modified: f.Changed.Time(), Size: f.Size, IsTerminal: true}, nil
	}
	return certmagic.KeyInfo{Key: key}, nil
}

// Lock implements certmagic.Locker: it waits until it has the lock, which ends by itself
// when its node dies.
func (s *certificateStorage) Lock(ctx context.Context, name string) error {
	l := chat.Lease{Name: lockPrefix + name, Holder: s.node + "/" + newID()} // each caller by itself
	for {
		held, err := s.store.AcquireLease(ctx, l, lockFor)
		if err != nil {
			return fmt.Errorf("lock %s: %w", name, err)
		}
		if held {
			s.hold(ctx, name, l)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("lock %s: %w", name, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// hold renews a lock until it is given back.
func (s *certificateStorage) hold(ctx context.Context, name string, l chat.Lease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockAtMost)
	h := &heldLock{lease: l, cancel: cancel, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[name] = h
	s.renewal.Go(func() {
		defer close(h.done)
		defer cancel()
		tick := time.NewTicker(lockRenewal)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_, _ = s.store.AcquireLease(ctx, l, lockFor) // a failure is tried again, or the lock ends
			}
		}
	})
}

// Unlock implements certmagic.Locker.
func (s *certificateStorage) Unlock(ctx context.Context, name string) error {
	s.mu.Lock()
	h := s.held[name]
	delete(s.held, name)
	s.mu.Unlock()
	if h == nil {
		return fmt.Errorf("unlock %s: it is not locked", name)
	}
	h.cancel()
	<-h.done // or a renewal would take the lock again
	return s.store.ReleaseLease(ctx, h.lease)
}

// close ends the renewal of locks that are still held: they end by themselves.
func (s *certificateStorage) close() {
	s.mu.Lock()
	for _, h := range s.held {
		h.cancel()
	}
	s.mu.Unlock()
	s.renewal.Wait()
}
