package hub

import "sync"

// tasks counts the hub's goroutines, so that Run can return after the last one.
type tasks struct {
	mu      sync.Mutex
	running int
	ended   bool
	none    chan struct{} // made by wait
}

// start runs f on a goroutine of its own, or returns false if the hub has ended.
func (t *tasks) start(f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return false
	}
	t.running++
	go func() {
		defer t.finish()
		f()
	}()
	return true
}

func (t *tasks) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running--
	t.check()
}

// check ends the tasks once somebody waits for that and none is running.
func (t *tasks) check() {
	if t.none != nil && t.running == 0 && !t.ended {
		t.ended = true
		close(t.none)
	}
}

// wait returns after the last task has ended, and refuses new ones from then on. Call it once.
func (t *tasks) wait() {
	none := make(chan struct{})
	t.mu.Lock()
	t.none = none
	t.check()
	t.mu.Unlock()
	<-none
}
