package broker

import (
	"context"
	"errors"
	"syscall"

	"github.com/millrace/millrace/state/broker/auth"
	"github.com/millrace/millrace/state/broker/quota"
	"github.com/millrace/millrace/state/log"
)

// Protocol error codes used by the handlers. The names are Kafka's.
const (
	errNone                    int16 = 0
	errUnknownServer           int16 = -1
	errOffsetOutOfRange        int16 = 1
	errCorruptMessage          int16 = 2
	errUnknownTopicOrPartition int16 = 3
	errNotLeader               int16 = 6
	errRequestTimedOut         int16 = 7
	errMessageTooLarge         int16 = 10
	errCoordinatorNotAvailable int16 = 15
	errInvalidTopic            int16 = 17
	errInvalidRequiredAcks     int16 = 21
	errUnsupportedVersion      int16 = 35
	errTopicAlreadyExists      int16 = 36
	errInvalidPartitions       int16 = 37
	errInvalidReplication      int16 = 38
	errInvalidReplicaAssign    int16 = 39
	errInvalidConfig           int16 = 40
	errInvalidRequest          int16 = 42
	errPolicyViolation         int16 = 44
	errUnsupportedForFormat    int16 = 43
	errOutOfOrderSequence      int16 = 45
	errInvalidProducerEpoch    int16 = 47
	errInvalidTxnState         int16 = 48
	errKafkaStorage            int16 = 56
	errFencedLeaderEpoch       int16 = 74
	errUnknownLeaderEpoch      int16 = 76
	errInvalidRecord           int16 = 87
	errUnknownTopicID          int16 = 100
)

// Errors of the Go API.
var (
	// ErrClosed: the broker is closed.
	ErrClosed = errors.New("broker is closed")
	// ErrUnknownTopic: there is no such topic or partition.
	ErrUnknownTopic = errors.New("unknown topic or partition")
	// ErrTopicExists: the topic is there already.
	ErrTopicExists = errors.New("topic already exists")
	// ErrInvalidTopic: the name is empty, too long or has characters other than letters, digits, '.', '_' and '-'.
	ErrInvalidTopic = errors.New("invalid topic name")
	// ErrInvalidPartitions: the partition count is zero, negative, too large, or smaller than before.
	ErrInvalidPartitions = errors.New("invalid number of partitions")
	// ErrInvalidConfig: an unknown topic setting or a value it does not take.
	ErrInvalidConfig = errors.New("invalid topic configuration")

	// errTooMany: a limit on what administrators store is reached.
	errTooMany = errors.New("too many entries")
)

// errorCodes maps errors to the wire; the first match wins.
var errorCodes = []struct {
	err  error
	code int16
}{
	{ErrUnknownTopic, errUnknownTopicOrPartition},
	{ErrTopicExists, errTopicAlreadyExists},
	{ErrInvalidTopic, errInvalidTopic},
	{ErrInvalidPartitions, errInvalidPartitions},
	{ErrInvalidConfig, errInvalidConfig},
	{errTooMany, errPolicyViolation},
	{auth.ErrInvalid, errInvalidRequest},
	{quota.ErrInvalid, errInvalidRequest},
	{log.ErrOffsetOutOfRange, errOffsetOutOfRange},
	{log.ErrBatchTooLarge, errMessageTooLarge},
	{log.ErrBadCRC, errCorruptMessage},
	{log.ErrShortBatch, errCorruptMessage},
	{log.ErrBadMagic, errUnsupportedForFormat},
	{log.ErrInvalidBatch, errInvalidRecord},
	{log.ErrSequenceGap, errOutOfOrderSequence},
	{log.ErrProducerFenced, errInvalidProducerEpoch},
	{log.ErrTxnState, errInvalidTxnState},
	{log.ErrFailed, errKafkaStorage},
	{log.ErrDiskFull, errKafkaStorage},
	{syscall.ENOSPC, errKafkaStorage},
	{syscall.EDQUOT, errKafkaStorage},
	{log.ErrClosed, errNotLeader}, // deleted or shutting down: clients refresh metadata and retry
	{context.DeadlineExceeded, errRequestTimedOut},
	{context.Canceled, errNotLeader},
}

// errorCode is the protocol code for err.
func errorCode(err error) int16 {
	if err == nil {
		return errNone
	}
	for _, m := range errorCodes {
		if errors.Is(err, m.err) {
			return m.code
		}
	}
	return errUnknownServer
}

// errorMessage is the text sent along with a code, nil for success.
func errorMessage(err error) *string {
	if err == nil {
		return nil
	}
	s := err.Error()
	return &s
}
