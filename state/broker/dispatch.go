package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Request keys the connection itself has to know.
const (
	keyProduce     int16 = 0
	keyAPIVersions int16 = 18
)

// featureTransactionVersion is the level of transaction.version announced to clients; 2 turns on KIP-890 (implicit partitions, an
// epoch per transaction). 0 announces nothing.
const featureTransactionVersion int16 = 0

// handler serves one request. It runs on the connection's reader goroutine, in the order the client sent its requests, and may
// block on local appends only. Whatever needs waiting goes into the reply's later part.
type handler func(b *Broker, r *request) reply

// reply is a handler's answer.
type reply struct {
	// resp is the answer if later is nil; both nil means no answer is sent (Produce with acks=0).
	resp kmsg.Response
	// later runs on the connection's writer goroutine when all earlier answers have left. It may block until ctx ends, which is when
	// the broker closes.
	later func(ctx context.Context) kmsg.Response
}

func ready(resp kmsg.Response) reply { return reply{resp: resp} }

func later(fn func(ctx context.Context) kmsg.Response) reply { return reply{later: fn} }

// requestSpec is a line of the dispatch table.
type requestSpec struct {
	key      int16
	name     string
	min, max int16 // versions served and advertised
	handle   handler
}

// dispatchTable lists every request served; ApiVersions advertises exactly this. Versions are those of Kafka 4.2 as far as the codec
// knows them. Produce versions 0 to 2 are advertised and refused, since old librdkafka takes their absence for a broker without
// compression.
var dispatchTable = []requestSpec{
	{18, "ApiVersions", 0, 4, handleAPIVersions},
}

// served is dispatchTable and requestsByKey its index. Both are filled by init because ApiVersions, which is in the table, reads them.
var (
	served        []requestSpec
	requestsByKey = map[int16]*requestSpec{}
)

func init() {
	served = dispatchTable
	for i := range served {
		requestsByKey[served[i].key] = &served[i]
	}
}

func findRequest(key int16) *requestSpec { return requestsByKey[key] }
