package e2e

import (
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
)

// span is what the test looks at.
type span struct{ trace, id, parent, name, node string }

// traces is an OpenTelemetry collector.
type traces struct {
	mu    sync.Mutex
	spans []span
	bad   []error
}

func (c *traces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var batch collector.ExportTraceServiceRequest
	data, err := io.ReadAll(r.Body)
	if err == nil {
		err = proto.Unmarshal(data, &batch)
	}
	if err != nil {
		c.bad = append(c.bad, err)
	}
	for _, of := range batch.GetResourceSpans() {
		node := ""
		for _, a := range of.GetResource().GetAttributes() {
			if a.GetKey() == "service.instance.id" {
				node = a.GetValue().GetStringValue()
			}
		}
		for _, in := range of.GetScopeSpans() {
			for _, s := range in.GetSpans() {
				c.spans = append(c.spans, span{hex.EncodeToString(s.GetTraceId()), hex.EncodeToString(s.GetSpanId()),
					hex.EncodeToString(s.GetParentSpanId()), s.GetName(), node})
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// named returns the spans of a name, by node.
func (c *traces) named(name string) map[string]span {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]span{}
	for _, s := range c.spans {
		if s.name == name {
			found[s.node] = s
		}
	}
	return found
}

// TestOneTraceAcrossNodes follows one send from its frame on one node to the commit,
// over the bus to the sockets on all nodes, and into the index. The timeline of the
// message tells the same story.
func TestOneTraceAcrossNodes(t *testing.T) {
	t.Parallel()
	seen := &traces{}
	at := httptest.NewServer(seen)
	t.Cleanup(at.Close)
	s := begin(t, cluster.Config{Env: []string{"FECHATTER_TRACING=" + at.URL, "FECHATTER_TRACE_RATIO=1", "OTEL_BSP_SCHEDULE_DELAY=50"}})
	ada, bob := client.SignUp(t, s.Nodes[0].URL(), "ada"), client.SignUp(t, s.Nodes[1].URL(), "bob")
	chatID := ada.Group(bob)
	here, there, beside := ada.Fresh(), bob.Fresh(), bob.On(s.Nodes[2].URL()).Fresh()
	sent := here.OK("message.send", map[string]any{"chat_id": chatID, "key": client.NewKey(), "body": "follow me"})
	there.Want("message.created")
	beside.Want("message.created")
	id, _ := sent.Field(t, "message_id").(string)
	judgeTimeline(t, passed(t, ada, id, len(s.Nodes)))
	eventually(t, "indexed", func() bool { return len(seen.named("index")) > 0 })
	var stops errgroup.Group
	for _, n := range s.Nodes {
		stops.Go(n.Stop) // a node sends its last spans when it ends
	}
	s.must(stops.Wait())

	if len(seen.bad) > 0 {
		t.Fatal(seen.bad)
	}
	sends, deliveries := seen.named("message.send"), seen.named("deliver")
	if len(sends) != 1 || len(deliveries) != 3 {
		t.Fatalf("%d sends on nodes, delivered on %d, want 1 and 3: %+v", len(sends), len(deliveries), seen.spans)
	}
	for node, root := range sends {
		commit, publish := seen.named("commit")[node], seen.named("publish")[node]
		if root.parent != "" || commit.parent != root.id || publish.parent != root.id {
			t.Errorf("the commit and the publication are not parts of the send: %+v", seen.spans)
		}
		parts := slices.AppendSeq(slices.Collect(maps.Values(deliveries)), maps.Values(seen.named("index")))
		for _, part := range parts {
			if part.trace != root.trace || part.parent != publish.id {
				t.Errorf("%+v is not part of %+v", part, publish)
			}
		}
	}
}
