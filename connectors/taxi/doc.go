// Package taxi simulates the fleet of a city's taxis: positions with speed and engine temperature, trips that start and end, fares.
//
// Everything about a vehicle follows from the seed and the time alone, so that streams of the same settings agree (a fare's trip_id is
// found among the trips and positions), readers can begin anywhere, and runs can be repeated. On top come the troubles of real
// telemetry, each by its own option: rows out of order, late rows, duplicates, broken messages.
//
//	slot k of vehicle v        |<------ one trip ------>|
//	time                ..-----+------------------------+-----..   v's slots are shifted by v steps, so that
//	                           from = place(v,k)        to = place(v,k+1)      one trip ends every step
//
// History (drivers, zones, versions of tariffs) belongs to the same city; WriteHistory makes the files of examples/taxi/data.
package taxi
