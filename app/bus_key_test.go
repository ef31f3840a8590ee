package app

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"fechatter/bus"
	"fechatter/chat"
	"fechatter/persistence"
)

// TestKeyringDuringARotation: what a node signs at any moment of a rotation, nodes that are at
// another moment of it believe.
func TestKeyringDuringARotation(t *testing.T) {
	secret := func(id uint32) []byte { return bytes.Repeat([]byte{byte(id)}, 32) }
	const begun = chat.Time(1_700_000_000_000)
	from := begun.Add(rotationLead)
	until := from.Add(rotationKeep)
	keys := []persistence.BusKey{{ID: 1, Secret: secret(1), Until: until}, {ID: 2, Secret: secret(2), From: from}}
	at := func(now chat.Time) bus.Keyring {
		known := keys
		if now < begun {
			known = []persistence.BusKey{{ID: 1, Secret: secret(1)}}
		}
		return keyring(unsignedRefuse, persistence.BusKeys{Keys: known, Now: now})
	}
	believes := func(r bus.Keyring, id uint32) bool {
		return slices.ContainsFunc(r.Believed, func(k bus.Key) bool { return k.ID == id })
	}
	// A node may have read its keys up to this long ago, and a message may be this old.
	const readAgo, age = bus.KeysEvery + 5*time.Second, bus.Freshness
	for now := begun.Add(-time.Minute); now < until.Add(2*time.Minute); now = now.Add(time.Second) {
		for _, sent := range []time.Duration{0, readAgo, readAgo + age} {
			sender := at(now.Add(-sent))
			for _, heard := range []time.Duration{0, readAgo} {
				if receiver := at(now.Add(-heard)); !believes(receiver, sender.Sign.ID) {
					t.Fatalf("%v after the rotation, a node that read its keys %v ago does not believe key %d, read %v ago",
						now.Time().Sub(begun.Time()), heard, sender.Sign.ID, sent)
				}
			}
		}
	}
	if r := at(from.Add(-time.Millisecond)); r.Sign.ID != 1 || len(r.Believed) != 2 {
		t.Errorf("before the change it signs with %d", r.Sign.ID)
	}
	if r := at(from); r.Sign.ID != 2 || !r.Now.Equal(from.Time()) {
		t.Errorf("from the change on it signs with %d", r.Sign.ID)
	}
	if r := at(until); believes(r, 1) {
		t.Error("the old key is believed for ever")
	}
}

// Unsigned messages are hints for an hour after an upgrade, never where there was none, and as the
// settings say.
func TestUnsignedNodesAfterAnUpgrade(t *testing.T) {
	const upgraded = chat.Time(1_700_000_000_000)
	for _, c := range []struct {
		setting    string
		until, now chat.Time
		want       bool
	}{
		{unsignedAuto, upgraded.Add(time.Hour), upgraded, true},
		{unsignedAuto, upgraded.Add(time.Hour), upgraded.Add(time.Hour), false},
		{unsignedAuto, 0, upgraded, false},
		{unsignedRefuse, upgraded.Add(time.Hour), upgraded, false},
		{unsignedAccept, 0, upgraded, true},
	} {
		keys := persistence.BusKeys{Keys: []persistence.BusKey{{ID: 1}}, UnsignedUntil: c.until, Now: c.now}
		if got := keyring(c.setting, keys).Unsigned; got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestBusSettings(t *testing.T) {
	for _, args := range [][]string{{"--bus-unsigned=maybe"}, {"--bus-encryption=yes"}, {"--bus-unsigned="}} {
		if _, err := LoadConfig(args, io.Discard); err == nil || !strings.Contains(err.Error(), "bus_") {
			t.Errorf("%v: %v", args, err)
		}
	}
	in, err := LoadConfig([]string{"--bus-encryption=on", "--bus-unsigned=refuse"}, io.Discard)
	if err != nil || in.Config.BusEncryption != on || in.Config.BusUnsigned != unsignedRefuse {
		t.Errorf("%+v, %v", in.Config, err)
	}
}
