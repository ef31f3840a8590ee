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

// stopTimeout is how long a process may take to end; a node needs 25 s at most.
const stopTimeout = 40 * time.Second

// process is a program that runs. Its methods may be called concurrently.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // after ended
}

// start runs a command in the process group of a leash.
func start(cmd *exec.Cmd, output *output, group int) (*process, error) {
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

// signal sends a signal; to a process that has ended it does nothing.
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
	case <-time.After(time.Second): // Wait is a moment behind the end
		return false
	}
}

// kill is kill -9.
func (p *process) kill() error {
	return errors.Join(p.signal(syscall.SIGKILL), p.await())
}

// stop asks the process to end and gives how it did.
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
	case <-time.After(stopTimeout):
		return fmt.Errorf("%s does not end", p.cmd.Path)
	}
}

// output keeps the last of what a process prints, and tells of one line.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	from  int         // where the line is looked for
	mark  string      // what it contains
	found chan string // takes the rest of it, once
}

// keptOutput is how much is kept: the end of a story explains it.
const keptOutput = 256 << 10

// Write is io.Writer.
func (o *output) Write(p []byte) (int, error) {
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

// expect gives a channel that will hold the rest of the next line after a mark.
func (o *output) expect(mark string) <-chan string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from, o.mark, o.found = o.text.Len(), mark, make(chan string, 1)
	return o.found
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
