package broker

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// errFeatureUpdateFailed answers a change of what cannot change.
const errFeatureUpdateFailed int16 = 96

// handleUpdateFeatures accepts the levels in force and no others: they are what this program knows.
func handleUpdateFeatures(_ *Broker, r *request) reply {
	req := r.body.(*kmsg.UpdateFeaturesRequest)
	resp := req.ResponseKind().(*kmsg.UpdateFeaturesResponse)
	resp.Results = []kmsg.UpdateFeaturesResponseResult{}
	if resp.ErrorCode = r.cluster(kmsg.ACLOperationAlter); resp.ErrorCode != errNone {
		resp.ErrorMessage = refusedMessage(resp.ErrorCode)
		return ready(resp)
	}
	for _, f := range req.FeatureUpdates {
		rr := kmsg.NewUpdateFeaturesResponseResult()
		rr.Feature = f.Feature
		if now, known := featureLevels[f.Feature]; !known || now != f.MaxVersionLevel {
			rr.ErrorCode = errFeatureUpdateFailed
			rr.ErrorMessage = kmsg.StringPtr(fmt.Sprintf("feature %q cannot be set to %d", f.Feature, f.MaxVersionLevel))
			if req.Version >= 2 { // has no place for single outcomes
				resp.ErrorCode, resp.ErrorMessage = rr.ErrorCode, rr.ErrorMessage
			}
		}
		resp.Results = append(resp.Results, rr)
	}
	return ready(resp)
}
