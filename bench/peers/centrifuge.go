package peers

import (
	"context"
	"net/http"

	"github.com/centrifugal/centrifuge"
)

// Channel is what clients of centrifuge subscribe and publish to.
const Channel = "room"

// newCentrifuge is the library beneath Centrifugo, with its JSON protocol and in-memory
// engine. Tuned, it spends less memory on a connection.
func newCentrifuge(tuned bool) (http.Handler, error) {
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelError})
	if err != nil {
		return nil, err
	}
	reply := centrifuge.ConnectReply{
		Credentials:    &centrifuge.Credentials{UserID: "someone"},
		PingPongConfig: &centrifuge.PingPongConfig{PingInterval: -1}, // heartbeats are not what is measured
	}
	ws := centrifuge.WebsocketConfig{CheckOrigin: func(*http.Request) bool { return true }, MessageSizeLimit: maxMessage}
	if tuned {
		reply.ReplyWithoutQueue, reply.QueueInitialCap = true, 1
		ws.UseWriteBufferPool, ws.ReadBufferSize, ws.WriteBufferSize = true, 512, 1024
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) { return reply, nil })
	node.OnConnect(func(c *centrifuge.Client) {
		c.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
			done(centrifuge.SubscribeReply{}, nil)
		})
		c.OnPublish(func(_ centrifuge.PublishEvent, done centrifuge.PublishCallback) { done(centrifuge.PublishReply{}, nil) })
	})
	if err := node.Run(); err != nil {
		return nil, err
	}
	return centrifuge.NewWebsocketHandler(node, ws), nil
}
