package log

// epochEntry says at which offset the batches of a leader epoch begin. Epochs and offsets both ascend in Log.epochs.
type epochEntry struct {
	epoch int32
	start int64
}

// noteEpoch records the epoch of a batch. Caller holds mu.
func (l *Log) noteEpoch(epoch int32, offset int64) {
	if n := len(l.epochs); epoch >= 0 && (n == 0 || l.epochs[n-1].epoch < epoch) {
		l.epochs = append(l.epochs, epochEntry{epoch, offset})
	}
}

// lastEpoch is the newest leader epoch, -1 in an empty log. Caller holds mu.
func (l *Log) lastEpoch() int32 {
	if n := len(l.epochs); n > 0 {
		return l.epochs[n-1].epoch
	}
	return -1
}

// EpochEnd answers OffsetForLeaderEpoch: the largest known epoch ≤ the one asked for, and the offset where it ended. Both are -1
// if the log knows no such epoch.
func (l *Log) EpochEnd(epoch int32) (int32, int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for i := len(l.epochs) - 1; i >= 0; i-- {
		if l.epochs[i].epoch > epoch {
			continue
		}
		if i == len(l.epochs)-1 {
			return l.epochs[i].epoch, l.next
		}
		return l.epochs[i].epoch, l.epochs[i+1].start
	}
	return -1, -1
}
