// Package bench measures how long the messages of vectors take: on engines of ours,
// beside the reference, and by phase. Time measures a process that is warm, Cold
// measures processes from their start to their first receipt. What it returns is
// numbers; [Sum] and [Percentile] take them together, package chart draws them, and
// the command prints them.
//
// A time is the least of several rounds, in which all sides take turns, so that what
// slows a machine down slows all of them. A first round warms up, and allocations are
// counted in a round of their own, because counting stops the world. Phases come from
// further rounds with clocks in them, which no ratio comes from.
package bench
