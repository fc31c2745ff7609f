-- Orders from a file, summed per shop in windows of 10 seconds. Run from the repository's root:
--   bin/millrace run examples/quickstart/pipeline.sql --until eof

-- The event time is `at`; orders may come up to 5 seconds late. One line of the file is broken on purpose.
CREATE SOURCE orders (
  shop VARCHAR,
  item VARCHAR,
  amount DECIMAL(8, 2),
  at TIMESTAMP(3),
  WATERMARK FOR at AS at - INTERVAL 5 SECOND
) WITH (connector = 'file', path = 'examples/quickstart/orders.jsonl', format = 'json');

-- A view that is kept up to date; a plain SELECT reads it.
CREATE MATERIALIZED VIEW takings AS
SELECT window_start, shop, COUNT(*) AS orders, SUM(amount) AS total
FROM TUMBLE(TABLE orders, DESCRIPTOR(at), INTERVAL 10 SECOND)
GROUP BY window_start, window_end, shop;

-- The same rows to the terminal, each as soon as its window is over.
CREATE SINK screen WITH (connector = 'print') AS
SELECT *
FROM takings;
