package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fechatter/bus"
	"fechatter/persistence"
)

// The values of bus_unsigned and bus_encryption.
const (
	unsignedAuto, unsignedAccept, unsignedRefuse = "auto", "accept", "refuse"

	on, off = "on", "off"
)

const (
	// rotationLead is how long a new key is only believed: every node that reaches the
	// database has read it long before.
	rotationLead = 3 * bus.KeysEvery
	// rotationKeep is how long the key before is believed after that: until every node has
	// noticed that it is no longer to be used, and what was signed with it is stale.
	rotationKeep = bus.KeysEvery + bus.Freshness + 20*time.Second
)

// busKeys is what the bus reads from the store.
type busKeys interface {
	BusKeys(ctx context.Context) (persistence.BusKeys, error)
}

// readKeyring reads the keys that are valid now.
func readKeyring(ctx context.Context, c Config, from busKeys) (bus.Keyring, error) {
	keys, err := from.BusKeys(ctx)
	if err != nil {
		return bus.Keyring{}, fmt.Errorf("read keys of the bus: %w", err)
	}
	return keyring(c.BusUnsigned, keys), nil
}

// keyring selects from keys what is valid at their time.
func keyring(unsigned string, keys persistence.BusKeys) bus.Keyring {
	r := bus.Keyring{Now: keys.Now.Time(), Unsigned: unsigned == unsignedAccept || unsigned == unsignedAuto && keys.Now < keys.UnsignedUntil}
	for _, k := range keys.Keys {
		if k.Until != 0 && k.Until <= keys.Now {
			continue
		}
		key := bus.Key{ID: k.ID, Secret: k.Secret}
		r.Believed = append(r.Believed, key)
		if k.From <= keys.Now || r.Sign.Secret == nil {
			r.Sign = key
		}
	}
	return r
}

func (c Config) validateBus() error {
	if !slices.Contains([]string{unsignedAuto, unsignedAccept, unsignedRefuse}, c.BusUnsigned) {
		return fmt.Errorf("bus_unsigned: %q is not auto, accept or refuse", c.BusUnsigned)
	}
	if c.BusEncryption != on && c.BusEncryption != off {
		return fmt.Errorf("bus_encryption: %q is not on or off; in a Helm value it needs quotes", c.BusEncryption)
	}
	return nil
}

// keyRotator makes new keys of the bus.
type keyRotator interface {
	RotateBusKey(ctx context.Context, lead, keep time.Duration) (persistence.BusKey, error)
}

// rotate makes a new key of the bus and says when it is in use.
func (o office) rotate(ctx context.Context) error {
	made, err := o.keys.RotateBusKey(ctx, rotationLead, rotationKeep)
	if err != nil {
		return fmt.Errorf("rotate the key of the bus: %w", err)
	}
	until := made.From.Add(rotationKeep)
	_, err = fmt.Fprintf(o.out, "nodes sign with key %d from %s and no longer believe the one before from %s\n",
		made.ID, made.From.Time().Format(time.DateTime), until.Time().Format(time.DateTime))
	return err
}
