package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// patience bounds a hang, of a process that should start or end. A node takes 25 s at
// most to end, on a machine that has nothing else to do.
const patience = 2 * time.Minute

// process is a running program. Its methods may be called concurrently.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // after ended
}

// start runs a command in the process group of a leash.
func start(cmd *exec.Cmd, output *Output, group int) (*process, error) {
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: group}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// signal sends a signal, and does nothing to a process that has ended.
func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !p.over() {
		return fmt.Errorf("signal %s: %w", p.cmd.Path, err)
	}
	return nil
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	case <-time.After(patience): // Wait is a moment behind the end
		return false
	}
}

// kill is kill -9.
func (p *process) kill() error {
	return errors.Join(p.signal(syscall.SIGKILL), p.await())
}

// stop asks the process to end and returns how it did.
func (p *process) stop() error {
	if err := errors.Join(p.signal(syscall.SIGTERM), p.await()); err != nil {
		return err
	}
	return p.err
}

func (p *process) await() error {
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s does not end", p.cmd.Path)
	}
}

// Output keeps the last of what a process prints, and finds one line in it. Its
// methods may be called concurrently.
type Output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	from  int         // where the search begins
	mark  string      // what the line contains
	found chan string // receives the rest of the line, once
}

// keptOutput is how much is kept: the end of a story explains it.
const keptOutput = 256 << 10

// Write is io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if o.found != nil {
		if _, after, ok := bytes.Cut(o.text.Bytes()[o.from:], []byte(o.mark)); ok {
			if line, _, whole := bytes.Cut(after, []byte("\n")); whole {
				o.found <- string(line)
				o.found = nil
			}
		}
	}
	if over := o.text.Len() - keptOutput; over > 0 && o.found == nil {
		o.text.Next(over)
	}
	return len(p), nil
}

// Address returns a channel that will hold the address at which a node, started
// after this, says that it listens.
func (o *Output) Address() <-chan string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from, o.mark, o.found = o.text.Len(), " is at http://", make(chan string, 1)
	return o.found
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
