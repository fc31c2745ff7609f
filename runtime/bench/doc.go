// Package bench measures the engine as its users meet it: jobs written in SQL, on a real broker, with checkpoints on. Its figures are ratios
// taken inside one run and processor time rather than wall time, so that they hold on a busy machine.
//
// It also holds the tests that no row is paid for with an allocation on its way through a task.
package bench
