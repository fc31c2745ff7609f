package mysqlwire

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
)

// serverVersion is what clients learn; they read the number in front and ignore the rest.
const serverVersion = "8.0.36-millrace"

// Capability flags of the protocol.
const (
	capLongPassword     = 1 << 0
	capFoundRows        = 1 << 1
	capLongFlag         = 1 << 2
	capConnectWithDB    = 1 << 3
	capIgnoreSpace      = 1 << 8
	capProtocol41       = 1 << 9
	capInteractive      = 1 << 10
	capTransactions     = 1 << 13
	capSecureConnection = 1 << 15
	capMultiResults     = 1 << 17
	capPSMultiResults   = 1 << 18
	capPluginAuth       = 1 << 19
	capConnectAttrs     = 1 << 20
	capLenencAuth       = 1 << 21
	capDeprecateEOF     = 1 << 24
)

// serverCaps are offered: neither TLS, nor LOCAL INFILE, nor several statements in one packet.
const serverCaps uint32 = capLongPassword | capFoundRows | capLongFlag | capConnectWithDB | capIgnoreSpace | capProtocol41 | capInteractive |
	capTransactions | capSecureConnection | capMultiResults | capPSMultiResults | capPluginAuth | capConnectAttrs | capLenencAuth | capDeprecateEOF

const (
	pluginSHA2   = "caching_sha2_password"
	pluginNative = "mysql_native_password"

	scrambleBytes    = 20
	charsetUTF8MB4   = 45 // utf8mb4_general_ci, which every client knows
	charsetBinary    = 63
	statusAutocommit = 0x0002
)

// login is what a client says of itself.
type login struct {
	caps     uint32
	user     string
	auth     []byte
	database string
	plugin   string
}

// greeting builds the first packet of the server.
func greeting(dst []byte, id uint32, scramble []byte) []byte {
	dst = append(dst, 10)
	dst = append(append(dst, serverVersion...), 0)
	dst = binary.LittleEndian.AppendUint32(dst, id)
	dst = append(append(dst, scramble[:8]...), 0)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(serverCaps&0xffff))
	dst = append(dst, charsetUTF8MB4)
	dst = binary.LittleEndian.AppendUint16(dst, statusAutocommit)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(serverCaps>>16))
	dst = append(dst, scrambleBytes+1)
	dst = append(dst, make([]byte, 10)...)
	dst = append(append(dst, scramble[8:]...), 0)
	return append(append(dst, pluginSHA2...), 0)
}

// newScramble makes the random bytes of a greeting; none is zero, as clients take them for a C string.
func newScramble() ([]byte, error) {
	s := make([]byte, scrambleBytes)
	if _, err := rand.Read(s); err != nil {
		return nil, fmt.Errorf("making a scramble: %w", err)
	}
	for i := range s {
		s[i] = s[i]&0x7f | 0x20
	}
	return s, nil
}

// parseLogin reads the client's answer to the greeting.
func parseLogin(payload []byte) (login, error) {
	d := decoder{b: payload}
	var l login
	l.caps = uint32(d.uint(4))
	if d.bad || l.caps&capProtocol41 == 0 {
		return l, fmt.Errorf("a client of before MySQL 4.1: %w", errMalformed)
	}
	d.bytes(4 + 1 + 23) // packet limit, character set, filler
	l.caps &= serverCaps
	l.user = d.nulString()
	switch {
	case l.caps&capLenencAuth != 0:
		l.auth = d.lenBytes()
	case l.caps&capSecureConnection != 0:
		l.auth = d.bytes(int(d.u8()))
	default:
		l.auth = []byte(d.nulString())
	}
	if l.caps&capConnectWithDB != 0 {
		l.database = d.nulString()
	}
	if l.caps&capPluginAuth != 0 {
		l.plugin = d.nulString()
	}
	return l, d.err("reading the login") // connection attributes may follow; nobody reads them
}

// parseChangeUser reads COM_CHANGE_USER, without its command byte.
func parseChangeUser(payload []byte, caps uint32) (login, error) {
	d := decoder{b: payload}
	l := login{caps: caps, user: d.nulString()}
	l.auth = d.bytes(int(d.u8()))
	l.database = d.nulString()
	if len(d.b) >= 2 {
		d.bytes(2) // character set
		if caps&capPluginAuth != 0 {
			l.plugin = d.nulString()
		}
	}
	return l, d.err("reading the change of user")
}

// handshake greets the client and lets it in.
func (c *conn) handshake() error {
	scramble, err := newScramble()
	if err != nil {
		return err
	}
	if err := c.w.end(greeting(c.w.begin(), c.id, scramble)); err != nil {
		return err
	}
	if err := c.w.flush(); err != nil {
		return err
	}
	payload, err := c.rd.read(1)
	if err != nil {
		return fmt.Errorf("reading the login: %w", err)
	}
	c.w.seq = c.rd.seq + 1
	l, err := parseLogin(payload)
	if err != nil {
		_ = c.writeError(wireError{1043, "08S01", "bad handshake"})
		return err
	}
	c.caps = l.caps
	return c.admit(l, scramble)
}

// admit completes the exchange that the client's plugin expects, whatever the password, and answers OK.
func (c *conn) admit(l login, scramble []byte) error {
	plugin, auth := l.plugin, l.auth
	if c.caps&capPluginAuth != 0 && plugin != pluginSHA2 {
		// The client began with another plugin than the greeting's, so it waits to be told its own.
		if plugin != pluginNative {
			plugin = pluginNative
		}
		buf := append(append(append(c.w.begin(), 0xfe), plugin...), 0)
		if err := c.w.end(append(append(buf, scramble...), 0)); err != nil {
			return err
		}
		if err := c.w.flush(); err != nil {
			return err
		}
		var err error
		if auth, err = c.rd.read(c.w.seq); err != nil {
			return fmt.Errorf("reading the answer to the switch of plugins: %w", err)
		}
		c.w.seq = c.rd.seq + 1
	}
	if plugin == pluginSHA2 && len(bytes.Trim(auth, "\x00")) > 0 {
		if err := c.w.end(append(c.w.begin(), 1, 3)); err != nil { // the fast path: the password is known
			return err
		}
	}
	if err := c.use(l.database); err != nil {
		_ = c.writeError(errorOf(err))
		return err
	}
	c.user = l.user
	if err := c.writeOK(""); err != nil {
		return err
	}
	return c.w.flush()
}

// databases are the names a client may choose.
var databases = []string{"information_schema", databaseName}

const databaseName = "millrace"

// use makes a database the current one; "" keeps the one there is.
func (c *conn) use(name string) error {
	if name == "" {
		return nil
	}
	for _, d := range databases {
		if strings.EqualFold(d, name) {
			c.database = d
			return nil
		}
	}
	return wireError{1049, "42000", fmt.Sprintf("Unknown database '%s'; there is one, '%s'", clip(name, 64), databaseName)}
}
