package log

import "errors"

// Errors of a log's state. Callers match them with errors.Is.
var (
	// ErrClosed: the log is closed or deleted.
	ErrClosed = errors.New("log is closed")
	// ErrOffsetOutOfRange: the offset lies before the log start or after its end.
	ErrOffsetOutOfRange = errors.New("offset is out of range")
	// ErrBatchTooLarge: the batch exceeds Options.MaxBatchBytes.
	ErrBatchTooLarge = errors.New("record batch exceeds the largest size allowed")
	// ErrSequenceGap: an idempotent producer skipped or repeated sequence numbers (protocol error 45).
	ErrSequenceGap = errors.New("sequence number is out of order")
	// ErrProducerFenced: a newer epoch of this producer has written already (protocol error 47).
	ErrProducerFenced = errors.New("producer epoch is stale")
	// ErrTxnState: the batch does not fit the producer's transaction, e.g. a plain batch inside one (protocol error 48).
	ErrTxnState = errors.New("batch does not fit the producer's transaction")
	// ErrCorrupt: data below a durable checkpoint are missing or damaged. The log refuses to open rather than lose them silently.
	ErrCorrupt = errors.New("log is damaged below its checkpoint")
	// ErrDiskFull: there was no room for the batch. Nothing of it is left, reads go on, and appends work again once there is room.
	ErrDiskFull = errors.New("disk is full")
	// ErrFailed: a write or fsync failed earlier; the state of the page cache is unknown, so the log stays read-only until reopened.
	ErrFailed = errors.New("log stopped after an input/output error")
)
