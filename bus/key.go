package bus

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

const (
	// KeysEvery is how often a node reads the keys again: the time within which it knows
	// of a new one, while the database answers.
	KeysEvery = 10 * time.Second
	// Freshness is how old a message may be, and how far ahead its sender's clock. It
	// bounds what a node that has just started can be told again.
	Freshness = 30 * time.Second

	// keysPause is the pause after a read: messages cause reads, too.
	keysPause = time.Second
	keysWait  = 5 * time.Second

	secretSize = 32
	macPurpose = "fechatter bus signature"
	boxPurpose = "fechatter bus encryption"
)

// Key is a secret that all nodes share.
type Key struct {
	ID     uint32
	Secret []byte // 32 random bytes
}

// Keyring is what a node signs with and believes at a moment.
type Keyring struct {
	Sign Key
	// Believed are the keys of messages that are believed. Sign is one of them.
	Believed []Key
	// Now is the time on the clock that all nodes share.
	Now time.Time
	// Unsigned means that nodes may be there which do not know signatures. What they send
	// is a hint at most (Node.Hinted), and this node sends what they can read.
	Unsigned bool
}

// keyring is a Keyring with what is derived from it.
type keyring struct {
	sign     *derived
	believed map[uint32]*derived
	unsigned bool
	now, at  time.Time // the shared clock, and this process's at the same moment
}

// derived is a key for each purpose, so that no two uses share one.
type derived struct {
	id       uint32
	mac, box []byte
}

func (k Keyring) derive() (*keyring, error) {
	r := &keyring{believed: map[uint32]*derived{}, unsigned: k.Unsigned, now: k.Now, at: time.Now()}
	for _, key := range k.Believed {
		d, err := key.derive()
		if err != nil {
			return nil, err
		}
		r.believed[key.ID] = d
	}
	if r.sign = r.believed[k.Sign.ID]; r.sign == nil {
		return nil, errors.New("the key to sign with is not among those believed")
	}
	return r, nil
}

func (k Key) derive() (*derived, error) {
	if len(k.Secret) != secretSize {
		return nil, fmt.Errorf("key %d has %d bytes instead of %d", k.ID, len(k.Secret), secretSize)
	}
	mac, err := hkdf.Key(sha256.New, k.Secret, nil, macPurpose, secretSize)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	box, err := hkdf.Key(sha256.New, k.Secret, nil, boxPurpose, secretSize)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return &derived{id: k.ID, mac: mac, box: box}, nil
}

// clock is the time that all nodes share. Between two reads of the keys it goes on by
// this process's monotonic clock: nobody's setting of a machine's clock moves it.
func (r *keyring) clock() time.Time { return r.now.Add(time.Since(r.at)) }

// keepKeys reads the keys again and again until ctx ends. Without an answer the node goes on
// with those that it has.
func (b *Bus) keepKeys(ctx context.Context) {
	if b.cfg.ReadKeys == nil {
		return
	}
	for tick := time.NewTicker(b.keysEvery); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		case <-b.keysNow:
		}
		b.readKeys(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(b.keysPause):
		}
	}
}

func (b *Bus) readKeys(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, keysWait)
	defer cancel()
	k, err := b.cfg.ReadKeys(ctx)
	var r *keyring
	if err == nil {
		r, err = k.derive()
	}
	if err != nil {
		if ctx.Err() == nil {
			b.noisy.Do(func() { b.log.Warn("keys of the bus cannot be read; going on with the last", "error", err) })
		}
		return
	}
	if was := b.keys.Swap(r); was.sign.id != r.sign.id {
		b.log.Info("bus signs with another key", "was", was.sign.id, "is", r.sign.id)
	}
}

// wantKeys asks for the keys to be read soon: a message named one that is not known, or a time
// that is not ours.
func (b *Bus) wantKeys() {
	select {
	case b.keysNow <- struct{}{}:
	default:
	}
}
