package function

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// networkFuncs is the table of functions on addresses and URLs.
func networkFuncs() []*Func {
	return family("network",
		def("inet_aton(s)", "An IPv4 address as a number; short forms are filled in as MySQL does ('127.1' is 127.0.0.1). NULL when it is none.", fixed(tInt, rowInt(inetATON), tText), "inet_aton('10.0.5.9')", "167773449", "inet_aton('10.0.5.256')", "NULL"),
		def("inet_ntoa(n)", "The IPv4 address of a number; NULL outside 0..4294967295.", fixed(tText, rowText(inetNTOA), tInt), "inet_ntoa(167773449)", "10.0.5.9", "inet_ntoa(-1)", "NULL"),
		def("inet6_aton(s)", "The 4 or 16 bytes of an IPv4 or IPv6 address; NULL when it is none.", fixed(tBytes, rowText(inet6ATON), tText), "hex(inet6_aton('fdfe::5a55:caff:fefa:9089'))", "FDFE0000000000005A55CAFFFEFA9089", "hex(inet6_aton('10.0.5.9'))", "0A000509", "inet6_aton('x')", "NULL"),
		def("inet6_ntoa(b)", "The text of an address of 4 or 16 bytes; NULL for other lengths.", fixed(tText, rowText(inet6NTOA), tBytes), "inet6_ntoa(inet6_aton('fdfe::5a55:caff:fefa:9089'))", "fdfe::5a55:caff:fefa:9089", "inet6_ntoa(unhex('0A000509'))", "10.0.5.9", "inet6_ntoa('x')", "NULL"),
		ipTest("is_ipv4(s)", "Whether a text is an IPv4 address.", func(s []byte) bool { a, ok := parseAddr(s); return ok && a.Is4() }, "is_ipv4('10.0.5.9')", "1", "is_ipv4('10.0.5.256')", "0", "is_ipv4('::1')", "0"),
		ipTest("is_ipv6(s)", "Whether a text is an IPv6 address.", func(s []byte) bool { a, ok := parseAddr(s); return ok && a.Is6() }, "is_ipv6('::1')", "1", "is_ipv6('10.0.5.9')", "0"),
		def("is_ipv4_compat(b)", "Whether 16 bytes, as inet6_aton gives them, are an IPv4-compatible IPv6 address.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			s := a[0].Bytes(i)
			return boolInt(len(s) == 16 && bytes.Count(s[:12], []byte{0}) == 12 && binary.BigEndian.Uint32(s[12:]) > 1), true
		}), tBytes), "is_ipv4_compat(inet6_aton('::10.0.5.9'))", "1", "is_ipv4_compat(inet6_aton('::ffff:10.0.5.9'))", "0"),
		def("is_ipv4_mapped(b)", "Whether 16 bytes, as inet6_aton gives them, are an IPv4-mapped IPv6 address.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			s := a[0].Bytes(i)
			return boolInt(len(s) == 16 && bytes.Count(s[:10], []byte{0}) == 10 && s[10] == 0xff && s[11] == 0xff), true
		}), tBytes), "is_ipv4_mapped(inet6_aton('::ffff:10.0.5.9'))", "1"),
		ipTest("is_private_ip(s)", "Whether an address is a private one (RFC 1918, RFC 4193), loopback or link-local.", func(s []byte) bool {
			a, ok := parseAddr(s)
			return ok && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast())
		}, "is_private_ip('192.168.1.1')", "1", "is_private_ip('8.8.8.8')", "0"),
		def("cidr_contains(cidr, ip)", "Whether a network such as '10.0.0.0/8' holds an address; NULL when one of them is none.", bindCIDR, "cidr_contains('10.0.0.0/8', '10.1.2.3')", "1", "cidr_contains('fd00::/8', '10.1.2.3')", "0", "cidr_contains('10.0.0.0/8', 'x')", "NULL").alias("ip_in_cidr", "is_ip_address_in_range"),
		def("ip_network(ip, bits)", "The network of that many bits which holds an address; NULL when there is none.", fixed(tText, rowText(ipNetwork), tText, tInt), "ip_network('10.1.2.3', 16)", "10.1.0.0/16", "ip_network('10.1.2.3', 33)", "NULL"),
		def("url_encode(s)", "s with all but letters, digits and -_.~ as %XX (RFC 3986).", fixed(tText, mapText(urlEncode), tText), "url_encode('a b&ü')", "a%20b%26%C3%BC"),
		def("url_decode(s)", "s with %XX and + resolved; NULL when a % has no two digits behind it.", fixed(tText, rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			return urlDecode(dst, a[0].Bytes(i), true)
		}), tText), "url_decode('a%20b%26+c')", "a b& c", "url_decode('%x')", "NULL"),
		def("parse_url(url, part) | parse_url(url, 'QUERY', key)", "A part of a URL: PROTOCOL, AUTHORITY, USERINFO, HOST, PORT, PATH, QUERY, REF or FILE (path and query); a third argument picks a key of the query, decoded. NULL when there is no such part.", bindParseURL,
			"parse_url('https://u@a.org:8080/p/q?k=v&x=1#r', 'HOST')", "a.org", "parse_url('https://a.org/p?k=v%20w&x=1', 'QUERY', 'k')", "v w", "parse_url('https://a.org', 'PORT')", "NULL"),
		def("url_host(url)", "The host of a URL; NULL when it has none.", fixed(tText, rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			return urlPart(dst, a[0].Bytes(i), "HOST")
		}), tText), "url_host('https://a.org/p')", "a.org", "url_host('/p')", "NULL").alias("domain"),
	)
}

func ipTest(signature, doc string, f func(s []byte) bool, examples ...string) *Func {
	return def(signature, doc, fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return boolInt(f(a[0].Bytes(i))), true }), tText), examples...)
}

// addrRoom is the longest text of an address.
const addrRoom = 45

// parseAddr reads an address without a zone.
func parseAddr(s []byte) (netip.Addr, bool) {
	if a, ok := parseIPv4(s); ok {
		return a, true
	}
	if len(s) > addrRoom || bytes.IndexByte(s, ':') < 0 || bytes.IndexByte(s, '%') >= 0 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(string(s))
	return a, err == nil
}

// parseIPv4 reads four numbers without leading zeros; it makes no string, as netip would.
func parseIPv4(s []byte) (netip.Addr, bool) {
	var b [4]byte
	part, digits, value := 0, 0, 0
	for _, c := range s {
		switch {
		case c-'0' <= 9 && digits < 3 && (digits == 0 || value > 0):
			value = value*10 + int(c-'0')
			digits++
		case c == '.' && digits > 0 && part < 3 && value < 256:
			b[part] = byte(value)
			part, digits, value = part+1, 0, 0
		default:
			return netip.Addr{}, false
		}
	}
	b[3] = byte(value)
	return netip.AddrFrom4(b), part == 3 && digits > 0 && value < 256
}

func inetATON(a []*vector.Vector, i int) (int64, bool) {
	s := a[0].Bytes(i)
	var total, part int64
	dots, digits := 0, 0
	for _, c := range s {
		switch {
		case c-'0' <= 9:
			if part = part*10 + int64(c-'0'); part > 255 {
				return 0, false
			}
			digits++
		case c == '.':
			total, part, digits = total<<8+part, 0, 0
			if dots++; dots > 3 {
				return 0, false
			}
		default:
			return 0, false
		}
	}
	if digits == 0 {
		return 0, false
	}
	if dots == 1 { // 127.1
		total <<= 16
	} else if dots == 2 {
		total <<= 8
	}
	return total<<8 + part, true
}

func inetNTOA(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	n := a[0].I64[i]
	if n < 0 || n > 1<<32-1 {
		return dst, false
	}
	for shift := 24; shift >= 0; shift -= 8 {
		dst = strconv.AppendInt(dst, n>>shift&255, 10)
		if shift > 0 {
			dst = append(dst, '.')
		}
	}
	return dst, true
}

func inet6ATON(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	addr, ok := parseAddr(a[0].Bytes(i))
	switch {
	case !ok:
		return dst, false
	case addr.Is4():
		b := addr.As4()
		return append(dst, b[:]...), true
	}
	b := addr.As16()
	return append(dst, b[:]...), true
}

func inet6NTOA(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	addr, ok := netip.AddrFromSlice(a[0].Bytes(i))
	if !ok {
		return dst, false
	}
	return addr.AppendTo(dst), true
}

// bindCIDR reads a constant network once.
func bindCIDR(args []Arg) (Bound, error) {
	want, err := match(args, 2, []types.Type{tText, tText})
	if err != nil {
		return Bound{}, err
	}
	var constant netip.Prefix
	text, known := constText(args[0])
	if known {
		if constant, err = netip.ParsePrefix(text); err != nil {
			return Bound{}, fmt.Errorf("argument 1 is no network such as '10.0.0.0/8': %q", text)
		}
	}
	return Bound{Ret: tBool, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		network := constant
		if !known {
			s := a[0].Bytes(i)
			if len(s) > addrRoom+4 {
				return 0, false
			}
			var err error
			if network, err = netip.ParsePrefix(string(s)); err != nil {
				return 0, false
			}
		}
		addr, ok := parseAddr(a[1].Bytes(i))
		return boolInt(ok && network.Contains(addr)), ok
	})}, nil
}

func ipNetwork(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	addr, ok := parseAddr(a[0].Bytes(i))
	bits := a[1].I64[i]
	if !ok || bits < 0 || bits > 128 {
		return dst, false
	}
	network, err := addr.Prefix(int(bits))
	if err != nil {
		return dst, false
	}
	return network.AppendTo(dst), true
}

func urlEncode(dst, s []byte) []byte {
	for _, c := range s {
		if c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '_' || c == '.' || c == '~' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

func urlDecode(dst, s []byte, plus bool) ([]byte, bool) {
	for k := 0; k < len(s); k++ {
		switch c := s[k]; {
		case c == '+' && plus:
			dst = append(dst, ' ')
		case c == '%':
			if k+2 >= len(s) {
				return dst, false
			}
			high, ok1 := hexDigit(s[k+1])
			low, ok2 := hexDigit(s[k+2])
			if !ok1 || !ok2 {
				return dst, false
			}
			dst = append(dst, high<<4|low)
			k += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c-'0' <= 9:
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

var urlParts = []string{"PROTOCOL", "AUTHORITY", "USERINFO", "HOST", "PORT", "PATH", "QUERY", "REF", "FILE"}

func bindParseURL(args []Arg) (Bound, error) {
	want, err := match(args, 2, []types.Type{tText, tText, tText})
	if err != nil {
		return Bound{}, err
	}
	text, ok := constText(args[1])
	part := strings.ToUpper(text)
	known := false
	for _, p := range urlParts {
		known = known || p == part
	}
	if !ok || !known || len(args) == 3 && part != "QUERY" {
		return Bound{}, fmt.Errorf("argument 2 must be a constant of %s, and 'QUERY' with a key", strings.Join(urlParts, ", "))
	}
	return Bound{Ret: tText, ArgTypes: want, Strict: true, Kernel: rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		if len(a) == 3 {
			return queryKey(dst, a[0].Bytes(i), a[2].Bytes(i))
		}
		return urlPart(dst, a[0].Bytes(i), part)
	})}, nil
}

// urlPart appends a part of a URL (RFC 3986, appendix B); false when there is none.
func urlPart(dst, url []byte, part string) ([]byte, bool) {
	rest, ref, hasRef := bytes.Cut(url, []byte("#"))
	if part == "REF" {
		return append(dst, ref...), hasRef
	}
	if n := schemeLen(rest); n > 0 {
		if part == "PROTOCOL" {
			return append(dst, rest[:n]...), true
		}
		rest = rest[n+1:]
	} else if part == "PROTOCOL" {
		return dst, false
	}
	var authority []byte
	hasAuthority := bytes.HasPrefix(rest, []byte("//"))
	if hasAuthority {
		authority = rest[2:]
		if end := bytes.IndexAny(authority, "/?"); end >= 0 {
			authority = authority[:end]
		}
		rest = rest[2+len(authority):]
	}
	path, query, hasQuery := bytes.Cut(rest, []byte("?"))
	switch part {
	case "PATH":
		return append(dst, path...), true
	case "QUERY":
		return append(dst, query...), hasQuery
	case "FILE":
		return append(dst, rest...), true
	case "AUTHORITY":
		return append(dst, authority...), hasAuthority
	}
	return authorityPart(dst, authority, part)
}

func authorityPart(dst, authority []byte, part string) ([]byte, bool) {
	user, host, found := bytes.Cut(authority, []byte("@"))
	if !found {
		user, host = nil, authority
	}
	if part == "USERINFO" {
		return append(dst, user...), found
	}
	var port []byte
	if at := bytes.LastIndexByte(host, ':'); at > bytes.LastIndexByte(host, ']') {
		host, port = host[:at], host[at+1:]
	}
	if part == "PORT" {
		return append(dst, port...), len(port) > 0
	}
	return append(dst, host...), len(host) > 0
}

// schemeLen is the length of a URL's scheme, 0 for none.
func schemeLen(s []byte) int {
	for i, c := range s {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', i > 0 && (c-'0' <= 9 || c == '+' || c == '-' || c == '.'):
		case c == ':' && i > 0:
			return i
		default:
			return 0
		}
	}
	return 0
}

// queryKey appends the decoded value of a key in a URL's query.
func queryKey(dst, url, key []byte) ([]byte, bool) {
	url, _, _ = bytes.Cut(url, []byte("#"))
	_, query, _ := bytes.Cut(url, []byte("?"))
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte("&"))
		name, value, _ := bytes.Cut(pair, []byte("="))
		if bytes.Equal(name, key) {
			return urlDecode(dst, value, true)
		}
	}
	return dst, false
}
