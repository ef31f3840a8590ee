package persistence

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fechatter/chat"
)

const (
	// metaBus is the row of meta with the keys of the bus.
	metaBus = "bus"
	// unsignedFor is how long after an upgrade from a release that signed nothing its nodes
	// may still be there.
	unsignedFor = time.Hour
)

// BusKey is a key by which nodes know each other's messages. Times are the database's.
type BusKey struct {
	ID     uint32    `json:"id"`
	Secret []byte    `json:"secret"`
	From   chat.Time `json:"from"`            // when nodes begin to sign with it
	Until  chat.Time `json:"until,omitempty"` // from when they no longer believe it; 0: not known yet
}

// BusKeys is what nodes have agreed on about the bus.
type BusKeys struct {
	Keys          []BusKey  `json:"keys"`                     // in the order of their From, at least one
	UnsignedUntil chat.Time `json:"unsigned_until,omitempty"` // until when nodes that do not sign may be there
	Now           chat.Time `json:"-"`                        // the database's time at which this was read
}

// makeBusKeys creates the first key unless there is one. Where there are users already, the
// database was upgraded, perhaps beside running nodes of the release before.
func (s *Store) makeBusKeys(ctx context.Context, c *conn) error {
	now, err := s.clock(ctx, c)
	if err != nil {
		return err
	}
	keys := BusKeys{Keys: []BusKey{{ID: 1, Secret: newSecret(), From: now}}}
	var used bool
	if err := c.one(ctx, "SELECT EXISTS (SELECT 1 FROM users)", nil, &used); err != nil {
		return fmt.Errorf("look for users: %w", err)
	}
	if used {
		keys.UnsignedUntil = now.Add(unsignedFor)
	}
	value, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("encode keys of the bus: %w", err)
	}
	if _, err := c.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", metaBus, string(value)); err != nil {
		return fmt.Errorf("write keys of the bus: %w", err)
	}
	return nil
}

func newSecret() []byte {
	secret := make([]byte, secretBytes)
	rand.Read(secret) // never fails: crypto/rand ends the process instead
	return secret
}

// BusKeys reads the keys that are believed or will be.
func (s *Store) BusKeys(ctx context.Context) (keys BusKeys, err error) {
	err = s.view(ctx, s.pools.probe, "read keys of the bus", func(c *conn) error {
		var value string
		var now chat.Time
		if err := c.one(ctx, "SELECT value, "+s.d.now+" FROM meta WHERE name = $1", []any{metaBus}, &value, &now); err != nil {
			return fmt.Errorf("read keys of the bus: %w", err)
		}
		keys, err = readBusKeys(value)
		keys.Now = now
		return err
	})
	return keys, err
}

func readBusKeys(value string) (keys BusKeys, err error) {
	if err := json.Unmarshal([]byte(value), &keys); err != nil {
		// The error would quote what it cannot read.
		return BusKeys{}, errors.New("read keys of the bus: the row of meta is not readable")
	}
	if len(keys.Keys) == 0 {
		return BusKeys{}, errors.New("read keys of the bus: there are none")
	}
	return keys, nil
}

// RotateBusKey makes a new key, with which nodes sign after lead, when all of them have read
// it. The one before is believed for keep after that. It returns the new key. A rotation that
// is under way is a conflict.
func (s *Store) RotateBusKey(ctx context.Context, lead, keep time.Duration) (made BusKey, err error) {
	err = s.update(ctx, "rotate key of the bus", func(c *conn) ([]chat.Event, error) {
		var value string
		if err := c.one(ctx, "SELECT value FROM meta WHERE name = $1"+s.d.lock, []any{metaBus}, &value); err != nil {
			return nil, fmt.Errorf("lock keys of the bus: %w", err)
		}
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		keys, err := readBusKeys(value)
		if err != nil {
			return nil, err
		}
		if made, err = keys.rotate(now, lead, keep); err != nil {
			return nil, err
		}
		return nil, s.saveBusKeys(ctx, c, keys, now)
	})
	return made, err
}

// rotate adds a key and drops those that nobody believes.
func (k *BusKeys) rotate(now chat.Time, lead, keep time.Duration) (BusKey, error) {
	var kept []BusKey
	for _, key := range k.Keys {
		if key.Until == 0 || key.Until > now {
			kept = append(kept, key)
		}
	}
	if len(kept) != 1 {
		return BusKey{}, chat.Errorf(chat.Conflict, "a rotation is under way until %s", kept[0].Until.Time().UTC().Format(time.DateTime))
	}
	last := &kept[0]
	made := BusKey{ID: last.ID + 1, Secret: newSecret(), From: now.Add(lead)}
	last.Until = made.From.Add(keep)
	k.Keys = append(kept, made)
	return made, nil
}

func (s *Store) saveBusKeys(ctx context.Context, c *conn, keys BusKeys, now chat.Time) error {
	value, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("encode keys of the bus: %w", err)
	}
	if _, err := c.exec(ctx, "UPDATE meta SET value = $2 WHERE name = $1", metaBus, string(value)); err != nil {
		return fmt.Errorf("write keys of the bus: %w", err)
	}
	return record(ctx, c, chat.AuditEntry{ID: s.newID(), At: now, Actor: chat.Operator, Action: chat.AuditBusKeyRotated})
}
