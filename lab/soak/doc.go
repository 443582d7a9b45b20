// Package soak runs vectors for a long time under mixed load and tells whether
// anything differs or leaks: several machines share an engine, blockstores fail in
// the middle of messages, goroutines dereference nil pointers and recover, and the
// garbage collector runs all the time. What goes wrong only in a busy process goes
// wrong here.
//
// Memory and threads are those of the whole process, so nothing else should run in
// it. A program calls Run; the verdict on samples is Judge's, which needs no load.
package soak
