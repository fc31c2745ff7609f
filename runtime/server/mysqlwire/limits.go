package mysqlwire

import "time"

// Limits. All of them can be met by a client that misbehaves; none by one that works.
const (
	maxPacketBytes      = 16 << 20 // of one command, as max_allowed_packet says
	maxHandshakeBytes   = 64 << 10 // of a packet before the client is let in
	maxConnections      = 1000     // at once; more are refused with error 1040
	maxStatements       = 1024     // prepared on one connection
	maxParameters       = 65535    // of one prepared statement, as in MySQL
	maxUserVariables    = 1000     // @x and SET names kept by one connection
	maxVariableBytes    = 64 << 10 // of one of them
	maxWarnings         = 64       // kept for SHOW WARNINGS
	flushBytes          = 64 << 10 // of rows that wait for one write
	readChunkBytes      = 64 << 10 // a packet's buffer grows by so much as its bytes arrive
	defaultIdleTimeout  = 8 * time.Hour
	defaultSpeakFirst   = 30 * time.Millisecond // how long a client may take to show that it speaks HTTP
	handshakeTimeout    = 10 * time.Second
	writeTimeout        = 10 * time.Minute // of one flush to a client that does not read
	maxProcesslistChars = 100              // of a statement in SHOW PROCESSLIST
)
