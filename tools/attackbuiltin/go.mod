module github.com/decnet/ttpstore/tools/attackbuiltin

go 1.26.0

require github.com/decnet/ttpstore v0.0.0

replace github.com/decnet/ttpstore => ../..
