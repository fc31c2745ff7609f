// Package job runs one statement: its tasks, its epochs, its deliveries, its restarts.
package job
