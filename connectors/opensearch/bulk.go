package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/millrace/millrace/connectors/format"
)

// maxAnswer bounds the bytes of an answer that are read.
const maxAnswer = 256 << 20

// verdict is what an answer says about one item.
type verdict uint8

const (
	done     verdict = iota // written, deleted, or there already
	retry                   // not now
	rejected                // never
)

// ruling is the verdict on one item with the reason, if there is one.
type ruling struct {
	verdict verdict
	reason  string
}

// outcome is what became of one bulk request.
type outcome struct {
	items    []*item
	rulings  []ruling // one per item; nil when the request failed as a whole
	bytes    int      // of the request
	overload bool     // the cluster asks for less
	tooLarge bool     // 413
	unfit    bool     // the request was refused for something in it: find out in what by halving it
	fatal    error    // trying again is useless
	err      error    // why the request failed, or why some items have to be tried again
}

// appendBulk appends the lines of one item to the body of a bulk request.
func appendBulk(dst []byte, it *item, version uint64) []byte {
	if it.kind == kindDelete {
		dst = append(dst, `{"delete":{"_index":`...)
	} else {
		dst = append(dst, `{"index":{"_index":`...)
	}
	dst = format.AppendJSONString(dst, it.index)
	dst = format.AppendJSONString(append(dst, `,"_id":`...), it.id)
	dst = strconv.AppendUint(append(dst, `,"version":`...), version, 10)
	dst = append(dst, `,"version_type":"external"`...)
	if len(it.routing) > 0 {
		dst = format.AppendJSONString(append(dst, `,"routing":`...), it.routing)
	}
	dst = append(dst, "}}\n"...)
	if it.kind == kindDelete {
		return dst
	}
	return append(append(dst, it.doc...), '\n')
}

// send makes one bulk request of items.
func (s *sink) send(ctx context.Context, items []*item, version uint64) outcome {
	size := 0
	for _, it := range items {
		size += it.size()
	}
	body := make([]byte, 0, size)
	for _, it := range items {
		body = appendBulk(body, it, version)
	}
	out := outcome{items: items, bytes: len(body)}
	ctx, cancel := context.WithTimeout(ctx, s.opts.requestTimeout)
	defer cancel()
	target := "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"
	if s.opts.refresh != "false" {
		target += "&refresh=" + s.opts.refresh
	}
	status, answer, err := s.request(ctx, http.MethodPost, target, body)
	if err != nil {
		out.err, out.overload = err, true
		return out
	}
	switch {
	case status/100 == 2:
		out.judge(answer)
	case status == http.StatusRequestEntityTooLarge:
		out.tooLarge = true
		out.err = fmt.Errorf("a bulk request of %d bytes is too large: %s", len(body), brief(answer))
	case status == http.StatusTooManyRequests || status >= 500:
		out.err, out.overload = fmt.Errorf("status %d: %s", status, brief(answer)), true
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		out.fatal = fmt.Errorf("status %d: %s", status, brief(answer))
	default:
		out.unfit = true
		out.err = fmt.Errorf("status %d: %s", status, brief(answer))
	}
	return out
}

// request makes one HTTP request and reads the whole answer.
func (s *sink) request(ctx context.Context, method, target string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("making a request: %w", err)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
		if strings.HasPrefix(target, "/_bulk") {
			req.Header.Set("Content-Type", "application/x-ndjson")
		}
	}
	resp, err := s.client.Stream(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%s %s: %w", method, strings.SplitN(target, "?", 2)[0], err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, fmt.Errorf("reading the answer: %w", err)
	}
	return resp.StatusCode, answer, nil
}

// brief makes one short line of an answer for a message.
func brief(answer []byte) string {
	var e struct {
		Error json.RawMessage `json:"error"`
	}
	var detail itemError
	if json.Unmarshal(answer, &e) == nil && json.Unmarshal(e.Error, &detail) == nil && detail.Reason != "" {
		return detail.String()
	}
	s := strings.Join(strings.Fields(string(answer)), " ")
	return s[:min(len(s), 300)]
}

type itemError struct {
	Type   string `json:"type"`
	Reason string `json:"reason"`
	Cause  struct {
		Reason string `json:"reason"`
	} `json:"caused_by"`
}

// String gives type, reason and cause in one line.
func (e *itemError) String() string {
	s := e.Type + ": " + e.Reason
	if e.Cause.Reason != "" {
		s += " (" + e.Cause.Reason + ")"
	}
	return s
}

type itemAnswer struct {
	Status int        `json:"status"`
	Error  *itemError `json:"error"`
}

// judge rules on each item of a bulk answer. An answer that does not fit the request rules on nothing: all is sent again, which
// the versions make harmless.
func (o *outcome) judge(answer []byte) {
	var parsed struct {
		Items []map[string]itemAnswer `json:"items"`
	}
	if err := json.Unmarshal(answer, &parsed); err != nil {
		o.err, o.overload = fmt.Errorf("reading the bulk answer: %w", err), true
		return
	}
	if len(parsed.Items) != len(o.items) {
		o.err, o.overload = fmt.Errorf("the bulk answer has %d items for %d documents", len(parsed.Items), len(o.items)), true
		return
	}
	o.rulings = make([]ruling, len(o.items))
	for i, one := range parsed.Items {
		r := ruling{verdict: retry, reason: "no status in the answer"}
		for _, a := range one {
			r = rule(o.items[i].kind, a)
			o.overload = o.overload || a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable
		}
		if r.verdict == retry {
			o.err = fmt.Errorf("document '%s': %s", o.items[i].id, r.reason)
		}
		o.rulings[i] = r
	}
}

// rule gives the verdict on one item.
func rule(kind byte, a itemAnswer) ruling {
	reason := fmt.Sprintf("status %d", a.Status)
	if a.Error != nil {
		reason += ", " + a.Error.String()
	}
	switch {
	case a.Status/100 == 2:
		return ruling{verdict: done}
	case a.Status == http.StatusConflict: // this version or a later one is there already
		return ruling{verdict: done}
	case a.Status == http.StatusNotFound && kind == kindDelete:
		return ruling{verdict: done}
	case a.Status == http.StatusTooManyRequests, a.Status >= 500, a.Status < 400:
		return ruling{retry, reason}
	case a.Status == http.StatusNotFound && a.Error != nil && a.Error.Type == "index_not_found_exception":
		// Not the document's fault, and somebody can repair it: waiting loses nothing.
		return ruling{retry, reason}
	}
	return ruling{rejected, reason}
}
