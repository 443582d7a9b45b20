package messages

// What exec reads of a command line.
var ParseAmount = parseAmount
