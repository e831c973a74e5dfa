//go:build !wasip1

package mtl

func workerIndex() uint32 { return current.WorkerIndex }

func workerCount() uint32 { return max(current.WorkerCount, 1) }

func itemFormat() uint32 { return uint32(current.Items) }

func argumentPassing() uint32 { return uint32(current.Passing) }

func resultFormat(format uint32) { declaredFormat = Format(format) }

func hostLog(level uint32, message string) {
	if current.Logged != nil {
		current.Logged(Level(level), message)
	}
}
