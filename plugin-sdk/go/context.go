package mtl

// What a worker may know of the run it is in, and what it may tell it. In a plugin these are calls
// to the host. Natively, under go test, stand-ins answer, as [Run] says.

// A Format is what the bytes of an item or of a result are.
type Format uint32

// The formats.
const (
	// TextFormat is any bytes; shown as text where they are UTF-8.
	TextFormat Format = iota
	// JSONFormat is one JSON value.
	JSONFormat
)

// A Level is how much a message matters.
type Level uint32

// The levels.
const (
	LevelTrace Level = iota
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
)

// A Passing is how an item fills the parameters of a [TypedWorker]: --args of the run.
type Passing uint32

// The ways to pass arguments.
const (
	// Single passes the item as it is.
	Single Passing = iota
	// Args passes the elements of a JSON array, by position.
	Args
	// Kwargs passes the members of a JSON object, by name.
	Kwargs
)

// WorkerIndex is the number of this worker: from 0 to WorkerCount() - 1.
func WorkerIndex() int { return int(workerIndex()) }

// WorkerCount is how many workers there are.
func WorkerCount() int { return int(workerCount()) }

// ItemFormat is what every item of the run is.
func ItemFormat() Format { return Format(itemFormat()) }

// ResultFormat declares what every result is. It is called while the worker is started; a
// [TypedWorker] need not.
func ResultFormat(format Format) { resultFormat(uint32(format)) }

// Log shows a message, with the worker's number, where the run shows messages.
func Log(level Level, message string) { hostLog(uint32(level), message) }
