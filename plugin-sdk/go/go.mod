module mtl-plugin

go 1.24
