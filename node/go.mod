module github.com/edgefvm/fvm/node

go 1.25.14
