-- Functions of your own: one in SQL, one in WebAssembly. Run it from the top folder: bin/millrace run examples/functions/pipeline.sql --until eof

CREATE FUNCTION gross(net DECIMAL(10, 2), rate DECIMAL(4, 2)) RETURNS DECIMAL(12, 2) LANGUAGE SQL AS net * (
  1 + rate
);

-- luhn.wat is its source.
CREATE FUNCTION luhn(card VARCHAR) RETURNS BOOLEAN LANGUAGE WASM AS 'examples/functions/luhn.wasm' WITH (
  'memory_limit' = '4MB', 'timeout' = '50ms'
);

CREATE SOURCE payments (id INT, card VARCHAR, net DECIMAL(10, 2)) WITH (
  connector = 'file', path = 'examples/functions/payments.jsonl', format = 'json'
);

CREATE SINK screen WITH (connector = 'print') AS
SELECT id, card, gross(net, 0.19) AS gross, luhn(card) AS genuine
FROM payments;
