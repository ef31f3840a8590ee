package presence

import (
	"context"
	"maps"
	"sync"
	"time"

	"fechatter/chat"
)

// Memory keeps the leases of a single node in this process. When the process
// ends, everybody is offline, which is right. Its clock is monotonic.
type Memory struct {
	start time.Time

	mu    sync.Mutex
	users map[string]*memoryUser
}

// memoryUser is a person who is here. Times count from the start.
type memoryUser struct {
	leases      map[string]time.Duration // when each ends
	due, active time.Duration            // when the person goes offline; the last activity
}

// NewMemory returns leases with nobody here.
func NewMemory() *Memory {
	return &Memory{start: time.Now(), users: map[string]*memoryUser{}}
}

func (m *Memory) now() time.Duration { return time.Since(m.start) }

func (m *Memory) at(d time.Duration) chat.Time { return chat.TimeOf(m.start.Add(d)) }

// Renew implements Leases.
func (m *Memory) Renew(_ context.Context, reports []Report) ([]Renewed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, renewed := m.now(), make([]Renewed, len(reports))
	for i, r := range reports {
		renewed[i] = m.renew(r, now)
	}
	return renewed, nil
}

func (m *Memory) renew(r Report, now time.Duration) Renewed {
	u := m.users[r.UserID]
	if u == nil {
		u = &memoryUser{leases: map[string]time.Duration{}, active: now - max(r.Idle, 0)}
		m.users[r.UserID] = u
	}
	appeared := u.due <= now
	u.leases[r.ID], u.due = now+leaseTTL, now+leaseTTL
	u.act(r.Idle, now)
	return Renewed{Appeared: appeared, Idle: now - u.active}
}

func (u *memoryUser) act(idle, now time.Duration) {
	if idle >= 0 {
		u.active = max(u.active, now-idle)
	}
}

// Release implements Leases.
func (m *Memory) Release(_ context.Context, reports []Report) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for _, r := range reports {
		if u := m.users[r.UserID]; u != nil {
			u.release(r, now)
		}
	}
	return nil
}

func (u *memoryUser) release(r Report, now time.Duration) {
	if _, held := u.leases[r.ID]; !held {
		return
	}
	delete(u.leases, r.ID)
	u.act(r.Idle, now)
	last := now + leaseGrace
	for end := range maps.Values(u.leases) {
		last = max(last, end)
	}
	u.due = min(u.due, last)
}

// Read implements Leases.
func (m *Memory) Read(_ context.Context, userIDs []string) ([]Reading, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, readings := m.now(), make([]Reading, len(userIDs))
	for i, id := range userIDs {
		readings[i].Known = true
		if u := m.users[id]; u != nil {
			readings[i] = Reading{Here: u.due > now, Known: true, Idle: now - u.active, LastActiveAt: m.at(u.active)}
		}
	}
	return readings, nil
}

// Sweep implements Leases.
func (m *Memory) Sweep(context.Context) (Swept, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	var swept Swept
	for id, u := range m.users {
		if u.due <= now {
			swept.Gone = append(swept.Gone, Departure{id, m.at(u.active)})
			delete(m.users, id)
		}
	}
	return swept, nil
}
