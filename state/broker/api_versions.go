package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleAPIVersions tells the client what dispatchTable serves.
func handleAPIVersions(b *Broker, r *request) reply {
	resp := r.body.ResponseKind().(*kmsg.ApiVersionsResponse)
	for _, s := range served {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MinVersion, k.MaxVersion = s.key, s.min, s.max
		resp.ApiKeys = append(resp.ApiKeys, k)
	}
	addFeatures(resp)
	return ready(resp)
}

// addFeatures announces the finalized features that switch client behaviour.
func addFeatures(resp *kmsg.ApiVersionsResponse) {
	if featureTransactionVersion == 0 {
		return
	}
	const name = "transaction.version"
	s := kmsg.NewApiVersionsResponseSupportedFeature()
	s.Name, s.MaxVersion = name, featureTransactionVersion
	f := kmsg.NewApiVersionsResponseFinalizedFeature()
	f.Name, f.MaxVersionLevel, f.MinVersionLevel = name, featureTransactionVersion, featureTransactionVersion
	resp.SupportedFeatures = append(resp.SupportedFeatures, s)
	resp.FinalizedFeatures = append(resp.FinalizedFeatures, f)
	resp.FinalizedFeaturesEpoch = 1
}

// unsupportedAPIVersions answers a version we do not know: in version 0, which everybody can read, with the versions of ApiVersions
// itself, so that the client can ask again.
func unsupportedAPIVersions() *kmsg.ApiVersionsResponse {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.ErrorCode = errUnsupportedVersion
	s := findRequest(keyAPIVersions)
	k := kmsg.NewApiVersionsResponseApiKey()
	k.ApiKey, k.MinVersion, k.MaxVersion = s.key, s.min, s.max
	resp.ApiKeys = append(resp.ApiKeys, k)
	return resp
}
