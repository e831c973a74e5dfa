package mtl

// The run, as a worker sees it. In a plugin these functions call the host. Under go test, stand-ins answer natively, as
// set in [Run].

// A Format is the format of an item or a result.
type Format uint32

// The formats.
const (
	// TextFormat is any bytes, shown as text if they are UTF-8.
	TextFormat Format = iota
	// JSONFormat is one JSON value.
	JSONFormat
)

// A Level is the level of a log message.
type Level uint32

// The levels.
const (
	LevelTrace Level = iota
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
)

// A Passing is the way in which an item fills the parameters of a [TypedWorker] (--args).
type Passing uint32

// The ways to pass arguments.
const (
	// Single passes the whole item.
	Single Passing = iota
	// Args passes the elements of a JSON array, by position.
	Args
	// Kwargs passes the members of a JSON object, by name.
	Kwargs
)

// WorkerIndex returns the number of this worker: from 0 to WorkerCount() - 1.
func WorkerIndex() int { return int(workerIndex()) }

// WorkerCount returns the number of workers.
func WorkerCount() int { return int(workerCount()) }

// ItemFormat returns the format of the run's items.
func ItemFormat() Format { return Format(itemFormat()) }

// ResultFormat declares the format of all results. A worker calls it while it starts. A [TypedWorker] does not need it.
func ResultFormat(format Format) { resultFormat(uint32(format)) }

// Log shows a message, with the worker's number, among the messages of the run.
func Log(level Level, message string) { hostLog(uint32(level), message) }
