package messages

// What exec reads of a command line.
var (
	ReadData    = readData
	ParseAmount = parseAmount
)
