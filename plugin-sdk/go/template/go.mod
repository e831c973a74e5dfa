module worker/my-worker

go 1.24

require mtl-plugin v0.0.0

replace mtl-plugin => ./mtl-plugin
