package trace

// Recorder keeps what happens, in order. The zero value is ready. Like the
// hooks, it belongs to the goroutine that applies messages.
type Recorder struct{ events Events }

// Hooks are the hooks to give to a machine; all of them record.
func (r *Recorder) Hooks() *Hooks {
	return &Hooks{
		OnGasCharge: func(c GasCharge) { r.events = append(r.events, &c) },
		OnCall:      func(c *Call) { r.events = append(r.events, c) },
		OnInvoke:    func(i *Invoke) { r.events = append(r.events, i) },
		OnReturn:    func(v *Return) { r.events = append(r.events, v) },
		OnError:     func(e *Error) { r.events = append(r.events, e) },
		OnLog:       func(l *Log) { r.events = append(r.events, l) },
		OnIPLD:      func(i *IPLD) { r.events = append(r.events, i) },
	}
}

// Take hands over what was recorded since the last Take: after a message, its
// trace. It is empty, not nil, when nothing was.
func (r *Recorder) Take() Events {
	taken := r.events
	r.events = nil
	if taken == nil {
		return Events{}
	}
	return taken
}

// Tell calls the hook, if there is one, that an event is for: what a Recorder has recorded can be told to others.
func (h *Hooks) Tell(e Event) {
	switch e := e.(type) {
	case *GasCharge:
		tell(h.OnGasCharge, *e)
	case *Call:
		tell(h.OnCall, e)
	case *Invoke:
		tell(h.OnInvoke, e)
	case *Return:
		tell(h.OnReturn, e)
	case *Error:
		tell(h.OnError, e)
	case *Log:
		tell(h.OnLog, e)
	case *IPLD:
		tell(h.OnIPLD, e)
	}
}

func tell[E any](hook func(E), e E) {
	if hook != nil {
		hook(e)
	}
}
