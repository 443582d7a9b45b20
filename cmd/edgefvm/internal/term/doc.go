// Package term is the terminal: how wide it is, what it may be sent, columns and
// colours of text, numbers for people, and how far long work is. It knows nothing of
// what the commands do.
package term
