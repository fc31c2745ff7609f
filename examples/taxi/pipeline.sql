-- Taxi telemetry, live: a simulated fleet publishes to Kafka topics, SQL reads them back, windows them, joins them with history and
-- feeds views, a topic and, with OPENSEARCH_URL set, an OpenSearch index. Run from the repository's root:  make run

SET checkpoint_interval = '500ms';

-- 1. The fleet. Messages arrive out of order, some late, some twice, a few broken.

CREATE SOURCE sim_positions WITH (
  connector = 'taxi',
  stream = 'positions',
  rate = '${TAXI_RATE:-1000}',
  drivers = '200',
  out_of_order = '3s',
  late_percent = '0.5',
  duplicate_percent = '0.5',
  malformed_percent = '0.1',
  seed = '1'
);
CREATE SOURCE sim_fares WITH (
  connector = 'taxi',
  stream = 'fares',
  rate = '50',
  drivers = '200',
  out_of_order = '3s',
  malformed_percent = '0.1',
  seed = '1'
);

CREATE SINK positions_topic (vehicle_id VARCHAR METADATA FROM 'key', raw VARCHAR) WITH (
  connector = 'kafka', topic = 'taxi.positions', format = 'raw'
);
CREATE SINK fares_topic (vehicle_id VARCHAR METADATA FROM 'key', raw VARCHAR) WITH (
  connector = 'kafka', topic = 'taxi.fares', format = 'raw'
);
INSERT INTO positions_topic
SELECT vehicle_id, raw
FROM sim_positions;
INSERT INTO fares_topic
SELECT vehicle_id, raw
FROM sim_fares;

-- 2. The topics as tables. To read another Kafka add  brokers='host:9092'.

CREATE SOURCE positions (
  vehicle_id VARCHAR NOT NULL,
  driver_id INT,
  trip_id BIGINT,
  event_time TIMESTAMP(3),
  zone_id INT,
  lat DOUBLE,
  lon DOUBLE,
  speed_kmh DOUBLE,
  engine_temp DOUBLE,
  hot BOOLEAN AS engine_temp > 110,
  WATERMARK FOR event_time AS event_time - INTERVAL 5 SECOND
) WITH (connector = 'kafka', topic = 'taxi.positions', format = 'json');

CREATE SOURCE fares (
  trip_id BIGINT,
  vehicle_id VARCHAR,
  driver_id INT,
  event_time TIMESTAMP(3),
  zone_id INT,
  tariff_id INT,
  distance_km DOUBLE,
  fare DECIMAL(8, 2),
  tip DECIMAL(8, 2),
  payment VARCHAR,
  WATERMARK FOR event_time AS event_time - INTERVAL 5 SECOND
) WITH (connector = 'kafka', topic = 'taxi.fares', format = 'json');

-- 3. History: drivers and zones as they are, tariffs with every version they had.

CREATE TABLE drivers (driver_id INT, name VARCHAR, company VARCHAR, rating DECIMAL(3, 2)) WITH (
  connector = 'file', path = 'examples/taxi/data/drivers.csv', format = 'csv'
);
CREATE TABLE zones (zone_id INT, name VARCHAR, borough VARCHAR, lat DOUBLE, lon DOUBLE) WITH (
  connector = 'file', path = 'examples/taxi/data/zones.parquet', format = 'parquet'
);
CREATE TABLE tariffs (
  tariff_id INT,
  name VARCHAR,
  base_fare DECIMAL(8, 2),
  per_km DECIMAL(8, 2),
  valid_from TIMESTAMP(3),
  PRIMARY KEY (tariff_id) NOT ENFORCED,
  WATERMARK FOR valid_from AS valid_from
) WITH (connector = 'file', path = 'examples/taxi/data/tariffs.jsonl', format = 'json');

-- 4. Results.

-- Traffic per zone in windows of 10 seconds: one final row a window and zone.
CREATE MATERIALIZED VIEW zone_traffic AS
SELECT w.window_start, z.name AS zone, z.borough, w.positions, w.vehicles, w.speed_kmh
FROM (
  SELECT
    window_start,
    window_end,
    zone_id,
    COUNT(*) AS positions,
    COUNT(DISTINCT vehicle_id) AS vehicles,
    ROUND(AVG(speed_kmh), 1) AS speed_kmh
  FROM TUMBLE(TABLE positions, DESCRIPTOR(event_time), INTERVAL 10 SECOND)
  GROUP BY window_start, window_end, zone_id
) AS w
JOIN zones AS z ON w.zone_id = z.zone_id;

-- Trouble: engines that stayed hot, over the last 30 seconds, every 10 seconds, with who drives.
CREATE MATERIALIZED VIEW overheating AS
SELECT h.window_end, h.vehicle_id, d.name AS driver, d.company, h.readings, h.max_temp
FROM (
  SELECT
    window_start,
    window_end,
    vehicle_id,
    driver_id,
    COUNT(*) AS readings,
    MAX(engine_temp) AS max_temp
  FROM HOP(TABLE positions, DESCRIPTOR(event_time), INTERVAL 10 SECOND, INTERVAL 30 SECOND)
  WHERE hot
  GROUP BY window_start, window_end, vehicle_id, driver_id
  HAVING COUNT(*) >= 3
) AS h
JOIN drivers AS d ON h.driver_id = d.driver_id;

-- Every fare beside what the tariff of its time says.
CREATE VIEW priced AS
SELECT
  f.trip_id,
  f.event_time,
  f.zone_id,
  t.name AS tariff,
  f.fare,
  f.tip,
  t.base_fare + t.per_km * CAST(f.distance_km AS DECIMAL(8, 2)) AS by_distance
FROM fares AS f
JOIN tariffs FOR SYSTEM_TIME AS OF f.event_time AS t ON f.tariff_id = t.tariff_id;

CREATE MATERIALIZED VIEW revenue AS
SELECT
  tariff,
  COUNT(*) AS trips,
  SUM(fare) AS fares,
  SUM(tip) AS tips,
  ROUND(AVG(by_distance), 2) AS mean_by_distance
FROM priced
GROUP BY tariff;

-- The live table at the bottom of this file.
CREATE MATERIALIZED VIEW zones_now AS
SELECT
  z.name AS zone,
  z.borough,
  COUNT(*) AS positions,
  COUNT(DISTINCT p.vehicle_id) AS vehicles,
  ROUND(AVG(p.speed_kmh), 1) AS mean_kmh,
  MAX(p.engine_temp) AS hottest,
  MAX(p.event_time) AS last_seen
FROM positions AS p
JOIN zones AS z ON p.zone_id = z.zone_id
GROUP BY z.name, z.borough;

-- Alerts leave exactly once: into a topic for everybody with a Kafka client,
CREATE SINK alerts WITH (connector = 'kafka', topic = 'taxi.alerts', format = 'json') AS
SELECT p.event_time, p.vehicle_id, d.name AS driver, p.engine_temp, p.lat, p.lon
FROM positions AS p
JOIN drivers AS d ON p.driver_id = d.driver_id
WHERE p.hot;

-- and, when there is one, into OpenSearch: one document a window and zone.
-- @if OPENSEARCH_URL
CREATE SINK traffic_index (
  window_start TIMESTAMP(3),
  zone VARCHAR,
  borough VARCHAR,
  lat DOUBLE,
  lon DOUBLE,
  positions BIGINT,
  vehicles BIGINT,
  speed_kmh DOUBLE,
  PRIMARY KEY (window_start, zone) NOT ENFORCED
) WITH (
  connector = 'opensearch',
  url = '${OPENSEARCH_URL:-}',
  index = 'taxi-traffic',
  geo_point = 'location:lat,lon'
) AS
SELECT w.window_start, z.name, z.borough, z.lat, z.lon, w.positions, w.vehicles, w.speed_kmh
FROM (
  SELECT
    window_start,
    window_end,
    zone_id,
    COUNT(*) AS positions,
    COUNT(DISTINCT vehicle_id) AS vehicles,
    ROUND(AVG(speed_kmh), 1) AS speed_kmh
  FROM TUMBLE(TABLE positions, DESCRIPTOR(event_time), INTERVAL 10 SECOND)
  GROUP BY window_start, window_end, zone_id
) AS w
JOIN zones AS z ON w.zone_id = z.zone_id;
-- @end

-- 5. Watch it. Ctrl-C ends the run.
SELECT *
FROM zones_now
EMIT CHANGES;
