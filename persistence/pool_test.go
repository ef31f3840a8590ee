package persistence

import (
	"testing"
	"testing/synctest"
	"time"
)

// However many changes wait for the connection that writes, a group of sends waits for
// one of them.
func TestGroupsOfSendsPassChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		batch := &pool{kept: make(chan *conn, 1), acquire: time.Hour}
		batch.kept <- &conn{}
		write := batch.inTurn()
		order := make(chan string, 100)
		lend := func(p *pool, who string) {
			c, err := p.get(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			order <- who
			time.Sleep(time.Second)
			p.put(c)
		}
		for range 50 {
			go lend(write, "change")
			synctest.Wait()
		}
		go lend(batch, "sends")
		time.Sleep(time.Hour / 2)
		synctest.Wait()
		if len(order) != 51 {
			t.Fatalf("%d of 51 have had the connection", len(order))
		}
		for i := range 51 {
			if who := <-order; (who == "sends") != (i == 1) {
				t.Errorf("%s in place %d", who, i)
			}
		}
		if len(write.turn) != 0 || len(batch.kept) != 1 {
			t.Error("the connection has not come back")
		}
	})
}
