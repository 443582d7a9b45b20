// Package term is the terminal: how wide it is, what it may be sent, and how far long
// work is. It knows nothing of what the commands do. Text in columns is layout's.
package term
