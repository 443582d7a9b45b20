// Package fuzz hunts for differences between ours and the reference. Layers make
// cases from a seed and a number: a state, a setting and messages. Each runs on
// our engines and on the oracle, and receipts, fees, events, traces and roots are
// compared. The first difference is made smaller and saved as a closed vector.
//
// The same seed, layer and number give the same case, on every machine. A
// campaign goes on where it stopped, if it is given a folder.
//
// The states of worlds are small complete states of each network version, made by
// the generator of the golden vectors: the singletons, funded accounts, and 33
// script actors (package fuzz/internal/script). Scenes are chains of calls that
// begin there and are played on ours, so that each of their steps is a case.
//
// The command line calls it. It calls lab/duel for each run, and fvm for the
// network versions that there are. How results are compared does not belong here.
package fuzz
