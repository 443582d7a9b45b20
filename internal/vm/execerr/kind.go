package execerr

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

// Classify says what an error means, wrapped or not. A Fatal is that whatever it wraps. It does not allocate: every actor that
// exits is an error, which is asked at each room that it comes through.
func Classify(err error) Failure {
	if err == nil {
		return Failure{}
	}
	f := search(err)
	if f.Kind == KindNone {
		f.Kind = KindNode
	}
	return f
}

// search is the first Fatal in an error's tree, or the first of what else there is, KindNone if nothing.
func search(err error) (found Failure) {
	for err != nil {
		if f := itself(err); f.Fatal != nil || found.Kind == KindNone {
			found = f
		}
		if found.Fatal != nil {
			return found
		}
		switch u := err.(type) {
		case interface{ Unwrap() error }:
			err = u.Unwrap()
		case interface{ Unwrap() []error }:
			for _, e := range u.Unwrap() {
				if f := search(e); f.Fatal != nil || found.Kind == KindNone {
					found = f
				}
				if found.Fatal != nil {
					return found
				}
			}
			return found
		default:
			return found
		}
	}
	return found
}

// itself is what an error is without what it wraps.
func itself(err error) Failure {
	switch e := err.(type) {
	case *Fatal:
		return ofFatal(e)
	case *Abort:
		return Failure{Kind: KindAbort, Abort: e}
	case *Syscall:
		return Failure{Kind: KindSyscall, Syscall: e}
	case *InvalidMessage:
		return Failure{Kind: KindInvalid}
	}
	if err == ErrOutOfGas { //nolint:errorlint // search unwraps
		return Failure{Kind: KindOutOfGas}
	}
	return Failure{}
}

func ofFatal(f *Fatal) Failure {
	if f.Guest {
		return Failure{Kind: KindGuest, Fatal: f}
	}
	return Failure{Kind: KindNode, Fatal: f}
}

// KindOf is the kind of an error.
func KindOf(err error) Kind { return Classify(err).Kind }
