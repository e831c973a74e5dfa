package mtl

//go:wasmimport mtl:plugin/context@1.0.0 worker-index
func workerIndex() uint32

//go:wasmimport mtl:plugin/context@1.0.0 worker-count
func workerCount() uint32

//go:wasmimport mtl:plugin/context@1.0.0 item-format
func itemFormat() uint32

//go:wasmimport mtl:plugin/context@1.0.0 result-format
func resultFormat(format uint32)

//go:wasmimport mtl:plugin/context@1.0.0 log
func hostLog(level uint32, message string)

// The linker leaves out imports that nothing calls. Only RegisterTyped calls this one, so its import tells the host
// that a plugin supports all three ways of passing arguments.
//
//go:wasmimport mtl:plugin/context@1.0.0 argument-passing
func argumentPassing() uint32
