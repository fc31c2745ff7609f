package group

// Code is a Kafka protocol error code; zero is success.
type Code int16

// The codes this package answers with.
const (
	None                      Code = 0
	UnknownTopicOrPartition   Code = 3
	OffsetMetadataTooLarge    Code = 12
	CoordinatorNotAvailable   Code = 15
	IllegalGeneration         Code = 22
	InconsistentGroupProtocol Code = 23
	InvalidGroupID            Code = 24
	UnknownMemberID           Code = 25
	InvalidSessionTimeout     Code = 26
	RebalanceInProgress       Code = 27
	InvalidRequest            Code = 42
	NonEmptyGroup             Code = 68
	GroupIDNotFound           Code = 69
	MemberIDRequired          Code = 79
	GroupMaxSizeReached       Code = 81
	FencedInstanceID          Code = 82
	GroupSubscribedToTopic    Code = 86
	UnstableOffsetCommit      Code = 88
	FencedMemberEpoch         Code = 110
	UnreleasedInstanceID      Code = 111
	UnsupportedAssignor       Code = 112
	StaleMemberEpoch          Code = 113
	InvalidRegularExpression  Code = 128
	codeNameUnknown                = "UNKNOWN"
	maxMetadataBytes               = 4096  // per committed offset, as Kafka's offset.metadata.max.bytes
	maxMembers                     = 10000 // per group
)

// String names the code as Kafka's documentation does.
func (c Code) String() string {
	if n, ok := codeNames[c]; ok {
		return n
	}
	return codeNameUnknown
}

var codeNames = map[Code]string{
	None:                      "NONE",
	UnknownTopicOrPartition:   "UNKNOWN_TOPIC_OR_PARTITION",
	OffsetMetadataTooLarge:    "OFFSET_METADATA_TOO_LARGE",
	CoordinatorNotAvailable:   "COORDINATOR_NOT_AVAILABLE",
	IllegalGeneration:         "ILLEGAL_GENERATION",
	InconsistentGroupProtocol: "INCONSISTENT_GROUP_PROTOCOL",
	InvalidGroupID:            "INVALID_GROUP_ID",
	UnknownMemberID:           "UNKNOWN_MEMBER_ID",
	InvalidSessionTimeout:     "INVALID_SESSION_TIMEOUT",
	RebalanceInProgress:       "REBALANCE_IN_PROGRESS",
	NonEmptyGroup:             "NON_EMPTY_GROUP",
	GroupIDNotFound:           "GROUP_ID_NOT_FOUND",
	MemberIDRequired:          "MEMBER_ID_REQUIRED",
	GroupMaxSizeReached:       "GROUP_MAX_SIZE_REACHED",
	FencedInstanceID:          "FENCED_INSTANCE_ID",
	GroupSubscribedToTopic:    "GROUP_SUBSCRIBED_TO_TOPIC",
	UnstableOffsetCommit:      "UNSTABLE_OFFSET_COMMIT",
	InvalidRequest:            "INVALID_REQUEST",
	FencedMemberEpoch:         "FENCED_MEMBER_EPOCH",
	UnreleasedInstanceID:      "UNRELEASED_INSTANCE_ID",
	UnsupportedAssignor:       "UNSUPPORTED_ASSIGNOR",
	StaleMemberEpoch:          "STALE_MEMBER_EPOCH",
	InvalidRegularExpression:  "INVALID_REGULAR_EXPRESSION",
}
