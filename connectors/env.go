package connectors

import (
	"context"
	"io"
	"log/slog"
	"net"
)

// Env is what the runtime lends to connectors, so that they need to know nothing of broker, storage or terminal.
type Env struct {
	// DialBroker connects to the embedded broker inside this process; nil when there is none.
	DialBroker func(ctx context.Context) (net.Conn, error)
	// BrokerAddr is the embedded broker's advertised seed address; connections to it go through DialBroker.
	BrokerAddr string
	Stdout     io.Writer // where the print connector writes
	Logger     *slog.Logger
}
