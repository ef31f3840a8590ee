package main

import "math"

// costs are what one of each takes: microseconds of a processor, unless another unit is named.
type costs struct {
	BaseMB       float64 `json:"base_mb"`        // resident, of a node without connections
	ConnectionKB float64 `json:"connection_kb"`  // resident, of an idle connection
	Base         float64 `json:"base_us_s"`      // of a node in each second
	Idle         float64 `json:"idle_us_s"`      // of a connection in each second
	Stream       float64 `json:"stream_us_s"`    // of a node for the position of an open chat, in each second
	Send         float64 `json:"send_us"`        // of the node that takes a message
	Delivery     float64 `json:"delivery_us"`    // of a node, to one connection
	Event        float64 `json:"event_us"`       // of a node that gets a message from another
	Resume       float64 `json:"resume_us"`      // of a node: connect, log in by token, catch up
	PGSend       float64 `json:"pg_send_us"`     // of PostgreSQL
	PGResume     float64 `json:"pg_resume_us"`   // of PostgreSQL
	PGStream     float64 `json:"pg_stream_us_s"` // of PostgreSQL for each chat open on a node, in each second
	PGBase       float64 `json:"pg_base_us_s"`   // of PostgreSQL for each node, in each second
	PGIdle       float64 `json:"pg_idle_us_s"`   // of PostgreSQL for an idle connection, in each second
	NATSIdle     float64 `json:"nats_idle_us_s"` // of NATS for an idle connection, in each second
	NATSEvent    float64 `json:"nats_event_us"`  // of NATS: a message in, and out to one node
	EventBytes   float64 `json:"event_bytes"`    // of a message on the bus
	RowBytes     float64 `json:"row_bytes"`      // of PostgreSQL's tables and indexes for a message
}

type cost struct {
	value float64
	unit  string
	of    string
}

func (c costs) list() []cost {
	const us, second = "µs", "µs/s"
	return []cost{
		{c.BaseMB, "MB", "a node without connections"}, {c.ConnectionKB, "KB", "an idle connection"},
		{c.Base, second, "a node without connections"}, {c.Idle, second, "an idle connection"}, {c.Stream, second, "a chat open on a node, its node"},
		{c.Send, us, "a send, its node"}, {c.Delivery, us, "a delivery"}, {c.Event, us, "an event from another node"}, {c.Resume, us, "a resume, its node"},
		{c.PGSend, us, "a send, PostgreSQL"}, {c.PGResume, us, "a resume, PostgreSQL"}, {c.PGStream, second, "a chat open on a node, PostgreSQL"}, {c.PGBase, second, "a node, PostgreSQL"}, {c.PGIdle, second, "an idle connection, PostgreSQL"},
		{c.NATSIdle, second, "an idle connection, NATS"},
		{c.NATSEvent, us, "an event to one node, NATS"}, {c.EventBytes, "B", "an event on the bus"}, {c.RowBytes, "B", "a message in PostgreSQL"},
	}
}

// streamMicros is Stream and PGStream, too little to be measured beside the rest: 10,000 quiet
// chats take 0.4 to 0.6 % of a core (README.md, position check), and the model takes the larger
// for either side.
const streamMicros = 0.6

// workload is what connections do at the peak.
type workload struct {
	SendsPerHour   float64 // of a connection
	Audience       float64 // connections that get a message
	Chats          float64 // of a connection
	ResumesPerHour float64 // of a connection
}

// machine is what a node may use.
type machine struct {
	Cores, GB float64
	Busy      float64 // the share of both at the peak
	Back      float64 // seconds within which the others take the connections of one that died
}

// prediction is what the model says. All rates are per second.
type prediction struct {
	Connections  float64 `json:"connections"`
	Nodes        float64 `json:"nodes"`
	NodeCores    float64 `json:"node_cores"` // busy, of all nodes together
	NodeGB       float64 `json:"node_gb"`    // resident, of each
	Back         float64 `json:"back_s"`     // until the others have taken the connections of one that died
	Sends        float64 `json:"sends_per_s"`
	Deliveries   float64 `json:"deliveries_per_s"`
	Resumes      float64 `json:"resumes_per_s"`
	Events       float64 `json:"events_per_s"` // that nodes get from others
	Streams      float64 `json:"open_chats"`   // over all nodes: a chat counts on each where it is open
	PGCores      float64 `json:"pg_cores"`
	PGCheckCores float64 `json:"pg_check_cores"` // of these, for positions
	PGGBPerDay   float64 `json:"pg_gb_per_day"`  // at the peak rate all day
	NATSCores    float64 `json:"nats_cores"`
	NATSMB       float64 `json:"nats_mb_per_s"`
}

type predictedFigure struct {
	title string
	of    func(prediction) float64
}

func predictedFigures() []predictedFigure {
	return []predictedFigure{
		{"nodes", func(p prediction) float64 { return p.Nodes }},
		{"busy cores of all nodes", func(p prediction) float64 { return p.NodeCores }},
		{"GB of a node", func(p prediction) float64 { return p.NodeGB }},
		{"s until the others have a dead node's connections", func(p prediction) float64 { return p.Back }},
		{"sends/s", func(p prediction) float64 { return p.Sends }},
		{"deliveries/s", func(p prediction) float64 { return p.Deliveries }},
		{"resumes/s", func(p prediction) float64 { return p.Resumes }},
		{"events/s from node to node", func(p prediction) float64 { return p.Events }},
		{"chats open, over all nodes", func(p prediction) float64 { return p.Streams }},
		{"busy cores of PostgreSQL", func(p prediction) float64 { return p.PGCores }},
		{"of these, for positions", func(p prediction) float64 { return p.PGCheckCores }},
		{"GB a day in PostgreSQL", func(p prediction) float64 { return p.PGGBPerDay }},
		{"busy cores of NATS", func(p prediction) float64 { return p.NATSCores }},
		{"MB/s through NATS", func(p prediction) float64 { return p.NATSMB }},
	}
}

// predict finds the fewest nodes, two at least, that bear the connections.
func predict(c costs, w workload, m machine, connections float64) prediction {
	for nodes := 2.0; ; nodes++ {
		p := predictOn(c, w, connections, nodes)
		// What the others do not use at the peak is left for those who come back.
		p.Back = connections / nodes * c.Resume / 1e6 / ((nodes - 1) * m.Cores * (1 - m.Busy))
		if p.NodeCores <= nodes*m.Cores*m.Busy && p.NodeGB <= m.GB*m.Busy && p.Back <= m.Back || nodes == maxNodes {
			return p
		}
	}
}

// maxNodes is where predict gives up: more nodes need not help, since each adds events and checks.
const maxNodes = 10_000

// predictOn is the model: see docs/scale.md, which has its formulas.
func predictOn(c costs, w workload, connections, nodes float64) prediction {
	const hour, day = 3600, 86400
	p := prediction{Connections: connections, Nodes: nodes,
		Sends: connections * w.SendsPerHour / hour, Resumes: connections * w.ResumesPerHour / hour}
	p.Deliveries = p.Sends * w.Audience
	open := func(connections float64) float64 { return 1 - math.Pow(1-1/nodes, connections) } // that a node has one of them
	p.Events = p.Sends * (nodes - 1) * open(w.Audience-1)
	p.Streams = connections * w.Chats / w.Audience * nodes * open(w.Audience)
	cores := func(micros float64) float64 { return micros / 1e6 }
	p.NodeCores = cores(nodes*c.Base + connections*c.Idle + p.Streams*c.Stream + p.Sends*c.Send + p.Deliveries*c.Delivery + p.Events*c.Event + p.Resumes*c.Resume)
	p.NodeGB = c.BaseMB/1024 + connections/nodes*c.ConnectionKB/(1<<20)
	p.PGCheckCores = cores(p.Streams * c.PGStream)
	p.PGCores = cores(nodes*c.PGBase+connections*c.PGIdle+p.Sends*c.PGSend+p.Resumes*c.PGResume) + p.PGCheckCores
	p.PGGBPerDay = p.Sends * day * c.RowBytes / (1 << 30)
	p.NATSCores = cores(connections*c.NATSIdle + p.Events*c.NATSEvent)
	p.NATSMB = (p.Sends + p.Events) * c.EventBytes / (1 << 20)
	return p
}
