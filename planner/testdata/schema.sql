CREATE SOURCE trips (
  id BIGINT, zone INT, driver BIGINT, fare DECIMAL(8,2), speed DOUBLE,
  pos STRUCT<lat DOUBLE, lon DOUBLE, city STRUCT<name STRING, code INT>>,
  ts TIMESTAMP(3), fare_x2 AS fare * 2,
  part INT METADATA FROM 'partition',
  WATERMARK FOR ts AS ts - INTERVAL 5 SECOND
) WITH (connector = 'kafka', topic = 'trips');
CREATE SOURCE fares (trip BIGINT, amount DECIMAL(8,2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL 5 SECOND) WITH (connector = 'kafka');
CREATE SOURCE raw (id BIGINT, zone INT, at TIMESTAMP(3)) WITH (connector = 'kafka');
CREATE TABLE zones (id INT, name STRING, borough STRING, PRIMARY KEY (id)) WITH (connector = 'file', bounded = 'true');
CREATE TABLE drivers (id BIGINT, name STRING) WITH (connector = 'file', bounded = 'true');
CREATE TABLE tariffs (zone INT, rate DECIMAL(6,3), valid_from TIMESTAMP(3), PRIMARY KEY (zone), WATERMARK FOR valid_from AS valid_from) WITH (connector = 'kafka', changes = 'upsert');
CREATE TABLE users (id BIGINT, name STRING, PRIMARY KEY (id)) WITH (connector = 'kafka', changes = 'upsert');
CREATE SOURCE history (id BIGINT, zone INT, fare DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (connector = 'file', bounded = 'true');
CREATE MATERIALIZED VIEW per_zone AS SELECT zone, COUNT(*) AS n FROM trips GROUP BY zone;
CREATE VIEW fast AS SELECT id, zone, speed, ts FROM trips WHERE speed > 100;
CREATE SINK log (zone INT, n BIGINT) WITH (connector = 'file', mode = 'append');
CREATE SINK docs (zone INT, n BIGINT) WITH (connector = 'opensearch', mode = 'append', mode_with_key = 'upsert');
CREATE SINK changes (zone INT, n BIGINT) WITH (connector = 'file', mode = 'retract');
CREATE SINK idx (zone INT, n BIGINT) WITH (connector = 'opensearch', mode = 'upsert')
