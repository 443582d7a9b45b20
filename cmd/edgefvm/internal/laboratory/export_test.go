package laboratory

// What the JSON of sweep is read into.
type SweepReport = sweepReport

// MostCompiled is how many modules vectors have compiled at a time.
const MostCompiled = mostCompiled

// PrintReport prints what came of vectors.
var PrintReport = printReport
