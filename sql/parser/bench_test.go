package parser

import "testing"

const benchQuery = `WITH bids AS (
  SELECT auction, bidder, price, ts
  FROM source_bids
  WHERE price > 100 AND channel IN ('a', 'b', 'c')
)
SELECT
  w.window_start,
  w.window_end,
  w.auction,
  COUNT(*) AS bids,
  COUNT(*) FILTER (WHERE w.price > 1000) AS high,
  SUM(w.price * r.rate) AS total,
  MAX(CAST(w.price AS DECIMAL(18, 2))) AS top,
  CASE WHEN COUNT(*) > 10 THEN 'hot' ELSE 'cold' END AS heat
FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND) AS w
LEFT JOIN rates FOR SYSTEM_TIME AS OF w.ts AS r ON w.currency = r.currency
WHERE w.auction IS NOT NULL
GROUP BY w.window_start, w.window_end, w.auction
HAVING COUNT(*) > 1
EMIT ON WINDOW CLOSE`

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"query20lines": benchQuery, "select1": "SELECT 1", "plain": mysqlText[5], "error": "SELECT a FROM t WHRE a = 1"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for range b.N {
				_, _ = Parse(text)
			}
		})
	}
}
