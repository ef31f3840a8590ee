package e2e

import (
	"net/http"
	"testing"

	"fechatter/conform/client"
)

// stages is what one node says about a message. What did not happen there is empty.
type stages struct {
	Node        string
	ReceivedAt  string `json:"received_at"`
	CommittedAt string `json:"committed_at"`
	PublishedAt string `json:"published_at"`
	DeliveredAt string `json:"delivered_at"`
	Connections int
	IndexedAt   string `json:"indexed_at"`
}

// passed waits until so many nodes have delivered a message and one has indexed it,
// and returns what each of them says.
func passed(t *testing.T, admin *client.Person, messageID string, nodes int) []stages {
	t.Helper()
	var got struct{ Nodes []stages }
	eventually(t, "passed on and indexed", func() bool {
		got.Nodes = nil
		if a := admin.Ask("GET", "/messages/"+messageID+"/timeline", nil); a.Status == http.StatusOK {
			a.Read(t, &got)
		}
		delivered, indexed := 0, 0
		for _, n := range got.Nodes {
			if n.DeliveredAt != "" {
				delivered++
			}
			if n.IndexedAt != "" {
				indexed++
			}
		}
		return delivered == nodes && indexed == 1
	})
	return got.Nodes
}

// judgeTimeline compares what the nodes say with a send on one node that went to one
// connection of each.
func judgeTimeline(t *testing.T, nodes []stages) {
	t.Helper()
	names := map[string]bool{}
	for i, n := range nodes {
		names[n.Node] = true
		first := i == 0 // on one machine the clocks are the same
		if n.Connections != 1 || (n.ReceivedAt != "") != first || (n.CommittedAt != "") != first || (n.PublishedAt != "") != first {
			t.Errorf("node %d of the timeline: %+v", i, n)
		}
		if n.DeliveredAt < nodes[0].PublishedAt || nodes[0].PublishedAt < nodes[0].CommittedAt || nodes[0].CommittedAt < nodes[0].ReceivedAt {
			t.Errorf("out of order: %+v", nodes)
		}
	}
	if len(names) != len(nodes) {
		t.Errorf("a node answered twice: %+v", nodes)
	}
}
