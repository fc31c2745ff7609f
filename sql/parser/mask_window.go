package parser

import "strings"

// windowZone blanks TIME ZONE before the string in TUMBLE(ts, INTERVAL 1 DAY, TIME ZONE 'Europe/Berlin') in GROUP BY, and in TUMBLE_START(..) and
// its kin, at k: the string is then an argument like the others.
func (p *parser) windowZone(k int) {
	name, _, _ := strings.Cut(p.toks[k].up, "_")
	if name != "TUMBLE" && name != "HOP" && name != "CUMULATE" {
		return
	}
	m := int(p.match[k+1])
	if z := p.find(k+2, m, "TIME", "ZONE"); z < m && z+2 < m && p.op(z-1, ",") && z+3 == m {
		p.blank(p.toks[z].off, p.toks[z+1].end)
	}
}
