package cheats

// clock are the methods that move time.
func (s *server) clock(t *table) {
	t.add(s.increaseTime, named("seconds"), "evm_increaseTime", "anvil_increaseTime", "hardhat_increaseTime")
	t.add(s.setNextTimestamp, named("timestamp"), "evm_setNextBlockTimestamp", "anvil_setNextBlockTimestamp", "hardhat_setNextBlockTimestamp")
	t.add(s.setTime, named("timestamp"), "evm_setTime", "setTime")
	t.add(func(seconds Uint) error {
		step := uint64(seconds)
		return wrong(s.n.SetTimestampStep(&step))
	}, named("seconds"), "setBlockTimestampInterval")
	t.add(func() (bool, error) { return true, s.n.SetTimestampStep(nil) }, loose(), "removeBlockTimestampInterval")
}

// increaseTime gives the seconds by which time is moved altogether, as a number, as Anvil does.
func (s *server) increaseTime(seconds Uint) (int64, error) {
	total, err := s.n.IncreaseTime(uint64(seconds))
	return total, wrong(err)
}

func (s *server) setNextTimestamp(t Uint) error {
	return wrong(s.n.SetNextTimestamp(uint64(seconds(t))))
}

// setTime gives by how many seconds the chain's time was moved. Ganache's clients send milliseconds, or an object of JavaScript's Date as text:
// the first are told by their size.
func (s *server) setTime(t Uint) (uint64, error) {
	to := uint64(seconds(t))
	before := s.n.Time()
	if err := s.n.SetTime(to); err != nil {
		return 0, wrong(err)
	}
	if to < before {
		return 0, nil
	}
	return to - before, nil
}

// seconds makes seconds of a time in milliseconds.
func seconds(t Uint) Uint {
	const millennia = 1e11 // seconds: the year 5138
	if t >= millennia {
		return t / 1000
	}
	return t
}
