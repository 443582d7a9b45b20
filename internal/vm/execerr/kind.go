package execerr

import "errors"

// Kind is what an error means to the walk of a message.
type Kind uint8

// The kinds of error.
const (
	KindNone     Kind = iota // no error
	KindSyscall              // the actor hears of it and runs on
	KindAbort                // the invocation ends with an exit code
	KindOutOfGas             // unwinds to the nearest gas limit
	KindGuest                // a fatal error that every node has: the message ends with exit code 10
	KindInvalid              // there can be no receipt, and nothing changed
	KindNode                 // a failure of this node: there is no receipt, and the machine refuses further use
)

// String is the kind in a word or two.
func (k Kind) String() string {
	return [...]string{"none", "errno", "abort", "out of gas", "guest", "invalid", "node"}[k]
}

// Failure is an error and what it means. Of the pointers only that of its kind is set.
type Failure struct {
	Kind    Kind
	Syscall *Syscall
	Abort   *Abort
	Fatal   *Fatal // of KindGuest, and of KindNode if the error was made with Nodef
}

// Classify says what an error means, wrapped or not. A Fatal is that whatever it wraps.
func Classify(err error) Failure {
	switch e := err.(type) { // what most errors are, without a search
	case nil:
		return Failure{}
	case *Syscall:
		return Failure{Kind: KindSyscall, Syscall: e}
	case *Fatal:
		return ofFatal(e)
	}
	var (
		f *Fatal
		a *Abort
		s *Syscall
		i *InvalidMessage
	)
	switch {
	case errors.As(err, &f):
		return ofFatal(f)
	case errors.As(err, &a):
		return Failure{Kind: KindAbort, Abort: a}
	case errors.As(err, &s):
		return Failure{Kind: KindSyscall, Syscall: s}
	case errors.Is(err, ErrOutOfGas):
		return Failure{Kind: KindOutOfGas}
	case errors.As(err, &i):
		return Failure{Kind: KindInvalid}
	}
	return Failure{Kind: KindNode}
}

func ofFatal(f *Fatal) Failure {
	if f.Guest {
		return Failure{Kind: KindGuest, Fatal: f}
	}
	return Failure{Kind: KindNode, Fatal: f}
}

// KindOf is the kind of an error.
func KindOf(err error) Kind { return Classify(err).Kind }
