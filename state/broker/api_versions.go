package broker

import (
	"maps"
	"slices"

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

// featureLevels are the finalized features that switch client behaviour, by name.
var featureLevels = map[string]int16{
	"group.version":       featureGroupVersion,
	"metadata.version":    featureMetadataVersion,
	"transaction.version": featureTransactionVersion,
}

// addFeatures announces the finalized features, by name.
func addFeatures(resp *kmsg.ApiVersionsResponse) {
	for _, name := range slices.Sorted(maps.Keys(featureLevels)) {
		s := kmsg.NewApiVersionsResponseSupportedFeature()
		s.Name, s.MinVersion, s.MaxVersion = name, 0, featureLevels[name]
		f := kmsg.NewApiVersionsResponseFinalizedFeature()
		f.Name, f.MaxVersionLevel, f.MinVersionLevel = name, featureLevels[name], featureLevels[name]
		resp.SupportedFeatures = append(resp.SupportedFeatures, s)
		resp.FinalizedFeatures = append(resp.FinalizedFeatures, f)
	}
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
