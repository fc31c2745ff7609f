package broker

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleDescribeLogDirs lists the sizes of partitions in the one data directory.
func handleDescribeLogDirs(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DescribeLogDirsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
	resp.Dirs = []kmsg.DescribeLogDirsResponseDir{}
	if resp.ErrorCode = r.cluster(kmsg.ACLOperationDescribe); resp.ErrorCode != errNone {
		return ready(resp) // before version 3 the empty list must do
	}
	dir := kmsg.NewDescribeLogDirsResponseDir()
	dir.Dir, dir.Topics = b.opts.DataDir, []kmsg.DescribeLogDirsResponseDirTopic{}
	names, want := b.topicNames(), map[string][]int32{}
	if req.Topics != nil {
		names = nil
		for _, t := range req.Topics {
			names = append(names, t.Topic)
			want[t.Topic] = t.Partitions
		}
	}
	for _, name := range names {
		t, parts := b.findTopic(name, topicID{})
		if t == nil {
			continue
		}
		rt := kmsg.NewDescribeLogDirsResponseDirTopic()
		rt.Topic, rt.Partitions = name, []kmsg.DescribeLogDirsResponseDirTopicPartition{}
		for _, p := range parts {
			if req.Topics != nil && !slices.Contains(want[name], p.index) {
				continue
			}
			rp := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
			rp.Partition, rp.Size = p.index, p.log.Size()
			rt.Partitions = append(rt.Partitions, rp)
		}
		dir.Topics = append(dir.Topics, rt)
	}
	resp.Dirs = append(resp.Dirs, dir)
	return ready(resp)
}
