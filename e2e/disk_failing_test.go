package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fechatter/conform/client"
)

// TestFailingDisk runs a node on an ext4 disk whose fsync fails for some seconds and then
// works again. Everything acknowledged before, meanwhile and after is there when the
// power goes and the disk is mounted again.
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a node")
	}
	d := mountFlaky(t)
	n := start(t, d.dir)
	ada := client.SignUp(t, n.url, "ada")
	chatID := ada.Group()
	c := newCrowd(n.url, ada.Token, chatID)
	defer c.stop()
	c.send(200)
	c.await(t)
	d.fail()
	c.send(50)
	eventually(t, "unready", func() bool { return n.status("/readyz") == http.StatusServiceUnavailable })
	if n.status("/livez") != http.StatusOK {
		t.Error("not alive")
	}
	d.mend()
	c.send(300)
	c.await(t)
	n.awaitReady()
	n.kill()
	d.remount()
	ada.URL = start(t, d.dir).url
	checkHistory(t, ada, chatID, c.made)
	checkEvents(t, ada, chatID)
	for i := 0; i < len(c.made); i += 25 { // the index was on that disk, too
		a := c.made[i]
		eventually(t, "finding "+a.key, func() bool {
			var page struct {
				Hits []struct{ Message struct{ ID string } }
			}
			answer := ada.Ask("GET", "/search?q="+url.QueryEscape(`"`+a.key+`"`), nil)
			return answer.Status == http.StatusOK && json.Unmarshal(answer.Body, &page) == nil && len(page.Hits) > 0 && page.Hits[0].Message.ID == a.id
		})
	}
}

// TestDiskThatKeepsFailing: the process ends, and says why.
func TestDiskThatKeepsFailing(t *testing.T) {
	if os.Getenv("FECHATTER_ALL_SCENARIOS") == "" {
		t.Skip("takes half a minute: FECHATTER_ALL_SCENARIOS=1 runs it")
	}
	t.Parallel()
	d := mountFlaky(t)
	n := start(t, d.dir)
	ada := client.SignUp(t, n.url, "ada")
	c := newCrowd(n.url, ada.Token, ada.Group())
	defer c.stop()
	c.send(200)
	c.await(t)
	d.fail()
	c.send(50)
	const reason = "the disk has failed for 30s, so that nothing can be kept"
	if err := n.await(); err == nil || !strings.Contains(n.log.String(), reason) {
		t.Errorf("ended with %v", err)
	}
}

// crowd sends from several places at once, and repeats what was not acknowledged.
type crowd struct {
	wanted chan *attempt
	ended  chan struct{}
	all    sync.WaitGroup // those who send
	due    atomic.Int64   // attempts that are not acknowledged
	made   []*attempt
}

func newCrowd(url, token, chatID string) *crowd {
	c := &crowd{wanted: make(chan *attempt, 1000), ended: make(chan struct{})}
	for range 4 {
		c.all.Go(func() {
			for {
				select {
				case a := <-c.wanted:
					for !a.send(url, token, chatID) {
						select {
						case <-c.ended:
							return
						default:
						}
					}
					c.due.Add(-1)
				case <-c.ended:
					return
				}
			}
		})
	}
	return c
}

// send makes the crowd send n messages more.
func (c *crowd) send(n int) {
	c.due.Add(int64(n))
	for range n {
		a := &attempt{key: fmt.Sprintf("message-%d", len(c.made))}
		c.made = append(c.made, a)
		c.wanted <- a
	}
}

// await waits until everything is acknowledged.
func (c *crowd) await(t *testing.T) {
	t.Helper()
	eventually(t, "everything acknowledged", func() bool { return c.due.Load() == 0 })
}

func (c *crowd) stop() {
	close(c.ended)
	c.all.Wait()
}

// flakyDisk is an ext4 file system in a file, on a memory disk whose size can be changed:
// too small, it has no room for what ext4 believes to be free, so that fsync fails.
type flakyDisk struct {
	t                        *testing.T
	under, image, dir, roomy string
}

// mountFlaky needs root.
func mountFlaky(t *testing.T) *flakyDisk {
	t.Helper()
	d := &flakyDisk{t: t, under: t.TempDir(), dir: t.TempDir(), roomy: "size=64m"}
	d.image = filepath.Join(d.under, "disk")
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", d.roomy, "tmpfs", d.under).CombinedOutput(); err != nil {
		t.Skipf("no disk can be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() { d.run("umount", "-l", d.under) })
	if err := os.WriteFile(d.image, make([]byte, 40<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=0", d.image).CombinedOutput(); err != nil {
		t.Skipf("no ext4 here: %v: %s", err, out)
	}
	d.fillHoles()
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		t.Skipf("no loop device here: %v: %s", err, out)
	}
	t.Cleanup(func() { d.run("umount", "-l", d.dir) })
	d.onePage()
	return d
}

// fillHoles makes all blocks exist, so that ext4's own never fail.
func (d *flakyDisk) fillHoles() {
	content, err := os.ReadFile(d.image)
	if err == nil {
		var f *os.File
		if f, err = os.OpenFile(d.image, os.O_WRONLY, 0); err == nil {
			_, err = f.Write(content)
			err = errors.Join(err, f.Close())
		}
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// onePage keeps requests to one page: the loop device takes a short write for a whole one.
func (d *flakyDisk) onePage() {
	device := filepath.Base(strings.TrimSpace(d.run("findmnt", "-n", "-o", "SOURCE", d.dir)))
	if err := os.WriteFile(filepath.Join("/sys/block", device, "queue", "max_sectors_kb"), []byte("4"), 0); err != nil {
		d.t.Fatal(err)
	}
}

// fail gives back what ext4 does not use, and leaves no room to get it again. Whatever is
// written in between takes some of it: a tmpfs refuses to be smaller than what it holds.
func (d *flakyDisk) fail() {
	eventually(d.t, "the disk is as small as what it holds", func() bool {
		d.run("fstrim", d.dir)
		used := strings.Fields(d.run("df", "--output=used", "--block-size=4096", d.under))[1]
		return exec.Command("mount", "-o", "remount,nr_blocks="+used, d.under).Run() == nil
	})
}

func (d *flakyDisk) mend() { d.run("mount", "-o", "remount,"+d.roomy, d.under) }

// remount is a reboot, as far as the disk is concerned.
func (d *flakyDisk) remount() {
	d.run("umount", d.dir)
	d.run("mount", "-o", "loop", d.image, d.dir)
	d.onePage()
}

func (d *flakyDisk) run(name string, args ...string) string {
	d.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return string(out)
}
