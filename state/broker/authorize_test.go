package broker

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

// codesIn gathers every error code in a response, at any depth.
func codesIn(v reflect.Value, out []int16) []int16 {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			out = codesIn(v.Elem(), out)
		}
	case reflect.Slice:
		for i := range v.Len() {
			out = codesIn(v.Index(i), out)
		}
	case reflect.Struct:
		if f, ok := v.Addr().Interface().(*fetchReply); ok {
			for _, t := range f.topics {
				for _, p := range t.parts {
					out = append(out, p.err)
				}
			}
			return out
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name == "ErrorCode" || f.Name == "ConfigErrorCode" {
				out = append(out, int16(v.Field(i).Int()))
			} else if f.IsExported() {
				out = codesIn(v.Field(i), out)
			}
		}
	}
	return out
}

var refusals = []int16{errTopicAuthorization, errGroupAuthorization, errClusterAuthorization, errTxnIDAuthorization}

func codesOf(resp kmsg.Response) []int16 { return codesIn(reflect.ValueOf(resp), nil) }

func refused(resp kmsg.Response) bool {
	return slices.ContainsFunc(codesIn(reflect.ValueOf(resp), nil), func(c int16) bool { return slices.Contains(refusals, c) })
}

// hides are the requests that leave out what the sender may not know of, instead of refusing; size tells how much they answer.
var hides = map[int16]func(r kmsg.Response) int{
	16: func(r kmsg.Response) int { return len(r.(*kmsg.ListGroupsResponse).Groups) },
	35: func(r kmsg.Response) int { return len(r.(*kmsg.DescribeLogDirsResponse).Dirs) },
	66: func(r kmsg.Response) int { return len(r.(*kmsg.ListTransactionsResponse).TransactionStates) },
}

func secureBroker(t testing.TB) *Broker {
	t.Helper()
	b, err := Open(Options{DataDir: t.TempDir(), Security: Security{ACLs: true, SuperUsers: []string{"User:root"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(context.Background()) })
	for _, name := range []string{"t", "gone"} {
		if err := b.CreateTopic(name, 1, nil); err != nil {
			t.Fatal(err)
		}
	}
	// A group and a transactional id, for the requests that list them.
	for _, key := range []int16{8, 22} {
		if refused(answerOf(t, b, &plainListener, "User:root", sample(b, key, findRequest(key).max))) {
			t.Fatal("a super user is refused")
		}
	}
	return b
}

var plainListener = listener{opts: Listener{Name: "test", Protocol: Plaintext}}

// grant gives ann the rights, at the resources samples name.
func grant(t testing.TB, b *Broker, list rights) {
	t.Helper()
	names := map[kmsg.ACLResourceType]string{kmsg.ACLResourceTypeCluster: auth.ClusterName}
	all := auth.Filter{Resource: 1, Pattern: 1, Operation: 1, Permission: 1}
	var add []auth.Binding
	for _, a := range list {
		name := names[a.resource]
		if name == "" {
			name = auth.Wildcard
		}
		add = append(add, auth.Binding{Resource: a.resource, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Principal: "User:ann", Host: "*", Operation: a.op, Permission: kmsg.ACLPermissionTypeAllow})
	}
	if err := b.security.changeACLs(b.ctx, nil, b.security.findACLs(&all)); err != nil {
		t.Fatal(err)
	}
	if err := b.security.changeACLs(b.ctx, add, nil); err != nil {
		t.Fatal(err)
	}
}

// TestAuthorization holds every request, in every version, to the rights it claims to need: with all of them it is not refused, and
// without any one of them it is. A request without a line of rights, or without a sample, fails here.
func TestAuthorization(t *testing.T) {
	b := secureBroker(t)
	for i := range dispatchTable {
		s := &dispatchTable[i]
		t.Run(s.name, func(t *testing.T) {
			if s.needs == nil {
				t.Fatal("the table does not say what rights it needs")
			}
			for v := s.min; v <= s.max; v++ {
				if s.key == keyProduce && v < oldestProduce {
					continue
				}
				needs := s.needs
				if s.key == 24 && v >= 4 { // between brokers
					needs = append(rights{clusterAction}, needs...)
				}
				if s.key == 19 { // settings are listed to those who may see them
					needs = append(rights{topicDescribeConfigs}, needs...)
				}
				check := func(have rights, want bool, what string) {
					t.Helper()
					grant(t, b, have)
					req := sample(b, s.key, v)
					if req == nil {
						t.Fatal("no sample request")
					}
					resp := answerOf(t, b, &plainListener, "User:ann", req)
					got := refused(resp)
					if size := hides[s.key]; size != nil {
						got = got || size(resp) == 0
					}
					if got != want {
						t.Errorf("version %d %s: refused is %v: %s", v, what, got, describe(resp))
					}
				}
				check(needs, false, "with every right")
				for i := range needs {
					missing := needs[i]
					if s.key == 19 && i == 0 && v < 5 {
						continue // no settings in the answer
					}
					check(slices.Delete(slices.Clone(needs), i, i+1), true, fmt.Sprintf("without %s on %s", missing.op, missing.resource))
				}
			}
		})
	}
}

func describe(r kmsg.Response) string {
	return fmt.Sprintf("codes %v", codesIn(reflect.ValueOf(r), nil))
}

// nullable are slices that may be nil: a tagged field is left out then, and the other is of a version that is not served.
var nullable = map[string]bool{"Produce.Brokers": true, "ListOffsets.Topics.Partitions.OldStyleOffsets": true}

// TestNoNullArrays: no answer holds a nil slice, which the codec would write as null where Java's tools expect an array.
func TestNoNullArrays(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	for i := range dispatchTable {
		s := &dispatchTable[i]
		if s.key == keyFetch {
			continue // encoded by hand, see TestFetchEncoding
		}
		for v := s.min; v <= s.max; v++ {
			empty := kmsg.RequestForKey(s.key)
			empty.SetVersion(v)
			for _, req := range []kmsg.Request{empty, sample(b, s.key, v)} {
				if p, ok := req.(*kmsg.ProduceRequest); ok {
					p.Acks = -1
				}
				for _, path := range nilSlices(reflect.ValueOf(answerOf(t, b, &memoryListener, auth.Anonymous, req)).Elem(), s.name) {
					if !nullable[path] {
						t.Errorf("version %d: %s is null", v, path)
						nullable[path] = true // once is enough
					}
				}
			}
		}
	}
}

// nilSlices lists the paths of nil slices.
func nilSlices(v reflect.Value, path string) (out []string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			out = nilSlices(v.Elem(), path)
		}
	case reflect.Slice:
		if v.IsNil() {
			return []string{path}
		}
		for i := range v.Len() {
			out = append(out, nilSlices(v.Index(i), path)...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "UnknownTags" {
				out = append(out, nilSlices(v.Field(i), path+"."+f.Name)...)
			}
		}
	}
	return out
}
