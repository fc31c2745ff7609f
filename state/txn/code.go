package txn

// Code is a Kafka protocol error code; zero is success.
type Code int16

// The codes this package answers with. Where old protocol versions know
// InvalidProducerEpoch instead of ProducerFenced the caller translates.
const (
	None                      Code = 0
	CoordinatorNotAvailable   Code = 15
	InvalidRequest            Code = 42
	InvalidProducerEpoch      Code = 47
	InvalidTxnState           Code = 48
	InvalidProducerIDMapping  Code = 49
	InvalidTransactionTimeout Code = 50
	ConcurrentTransactions    Code = 51
	ProducerFenced            Code = 90
	TransactionalIDNotFound   Code = 105
	TransactionAbortable      Code = 120
)

// String names the code as Kafka's documentation does.
func (c Code) String() string {
	if n, ok := codeNames[c]; ok {
		return n
	}
	return "UNKNOWN"
}

var codeNames = map[Code]string{
	None:                      "NONE",
	CoordinatorNotAvailable:   "COORDINATOR_NOT_AVAILABLE",
	InvalidRequest:            "INVALID_REQUEST",
	InvalidProducerEpoch:      "INVALID_PRODUCER_EPOCH",
	InvalidTxnState:           "INVALID_TXN_STATE",
	InvalidProducerIDMapping:  "INVALID_PRODUCER_ID_MAPPING",
	InvalidTransactionTimeout: "INVALID_TRANSACTION_TIMEOUT",
	ConcurrentTransactions:    "CONCURRENT_TRANSACTIONS",
	ProducerFenced:            "PRODUCER_FENCED",
	TransactionalIDNotFound:   "TRANSACTIONAL_ID_NOT_FOUND",
	TransactionAbortable:      "TRANSACTION_ABORTABLE",
}
